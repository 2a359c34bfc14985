"""A bundle that Python can play, with the weights of any instrument; its TensorFlow.js graphs are left empty."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from bundles import impulse_response as reverb
from bundles import weights as packing
from bundles.manifest import FORMAT, FORMAT_VERSION, Manifest
from bundles.seal import seal
from data.features.statistics import dataset_statistics
from models.instrument import Instrument
from models.saved_model.precision import fit_affine, precision_of, round_weights
from models.saved_model.specification import describe_network, describe_synthesiser
from pipeline.configuration.config import Config
from player.description import Network as Description
from player.network import Arrays, Network

INPUTS = {
    "f0": {"mean": 66.0, "deviation": 7.0},
    "loudness": {"mean": -32.0, "deviation": 9.0},
    "rms": {"mean": -28.0, "deviation": 8.0},
}


def write_playable_bundle(folder: Path, instrument: Instrument, config: Config) -> Manifest:
    """Writes what the exporter would write for this instrument, weights rounded to `instrument.model.precision`."""
    for graph in ("controls", "full"):
        (folder / graph).mkdir(parents=True)
        (folder / graph / "model.json").write_text("{}")
        (folder / graph / "weights.bin").write_bytes(b"")
    weights = instrument.weights()
    network = describe_network(instrument, INPUTS)
    names = [tensor["name"] for tensor in network["tensors"]]
    shipped = round_weights(instrument)
    affine = {
        name: tuple(fit_affine(weights[name]))
        for name in names
        if precision_of(name, instrument.model.precision) == "uint8"
    }
    entries, stored = packing.pack({name: shipped.weights()[name] for name in names}, affine)
    (folder / "controls" / "weights.bin").write_bytes(stored)
    configuration = config.to_json()
    return seal(
        folder,
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "instrument": json.loads(configuration)["instrument"],
            "audio": _audio(config),
            "model": instrument.model.model_dump(mode="json"),
            "graphs": {graph: _graph(graph) for graph in ("controls", "full")},
            "precision": instrument.model.precision,
            "statistics": _statistics(),
            "synthesiser": describe_synthesiser(instrument),
            "reverb": _reverb(folder, shipped),
            "network": {**network, "tensors": _with_offsets(network["tensors"], entries)},
            "data": {"fingerprint": "0" * 64, "recordings": 1, "seconds": 60.0, "train_windows": 40, "eval_windows": 4},
            "training": {"steps": 0},
            "optimisation": {},
            "configuration": json.loads(configuration),
            "configuration_hash": hashlib.sha256(configuration.encode()).hexdigest(),
            "source_revision": "0",
            "created": "2025-01-01T00:00:00Z",
        },
    )


def controls_of(
    network: Mapping[str, Any], tensors: Arrays, features: Arrays, audio: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Controls of a whole clip by the player's network, in float64, from a manifest's `network` and `audio`."""
    description = TypeAdapter(Description).validate_python(network)
    exact = {name: np.asarray(values, np.float64) for name, values in tensors.items()}
    return Network(description, exact, audio["sample_rate"], audio["frame_rate"]).step(features)


def _audio(config: Config) -> dict[str, Any]:
    audio = config.audio
    loudness = {"window": "hann", "weighting": "A", "padding": "center", "floor_db": -80.0}
    return {
        "sample_rate": audio.sample_rate,
        "frame_rate": audio.frame_rate,
        "hop": audio.hop,
        "loudness": {"fft_size": audio.loudness_fft, **loudness},
        "rms": {"frame_size": audio.loudness_fft},
    }


def _graph(name: str) -> dict[str, Any]:
    tensor = {"name": "f0_hz", "dtype": "float32", "shape": [1, None, 1]}
    files = {"model": f"{name}/model.json", "weights": f"{name}/weights.bin"}
    return {**files, "inputs": [tensor], "outputs": [tensor], "dynamic": False}


def _statistics() -> dict[str, Any]:
    """An instrument between C4 and C6, from -50 to -15 dB."""
    random = np.random.default_rng(0)
    midi, loudness_db = random.uniform(60, 84, (4, 1000)), random.uniform(-50, -15, (4, 1000))
    f0_hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    return dataset_statistics(f0_hz, loudness_db, np.ones((4, 1000)), loudness_db + 4.0).to_json()


def _reverb(folder: Path, shipped: Instrument) -> dict[str, Any] | None:
    if shipped.graph.reverb is None:
        return None
    response = {name: value.numpy() for name, value in shipped.graph.reverb.shipped().items()}
    described = reverb.describe(response, shipped.audio.sample_rate)
    if described is None:
        return None
    stored, section = described
    (folder / "reverb.bin").write_bytes(stored)
    return {"file": "reverb.bin", **section}


def _with_offsets(tensors: list[dict[str, Any]], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    located, offset = [], 0
    for tensor, entry in zip(tensors, entries, strict=True):
        quantization = entry.get("quantization", {})
        held = quantization.get("dtype", entry["dtype"])
        affine = {key: quantization[key] for key in ("scale", "min") if key in quantization}
        location = {"file": "controls/weights.bin", "offset": offset, "dtype": held, **affine}
        located.append({**{key: tensor[key] for key in ("name", "shape", "role")}, **location})
        offset += int(np.prod(entry["shape"])) * np.dtype(held).itemsize
    return located
