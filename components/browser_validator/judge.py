"""The decision on a bundle, from the outputs of TensorFlow and TensorFlow.js for the same inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from common.features import AUDIO
from common.loudness import FLOOR_AMPLITUDE
from components.browser_validator.cases import SWEEP
from components.browser_validator.config import BrowserValidatorConfig
from components.browser_validator.reference import OutputsByCase, Reference
from components.browser_validator.tfjs import GraphRun, TfjsRun

IDENTICAL_DB = 200.0  # stands for an infinite SNR: more than float32 resolves


def snr_db(reference: np.ndarray, other: np.ndarray) -> float:
    """Compute the energy of the reference over that of the difference, both of one shape, in dB; at most IDENTICAL_DB.

    NaN where either holds a value that is not finite, minus infinity where only the reference is all zero.
    """
    signal = float(np.sum(np.square(reference, dtype=np.float64)))
    noise = float(np.sum(np.square(reference.astype(np.float64) - other)))
    if not math.isfinite(signal + noise):
        return math.nan
    if noise == 0.0:
        return IDENTICAL_DB
    return min(IDENTICAL_DB, 10.0 * math.log10(signal / noise)) if signal > 0.0 else -math.inf


def judge_weights(tensors: Mapping[str, np.ndarray], variables: Sequence[np.ndarray]) -> Iterator[str]:
    """Yield reasons against a bundle whose weights are not the SavedModel's, bit for bit.

    Args:
      tensors: the network's, by name, as TensorFlow.js dequantises them.
      variables: the SavedModel's, in any order; shapes may differ as long as the values stand in the same order.
    """
    for name, tensor in tensors.items():
        values = tensor.reshape(-1)
        candidates = [variable.reshape(-1) for variable in variables if variable.size == values.size]
        if not candidates:
            yield f"weight {name}: the SavedModel has no variable of {values.size} values"
        elif not any(np.array_equal(other, values, equal_nan=True) for other in candidates):
            nearest = min(float(np.max(np.abs(other - values))) for other in candidates)
            yield f"weight {name}: differs from the SavedModel's by up to {nearest:.3g}"


def judge_reference(reference: Reference) -> Iterator[str]:
    """Yield reasons against the model itself: values that are not finite, or silence on real recordings."""
    for graph, cases in reference.items():
        for name in _output_names(cases):
            for case, outputs in cases.items():
                if not np.isfinite(outputs[name]).all():
                    yield f"the model's {graph} gives {_not_finite(outputs[name])} in {name} ({case})"
                    break
    silence = _judge_level(reference["full"])
    if silence:
        yield f"the model is {silence}"


def judge_run(run: TfjsRun, reference: Reference, config: BrowserValidatorConfig) -> Iterator[str]:
    """Yield reasons against the outputs of the exported files on TensorFlow.js."""
    limits = {"controls": config.min_controls_snr_db, "full": config.min_full_snr_db}
    for backend, done in run.backends.items():
        if done.error:
            yield f"{backend}: {done.error}: train a smaller model, or raise browser_validator.timeout_seconds"
            continue
        for graph, expected in reference.items():
            for reason in _judge_graph(done.graphs[graph], expected, limits[graph]):
                yield f"{graph} on {backend}: {reason}"


def _judge_graph(run: GraphRun, expected: OutputsByCase, limit: float) -> Iterator[str]:
    if run.error:
        yield f"does not run: {run.error}"
        return
    for name in _output_names(expected):
        for case, outputs in expected.items():
            fault = _compare(outputs[name], run.outputs[case][name], limit)
            if fault:
                yield f"{name} {fault} ({case})"
                break
    silence = _judge_level(run.outputs)
    if silence:
        yield silence


def _compare(expected: np.ndarray, given: np.ndarray, limit: float) -> str:
    if given.shape != expected.shape:
        return f"has the shape {list(given.shape)} instead of {list(expected.shape)}"
    if not np.isfinite(expected).all():
        return ""  # nothing to compare with, and a reason against the model itself
    if not np.isfinite(given).all():
        return f"holds {_not_finite(given)}"
    snr = snr_db(expected, given)
    return "" if snr >= limit else f"is {snr:.1f} dB above its difference from the SavedModel's, {limit:g} are needed"


def _judge_level(cases: OutputsByCase) -> str:
    """Describe audio that is silent on every piece of a recording; empty where it is not, or the graph has none."""
    levels = [rms(outputs[AUDIO]) for case, outputs in cases.items() if AUDIO in outputs and case != SWEEP]
    if not levels or max(levels) >= FLOOR_AMPLITUDE:
        return ""
    return f"silent: {20.0 * math.log10(max(*levels, 1e-10)):.0f} dBFS at most on pieces of eval windows"


def figures(run: TfjsRun, reference: Reference) -> dict[str, Any]:
    """Collect what was measured, JSON values: SNR in dB (the worst case), times in ms, GPU memory in bytes."""
    graphs = {
        (backend, name): graph
        for backend, done in run.backends.items()
        for name, graph in done.graphs.items()
        if not graph.error
    }
    snr: dict[str, dict[str, float | None]] = {backend: {} for backend in run.backends}
    speed: dict[str, dict[str, Any]] = {backend: {} for backend in run.backends}
    for (backend, name), graph in graphs.items():
        snr[backend].update(_worst_snr(graph, reference[name]))
        speed[backend][name] = {key: round(value, 1) for key, value in graph.milliseconds.items()}
    gpu = [graph.gpu_bytes for graph in graphs.values() if graph.gpu_bytes is not None]
    return {
        "tfjs": run.version,
        "browser": run.browser,
        "webgl_checked": "webgl" in run.backends,
        "snr_db": snr,
        "milliseconds": speed,
        "gpu_bytes": max(gpu, default=None),
        "renderer": next((done.renderer for done in run.backends.values() if done.renderer), None),
        "console_errors": sorted({line for done in run.backends.values() for line in done.console}),
    }


def _worst_snr(run: GraphRun, expected: OutputsByCase) -> dict[str, float | None]:
    """Find the SNR of each output in its worst case, None where a value is not finite or a shape is wrong."""
    worst: dict[str, float | None] = {}
    for name in _output_names(expected):
        pairs = [(outputs[name], run.outputs[case][name]) for case, outputs in expected.items()]
        values = [snr_db(*pair) if pair[0].shape == pair[1].shape else math.nan for pair in pairs]
        worst[name] = round(min(values), 1) if all(map(math.isfinite, values)) else None
    return worst


def rms(audio: np.ndarray) -> float:
    """Compute the root mean square of a signal of any shape; infinity where it is not finite, which is not silence."""
    value = math.sqrt(float(np.mean(np.square(audio, dtype=np.float64))))
    return value if math.isfinite(value) else math.inf


def _not_finite(values: np.ndarray) -> str:
    return "NaN" if np.isnan(values).any() else "infinite values"


def _output_names(cases: OutputsByCase) -> list[str]:
    return list(next(iter(cases.values())))
