"""Small untrained instruments, exported by the real converter: what the validator is tried on, and how to spoil it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import numpy as np

from bundles import manifest as manifests
from bundles.seal import seal
from components.browser_validator.config import BrowserValidatorConfig
from components.tfjs_exporter.assemble import Provenance, write_bundle
from components.tfjs_exporter.convert import convert
from models.saved_model.trained_model import TrainedModel
from pipeline.configuration.loading import load
from tests.bundles.small_bundle import small_dataset
from tests.components.tfjs_exporter.stand_in import StandIn
from tests.data.written_examples import write_examples

Edit = Callable[[np.ndarray], np.ndarray]
_FOLDERS: dict[str, tempfile.TemporaryDirectory[str]] = {}  # removed when the interpreter ends


@dataclass(frozen=True)
class Exported:
    """A bundle and where it comes from."""

    kind: str
    bundle: Path
    saved_model: Path
    eval_folder: Path

    def spoiled(self, folder: Path, edits: Mapping[str, Edit], saved_model: bool = False) -> Exported:
        """A copy with other weights in the bundle, which its manifest lists, and in the SavedModel if so wanted."""
        bundle = shutil.copytree(self.bundle, folder / "bundle")
        manifest = manifests.load(bundle)
        tensors = {tensor["name"]: tensor for tensor in manifest["network"]["tensors"]}
        controls = (self.bundle / "controls" / "weights.bin").read_bytes()
        for name, edit in edits.items():
            at, size = tensors[name]["offset"], 2 * int(np.prod(tensors[name]["shape"]))
            old = controls[at : at + size]
            new = edit(np.frombuffer(old, "<f2").astype(np.float32)).astype("<f2").tobytes()
            for graph in ("controls", "full"):
                path = bundle / graph / "weights.bin"
                assert path.read_bytes().count(old) == 1
                path.write_bytes(path.read_bytes().replace(old, new))
        seal(bundle, manifest)
        if not saved_model:
            return replace(self, bundle=bundle)
        model = StandIn(self.kind)
        for name, edit in edits.items():
            value = edit(model.named[name].numpy().reshape(-1)).reshape(model.named[name].shape)
            model.named[name].assign(value.astype(np.float16).astype(np.float32))
        model.save(folder / "saved_model")
        return replace(self, bundle=bundle, saved_model=folder / "saved_model")


@cache
def exported(kind: str) -> Exported:
    """Exports one instrument, `cnn` or `gru`, once for all tests."""
    _FOLDERS[kind] = tempfile.TemporaryDirectory(prefix=f"swara-exported-{kind}-")
    folder = Path(_FOLDERS[kind].name)
    model, config = StandIn(kind), load("violin", ["audio.sample_rate=16000"])
    model.save(folder / "saved_model")
    described = json.loads((folder / "saved_model" / "instrument.json").read_text())
    tensors = {name: value.numpy() for name, value in model.named.items()}
    trained = TrainedModel(config.model, config.audio, described["network"], {}, described["training"], tensors, {})
    outputs = convert(folder / "saved_model", folder / "converted", ("controls", "full"))
    write_bundle(
        folder / "bundle",
        folder / "converted",
        outputs,
        trained,
        small_dataset(),
        Provenance(config.to_json(), "a1b2c3"),
        datetime(2025, 3, 1, tzinfo=timezone.utc),
    )
    write_eval(folder / "eval")
    return Exported(kind, folder / "bundle", folder / "saved_model", folder / "eval")


def write_eval(folder: Path, windows: int = 3, frames: int = 500) -> None:
    """Eval windows of 2 s as RecordingExampleGen leaves them; each is 10 dB softer than the one before."""
    time = np.arange(frames) / 250.0
    loudness = [-25.0 - 10.0 * i + 5.0 * np.sin(3.0 * time) for i in range(windows)]
    write_examples(
        folder,
        [
            {
                "f0_hz": 311.0 + 40.0 * i + 5.0 * np.sin(35.0 * time),
                "loudness_db": level,
                "rms_energy": 10.0 ** (level / 20.0),
            }
            for i, level in enumerate(loudness)
        ],
    )


def settings(**changes: float | bool) -> BrowserValidatorConfig:
    """The shipped limits on one second of features, with some of them changed."""
    shipped = load("violin").browser_validator
    return BrowserValidatorConfig.model_validate({**shipped.model_dump(), "seconds": 1.0, **changes})
