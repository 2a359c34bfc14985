"""Checks one bundle against the SavedModel that it was exported from. Imports nothing of TFX."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bundles import weights as packing
from bundles.manifest import InvalidBundle, Manifest, check_files, download, load
from common.verdict import Verdict
from components.browser_validator import judge
from components.browser_validator.cases import make_cases, write_cases
from components.browser_validator.chromium import Chromium, find_chromium
from components.browser_validator.config import BrowserValidatorConfig
from components.browser_validator.reference import feature_names, load_saved_model, read_variables, run_saved_model
from components.browser_validator.tfjs import require_validator, run_tfjs

GATE = "BrowserValidator"


def validate(bundle: Path, saved_model: Path, eval_folder: Path, config: BrowserValidatorConfig) -> Verdict:
    """Run the exported files as a page would and compare them with the SavedModel.

    Args:
      bundle: folder with `manifest.json`.
      saved_model: holds the weights in the bundle's precision.
      eval_folder: the eval split of the examples.
      config: limits.

    Raises:
      UserError: Node or the validator must be installed first.
      BrowserDied: Chromium does not start or crashed twice.
    """
    require_validator()
    try:
        manifest = load(bundle)
        check_files(bundle, manifest)
        tensors = read_tensors(bundle, manifest)
    except InvalidBundle as error:
        return Verdict.of(GATE, [str(error)], {})
    chromium = find_chromium()
    audio = manifest["audio"]
    model = load_saved_model(saved_model)
    cases = make_cases(
        eval_folder,
        feature_names(model),
        frame_rate=audio["frame_rate"],
        hop=audio["hop"],
        seconds=config.seconds,
    )
    reference = run_saved_model(model, cases)
    outputs = {graph: list(next(iter(outputs_by_case.values()))) for graph, outputs_by_case in reference.items()}
    with tempfile.TemporaryDirectory(prefix="swara-cases-") as folder:
        write_cases(Path(folder), cases, outputs)
        run = run_tfjs(bundle, Path(folder), chromium.program, config.timeout_seconds)
    kilobytes = download(manifest, ["controls"])["gzip_bytes"] / 1000.0
    seconds = cases[0].noise.size / audio["sample_rate"]
    measured = judge.figures(run, reference)
    reasons = [
        *_judge_environment(chromium, config),
        *_judge_size(kilobytes, config),
        *_judge_gpu_memory(measured["gpu_bytes"], config),
        *judge.judge_weights(tensors, read_variables(saved_model)),
        *judge.judge_reference(reference),
        *judge.judge_run(run, reference, config),
    ]
    figures = {"bundle_kilobytes": round(kilobytes, 2), "checked_seconds": seconds, **measured}
    return Verdict.of(GATE, reasons, figures)


def read_tensors(bundle: Path, manifest: Manifest) -> dict[str, np.ndarray]:
    """Read the network's tensors in `controls/`, as TensorFlow.js dequantises them.

    Returns:
      Tensors by the names in the manifest, of the shapes there.

    Raises:
      InvalidBundle: `controls/model.json` is not readable, or a tensor that the manifest names is not in it.
    """
    path = bundle / manifest["graphs"]["controls"]["model"]
    try:
        model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        weights = packing.read(path.parent, model["weightsManifest"])
        return {tensor["name"]: weights[tensor["name"]] for tensor in manifest["network"]["tensors"]}
    except (ValueError, KeyError, OSError) as error:
        raise InvalidBundle(f"{path}: weights cannot be read: {error}") from None


def _judge_environment(chromium: Chromium, config: BrowserValidatorConfig) -> list[str]:
    if chromium.program or not config.require_webgl:
        return []
    return [
        f"WebGL went unchecked, because {chromium.missing}: install Chromium, set SWARA_CHROMIUM to one, or push "
        "without that check with --set browser_validator.require_webgl=false"
    ]


def _judge_gpu_memory(gpu_bytes: int | None, config: BrowserValidatorConfig) -> list[str]:
    """Judge the most GPU memory of any graph; None where there is no GPU."""
    megabytes = (gpu_bytes or 0) / 1e6
    if megabytes <= config.max_gpu_megabytes:
        return []
    return [
        f"too much GPU memory: {megabytes:.0f} MB for {config.seconds:g} s of audio, at most "
        f"{config.max_gpu_megabytes:g} are allowed: train a model with fewer harmonics or at a lower "
        "audio.sample_rate, or raise browser_validator.max_gpu_megabytes"
    ]


def _judge_size(kilobytes: float, config: BrowserValidatorConfig) -> list[str]:
    if kilobytes <= config.max_bundle_kilobytes:
        return []
    return [
        f"too big: a player downloads {kilobytes:.1f} kB (gzip), at most {config.max_bundle_kilobytes:g} are allowed: "
        "train a smaller model, or raise browser_validator.max_bundle_kilobytes"
    ]
