"""Gather the artifacts of a run into its report, as far as the run came."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bundles.manifest import MANIFEST_FILE
from common.artifacts import serving_folder
from common.errors import UserError
from components.evaluator.results import read_metrics
from components.size_tuner.pareto import REFERENCE
from data.files.decode import Spool, decode
from models.saved_model.trained_model import HISTORY_FILE, INSTRUMENT_FILE
from pipeline.configuration.config import Config
from pipeline.local.outcome import Outcome
from pipeline.report import sections
from pipeline.report.distributions import distributions
from pipeline.report.page import page, write
from pipeline.report.resynthesis import resynthesise
from pipeline.report.sound import clips
from pipeline.report.sweep import sweep
from pipeline.store.folders import RunFolders
from player.render import render

VOICE_SECONDS = 30.0  # of a voice clip are played


def write_report(config: Config, folders: RunFolders, outcome: Outcome) -> Path:
    """Write `report.html`: one file that needs no other, for a run that was pushed and for one that was refused.

    Args:
      config: of the run.
      folders: of the instrument.
      outcome: of the run; sections whose artifacts are missing are left out.

    Returns:
      The file that was written.
    """
    return write(folders.report, page(gather(config, outcome)))


def gather(config: Config, outcome: Outcome) -> dict[str, Any]:
    """Gather the values of the page's template."""
    examples, evaluation = (
        _folder(outcome, "RecordingExampleGen", "examples"),
        _folder(outcome, "Evaluator", "evaluation"),
    )
    model, bundle = _serving(outcome, "Trainer", "model"), _serving(outcome, "TfjsExporter", "bundle")
    manifest = _read(bundle / MANIFEST_FILE) if bundle else None
    evaluated = next((verdict.figures for verdict in outcome.verdicts if verdict.gate == "Evaluator"), {})
    searched = _folder(outcome, "SizeTuner", "tuner_results")
    voice, notice = _voice(config, bundle)
    return {
        "head": _head(config, outcome),
        "tiles": list(sections.tiles(evaluated, manifest, outcome.ingest)),
        "examples": _listening(config, examples, model, searched),
        "voice": voice,
        "notice": notice,
        "gates": [
            sections.gate(verdict, read_metrics(evaluation) if verdict.gate == "Evaluator" and evaluation else None)
            for verdict in outcome.verdicts
        ],
        "training": _training(model, evaluated.get("baseline_spectral_loss")) if model else None,
        "recordings": _recordings(config, outcome, examples),
        "sweep": sweep(outcome.sweep) if outcome.sweep else None,
        "sizes": sections.sizes(manifest) if manifest else None,
        "configuration": {"hash": config.hash(), "text": config.model_dump_json(indent=2)},
    }


def _folder(outcome: Outcome, node: str, output: str) -> Path | None:
    """Return the folder of an artifact, None where the run did not make it."""
    artifact = outcome.record.find(node, output)
    return artifact.uri if artifact and artifact.uri.is_dir() else None


def _serving(outcome: Outcome, node: str, output: str) -> Path | None:
    """Return the serving folder of a model or bundle, None where the run did not make it."""
    folder = _folder(outcome, node, output)
    return serving_folder(folder) if folder and serving_folder(folder).is_dir() else None


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _head(config: Config, outcome: Outcome) -> sections.Head:
    refusals = [verdict for verdict in outcome.verdicts if not verdict.blessed]
    if outcome.pushed:
        status = f"Pushed as {outcome.pushed_version}"
    else:
        status = (
            f"Not pushed: refused by {', '.join(verdict.gate for verdict in refusals)}" if refusals else "Not pushed"
        )
    return sections.Head(
        title=config.instrument.title,
        description=config.instrument.description,
        pushed=outcome.pushed,
        status=status,
        when=f"{datetime.now(timezone.utc):%-d %B %Y, %H:%M} UTC",
        because=[reason for verdict in refusals for reason in verdict.reasons],
        credits=config.instrument.credits,
    )


def _listening(
    config: Config, examples: Path | None, model: Path | None, searched: Path | None
) -> list[sections.Example]:
    """Make examples of eval windows beside their resyntheses by the model and by a sweep's full-size reference."""
    if examples is None or model is None:
        return []
    full = searched / REFERENCE if searched and (searched / REFERENCE).is_dir() else None
    models = [model, *([full] if full else [])]
    resyntheses = [resynthesise(examples, each, config.report.examples, config.audio) for each in models]
    return list(sections.listening(resyntheses[0], config.audio.sample_rate, *resyntheses[1:]))


def _training(model: Path, baseline: float | None) -> sections.Chapter:
    facts: Mapping[str, Any] = _read(model / INSTRUMENT_FILE)["training"]
    return sections.training(_read(model / HISTORY_FILE), facts, baseline)


def _recordings(config: Config, outcome: Outcome, examples: Path | None) -> sections.Chapter | None:
    if outcome.ingest is None:
        return None
    counted = distributions(examples, config.audio) if examples else None
    return sections.recordings(outcome.ingest, counted, config.audio.sample_rate)


def _voice(config: Config, bundle: Path | None) -> tuple[sections.Example | None, str]:
    """Turn the configured voice clip into the instrument, or give the reason why that cannot be."""
    if config.report.voice is None:
        return None, "With --set report.voice=clip.wav a voice of your choice is turned into the instrument here."
    if bundle is None:
        return None, "The run made no bundle, so the voice clip could not be turned into the instrument."
    clip, rate = Path(config.report.voice), config.audio.sample_rate
    try:
        with tempfile.TemporaryDirectory() as scratch:
            played = Path(scratch) / "played.wav"
            figures = render(bundle, clip, played, lambda *_: None)
            voice, instrument = clips([_first_seconds(clip, rate), _first_seconds(played, rate)], rate)
    except UserError as error:
        return None, f"The voice clip could not be turned into the instrument: {error}"
    sounds = [
        sections.Sound("Voice", f"{voice.seconds:.1f} s", voice),
        sections.Sound(config.instrument.title, "; ".join(figures["notes"]), instrument),
    ]
    return sections.Example(f"A voice, turned into the instrument: {clip.name}", "", sounds), ""


def _first_seconds(path: Path, sample_rate: int) -> npt.NDArray[np.float32]:
    with Spool() as spool:
        decode(path, sample_rate, spool)
        return spool.read(0, min(spool.samples, round(VOICE_SECONDS * sample_rate)))
