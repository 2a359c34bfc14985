"""A whole, valid bundle in milliseconds: a graph of four nodes as the converter would write it, no TensorFlow."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from bundles.manifest import Manifest
from components.tfjs_exporter.assemble import Provenance, write_bundle
from components.tfjs_exporter.convert import IR_FILE
from data.features.statistics import dataset_statistics
from models.dataset_summary import DatasetSummary
from models.saved_model.trained_model import TrainedModel
from pipeline.configuration.loading import load

THEN = datetime(2025, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
FREE = {"dim": [{"size": "1"}, {"size": "-1"}, {"size": "1"}]}


def write_small_bundle(
    folder: Path,
    *,
    name: str = "violin",
    gain: float = 0.5,
    seconds: float = 3.0,
    now: datetime = THEN,
    instrument: dict[str, Any] | None = None,
) -> Manifest:
    """Writes a bundle whose audio is f0 times `gain`; `seconds` is the stated length of its training."""
    config = load(name)
    kernel = np.full([1, 1, 1], gain, np.float32)
    facts = json.loads(config.to_json())
    facts["instrument"].update(instrument or {})
    trained = TrainedModel(
        config.model,
        config.audio,
        {"architecture": "cnn", "tensors": [{"name": "decoder/kernel", "shape": [1, 1, 1], "role": "kernel"}]},
        {"processors": []},
        {"steps": 10, "seconds": seconds},
        {"decoder/kernel": kernel},
        {},
    )
    with tempfile.TemporaryDirectory() as scratch:
        converted = Path(scratch)
        outputs = {graph: write_converted(converted / graph, kernel) for graph in ("controls", "full")}
        np.savez(converted / IR_FILE, ir=np.array([0.0, 0.5, -0.25, 0.125], np.float32))
        return write_bundle(
            folder,
            converted,
            outputs,
            trained,
            small_dataset(),
            Provenance(json.dumps(facts, sort_keys=True), "a1b2c3"),
            now,
        )


def small_dataset() -> DatasetSummary:
    rng = np.random.default_rng(0)
    f0_hz, loudness_db = 220.0 + 220.0 * rng.random((4, 100)), -50.0 + 30.0 * rng.random((4, 100))
    statistics = dataset_statistics(f0_hz, loudness_db, np.ones((4, 100)))
    return DatasetSummary(statistics, "ab" * 32, recordings=2, seconds=90.0, train_windows=20, eval_windows=4)


def write_converted(folder: Path, kernel: np.ndarray) -> dict[str, str]:
    """Writes a graph as the converter does; returns where its outputs are."""

    def info(name: str) -> dict[str, Any]:
        return {"name": name, "dtype": "DT_FLOAT", "tensorShape": FREE}

    nodes = [
        {"name": "f0_hz", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": FREE}}},
        {"name": "call/kernel", "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "call/mul", "op": "Mul", "input": ["f0_hz", "call/kernel"], "attr": {"T": {"type": "DT_FLOAT"}}},
        {"name": "Identity", "op": "Identity", "input": ["call/mul", "^call/kernel"]},
    ]
    model = {
        "format": "graph-model",
        # The converter names outputs by matching shapes, so a name here proves nothing.
        "signature": {"inputs": {"f0_hz:0": info("f0_hz:0")}, "outputs": {"Identity:0": info("Identity:0")}},
        "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 1766}},
        "weightsManifest": [
            {
                "paths": ["group1-shard1of1.bin"],
                "weights": [{"name": "call/kernel", "shape": list(kernel.shape), "dtype": "float32"}],
            }
        ],
    }
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "group1-shard1of1.bin").write_bytes(kernel.astype("<f4").tobytes())
    return {"audio": "Identity:0"}
