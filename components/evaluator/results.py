"""Results of an evaluation, read from its artifact."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from common.features import NO_SPAN, SPAN
from common.verdict import Verdict
from components.evaluator.against_original import BASELINE_VISQOL, CANDIDATE, JUDGED_WINDOWS, VISQOL
from components.evaluator.octave_errors import OF_BAND
from models.quality.octaves import ABOVE_FLOOR_DB, CENTRES_HZ, WITHIN_DB

Slice = tuple[tuple[str, str], ...]
JUDGEMENT_FILE = "judgement.json"  # beside TFMA's records
NO_SPANS: Slice = ((SPAN, NO_SPAN),)  # all windows once more, where recordings lie in no spans


def read_metrics(evaluation: str | Path, model: str = CANDIDATE) -> dict[Slice, dict[str, float]]:
    """Read the metrics of one model by slice; the empty slice is all eval windows. `read_octaves` has single bands.

    Args:
      evaluation: folder of a ModelEvaluation artifact.
      model: `candidate`, or `last_blessed`; empty where there was none.
    """
    return {key: _without_missing(of) for key, of in _read(evaluation, model).items()}


def _read(evaluation: str | Path, model: str) -> dict[Slice, dict[str, float]]:
    alone = len(tfma.load_eval_result(str(evaluation)).config.model_specs) == 1
    if alone and model != CANDIDATE:
        return {}
    name = "" if alone else model  # TFMA drops the name of a model that was evaluated alone
    metrics: dict[Slice, dict[str, float]] = {}
    for key, value in tfma.load_eval_result(str(evaluation), model_name=name).slicing_metrics:
        of_all_outputs = value[""][""]
        metrics[tuple((str(name), _text(of)) for name, of in key)] = {
            name: float(of.get("doubleValue", "nan")) for name, of in of_all_outputs.items()
        }
    metrics.pop(NO_SPANS, None)
    return metrics


def read_octaves(evaluation: str | Path) -> dict[str, dict[str, float]]:
    """Read what was measured of the candidate in octave bands, over all windows: name of the band -> figure -> value.

    Figures are those of `models.quality.octaves.Octave`; empty for an evaluation of an earlier version.
    """
    found: dict[str, dict[str, float]] = {}
    for name, value in _read(evaluation, CANDIDATE).get((), {}).items():
        if name.startswith(OF_BAND) and math.isfinite(value):  # a band that no window is judged in has no error
            hz, figure = name.removeprefix(OF_BAND).split("/")
            found.setdefault(f"{hz} Hz", {})[figure] = value
    return found


def _without_missing(metrics: dict[str, float]) -> dict[str, float]:
    """Leave out single bands, and figures against the original where no window is judged: nothing was measured."""
    missing = {VISQOL, BASELINE_VISQOL} if not metrics.get(JUDGED_WINDOWS) else set()
    return {name: value for name, value in metrics.items() if name not in missing and not name.startswith(OF_BAND)}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_verdict(evaluation: str | Path) -> Verdict:
    """Read the Evaluator's decision; every bound that was missed is a reason."""
    result = tfma.load_validation_result(str(evaluation))
    reasons = [
        _where(of_slice.slice_key) + _reason(failure)
        for of_slice in result.metric_validations_per_slice
        if _slice(of_slice.slice_key) != NO_SPANS
        for failure in of_slice.failures
    ]
    if not result.validation_ok and not reasons:
        reasons = ["no eval window falls under the limits"]
    judgement, bands = _read_judgement(evaluation), read_octaves(evaluation)
    figures: dict[str, Any] = dict(read_metrics(evaluation).get((), {}))
    if bands:
        figures["octaves"] = bands
    notes = [*judgement["notes"], *_left_out(bands)]
    return Verdict.of("Evaluator", [*reasons, *judgement["reasons"]], figures, notes)


def _left_out(bands: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Name the octave bands that fewer than half of the windows were judged in, and why."""
    for name, of in bands.items():
        if "error_db" not in of:
            why = []
            if of["weak"]:
                why.append(f"more than {WITHIN_DB:g} dB below the strongest band in {of['weak']:.0f} windows")
            if of["noise"]:
                why.append(f"less than {ABOVE_FLOOR_DB:g} dB above the noise floor in {of['noise']:.0f}")
            yield f"the octave around {name}: {', '.join(why)}"
    if bands and f"{CENTRES_HZ[-1]:g} Hz" not in bands:
        highest = list(bands)[-1]
        yield f"octaves above {highest}: a model at this rate has none; ViSQOL counts what the original has there"


def write_judgement(evaluation: str, reasons: Iterable[str], notes: Iterable[str]) -> None:
    """Add what TFMA does not decide to an evaluation, a folder or URI."""
    with fileio.open(f"{evaluation}/{JUDGEMENT_FILE}", "w") as file:
        file.write(json.dumps({"reasons": list(reasons), "notes": list(notes)}, indent=1))


def _read_judgement(evaluation: str | Path) -> dict[str, list[str]]:
    if not fileio.exists(f"{evaluation}/{JUDGEMENT_FILE}"):
        return {"reasons": [], "notes": ["it was evaluated by an earlier version, and not against the original"]}
    with fileio.open(f"{evaluation}/{JUDGEMENT_FILE}", "r") as file:
        found: dict[str, list[str]] = json.loads(file.read())
    return found


def _slice(key: Any) -> Slice:
    return tuple((str(one.column), _text(one.bytes_value)) for one in key.single_slice_keys)


def _where(key: Any) -> str:
    """Name the slice that a limit was missed on, before the reason; nothing where it is all windows."""
    of = " and ".join(_named(feature, value) for feature, value in _slice(key))
    return f"{of}: " if of else ""


def _named(feature: str, value: str) -> str:
    return value if value.startswith(feature) else f"{value} {feature}"  # a folder `span-N` names the feature itself


def _reason(failure: Any) -> str:
    name, value = failure.metric_key.name, failure.metric_value.double_value.value
    threshold = failure.metric_threshold
    if failure.metric_key.is_diff:
        allowed = threshold.change_threshold.relative.value
        return f"{name} is {value:+.4g} against the last blessed model: at most {allowed:.1%} worse is allowed"
    return f"{name} is {value:.4g}; at most {threshold.value_threshold.upper_bound.value:.4g} is allowed"
