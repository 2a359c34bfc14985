"""Real instruments with shuffled weights, saved as the Trainer saves them and exported by the component's executor."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tfx.types import artifact_utils, standard_artifacts

from bundles.manifest import load
from common.artifacts import serving_folder
from components.tfjs_exporter.executor import Executor
from models.baseline import fit_baseline
from models.instrument import Instrument
from models.saved_model import signatures
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load as load_config
from tests.data.written_examples import write_examples
from tests.models.saved_model.transform_graphs import build_transform_graph

_CNN = ["model=cnn", "audio.sample_rate=16000", "model.processors.harmonic.harmonics=60"]
_GRU = [
    *("audio.sample_rate=16000", "model.processors.harmonic.harmonics=60"),
    *("model=gru", "model.precision=uint8", "model.inputs=[rms, loudness]"),
    *("model.decoder.units=24", "model.decoder.stack_units=16", "model.processors.harmonic.envelope=linear"),
    *("model.processors.reverb.type=reverb_exponential", "model.processors.reverb.seconds=0.5"),
]
_HELD = [
    *("model.decoder.hold=2", "model.processors.reverb.type=reverb_early_late"),
    *("model.processors.noise.spacing=erb", "model.processors.noise.bands=25"),
]
OVERRIDES = {"cnn": _CNN, "gru": _GRU, "held": [*_GRU, *_HELD]}


@dataclass(frozen=True)
class Exported:
    """An instrument before and after its export.

    Attributes:
      config: of the run.
      saved_model: what the Trainer left.
      bundle: the exported folder; its manifest beside it.
      artifact: the exporter's output.
      newly_imported: modules that this process did not have before the export.
    """

    config: Config
    saved_model: Path
    bundle: Path
    manifest: Mapping[str, Any]
    artifact: standard_artifacts.Model
    newly_imported: frozenset[str]


def export(kind: str, windows: list[dict[str, np.ndarray]], graph: Path, folder: Path) -> Exported:
    """Saves and exports an instrument.

    Args:
      kind: a key of `OVERRIDES`.
      windows: examples; the last one is for evaluation.
      graph: of a Transform over them.
      folder: where to.
    """
    config = load_config("violin", OVERRIDES[kind])
    model = _artifact(standard_artifacts.Model, folder / "model")
    saved_model = serving_folder(model.uri)
    instrument = Instrument(config.model, config.audio, seed=1)
    _shuffle(instrument)
    baseline = fit_baseline([window for window in windows[:-1] if "audio" in window], instrument.graph)
    training = {"steps": 7, "seconds": 1.5, "eval_loss": float("nan")}
    signatures.save(
        instrument,
        transform_graph=str(graph),
        baseline=baseline,
        loss=config.loss,
        folder=str(saved_model),
        training=training,
    )
    examples = _artifact(standard_artifacts.Examples, folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    for split, rows in (("train", windows[:-1]), ("eval", windows[-1:])):
        write_examples(folder / "examples" / f"Split-{split}", rows)
    bundle = _artifact(standard_artifacts.Model, folder / "bundle")
    properties = {"config": config.to_json(), "source_revision": "0123abc", "source_fingerprint": "f"}
    before = set(sys.modules)
    Executor().Do({"model": [model], "examples": [examples]}, {"bundle": [bundle]}, properties)
    where = serving_folder(bundle.uri)
    return Exported(config, saved_model, where, load(where), bundle, frozenset(set(sys.modules) - before))


def make_windows(config: Config, count: int = 5) -> list[dict[str, np.ndarray]]:
    """Tones with the features that RecordingExampleGen writes."""
    audio, windows = config.audio, []
    time = np.arange(audio.window_frames) / audio.frame_rate
    samples = np.arange(audio.window_samples) / audio.sample_rate
    for i in range(count):
        f0 = 220.0 * 2 ** (i / 4) * (1 + 0.02 * np.sin(30 * time))
        level_db = -25 - 5 * i + 6 * np.sin(2 * time)
        phase = 2 * np.pi * np.cumsum(np.interp(samples, time, f0)) / audio.sample_rate
        loud = 10 ** (np.interp(samples, time, level_db) / 20)
        windows.append(
            {
                "audio": (loud * (np.sin(phase) + 0.5 * np.sin(2 * phase))).astype("f4"),
                "f0_hz": f0.astype("f4"),
                "f0_confidence": np.full(audio.window_frames, 0.95, "f4"),
                "loudness_db": level_db.astype("f4"),
                "rms_energy": (10 ** (level_db / 20)).astype("f4"),
                "recording": np.array([b"tones.wav"]),
                "recording_id": np.array([b"%02d" % (i // 2)]),
                "start_seconds": np.array([4.0 * (i % 2)], "f4"),
            }
        )
    return windows


def make_graph(windows: list[dict[str, np.ndarray]], folder: Path) -> Path:
    """The Transform graph over windows, for either kind of input."""
    return build_transform_graph(folder, windows, ["loudness", "rms"])


def _artifact(kind: type, folder: Path):
    made = kind()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _shuffle(instrument: Instrument) -> None:
    """Moves every weight off the value it starts with, the room but a little."""
    draw = np.random.default_rng(5)
    weights = instrument.weights()
    moved = {
        name: value + (0.0 if name.startswith("reverb/") else 0.1) * draw.normal(size=value.shape)
        for name, value in weights.items()
    }
    if "reverb/ir" in moved:
        taps = np.arange(moved["reverb/ir"].size)
        moved["reverb/ir"] = draw.normal(size=taps.size) * np.exp(-taps / 1200.0) * 0.05
    if "reverb/level" in moved:
        moved["reverb/level"] = draw.normal(size=moved["reverb/level"].size) * 0.01
        moved["reverb/early"] = draw.normal(size=moved["reverb/early"].size) * 0.05
    instrument.set_weights({name: value.astype(np.float32) for name, value in moved.items()})
