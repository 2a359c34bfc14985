"""Assembles a bundle from the outputs of the converter and the Trainer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from bundles import impulse_response as reverb
from bundles import weights as packing
from bundles.manifest import (
    FORMAT,
    FORMAT_VERSION,
    Manifest,
    finite,
)
from bundles.seal import seal
from common.audio import AudioConfig
from common.loudness import FLOOR_DB
from components.tfjs_exporter import graph as graphs
from components.tfjs_exporter.convert import IR_FILE
from components.tfjs_exporter.optimise import named_after_weights, shrink
from models.dataset_summary import DatasetSummary
from models.saved_model.trained_model import TrainedModel

REVERB_FILE = "reverb.bin"
CONTROL_FLOW = {"Enter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond"}


@dataclass(frozen=True)
class Provenance:
    """The origin of a bundle.

    Attributes:
      configuration: the whole resolved configuration, canonical JSON; its `instrument` has name, credits and licence.
      source_revision: of the code.
    """

    configuration: str
    source_revision: str


def write_bundle(
    folder: Path,
    converted: Path,
    outputs: Mapping[str, Mapping[str, str]],
    trained: TrainedModel,
    dataset: DatasetSummary,
    provenance: Provenance,
    now: datetime,
) -> Manifest:
    """Write a whole bundle and check it against the schema.

    Args:
      folder: empty or absent.
      converted: folder that `convert` wrote.
      outputs: of `convert`.
      trained: the model.
      dataset: that it was trained on.
      provenance: configuration and code.
      now: time of the export.

    Returns:
      The manifest.

    Raises:
      InvalidBundle: the bundle does not follow the schema.
    """
    written = {
        name: _write_graph(folder / name, converted / name, outputs[name], trained, exact=name == "controls")
        for name in ("controls", "full")
    }
    weights_file = f"controls/{graphs.GRAPH_WEIGHTS_FILE}"
    configuration = json.loads(provenance.configuration)
    manifest: Manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "instrument": configuration["instrument"],
        "audio": _describe_audio(trained.audio),
        "model": trained.model.model_dump(mode="json"),
        "graphs": {name: _describe_graph(name, each.graph) for name, each in written.items()},
        "precision": trained.model.precision,
        "statistics": dataset.statistics.to_json(),
        "synthesiser": dict(trained.synthesiser),
        "reverb": _write_reverb(folder, converted / IR_FILE, trained.audio),
        "network": _locate_tensors(trained.network, weights_file, written["controls"].entries),
        "data": dataset.to_json(),
        "training": finite(trained.training),
        "optimisation": {name: each.saved for name, each in written.items()},
        "configuration": configuration,
        "configuration_hash": hashlib.sha256(provenance.configuration.encode()).hexdigest(),
        "source_revision": provenance.source_revision,
        "created": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return seal(folder, manifest)


@dataclass(frozen=True)
class Written:
    """A graph as it was written: itself, the entries of its weights, the bytes that were saved."""

    graph: graphs.Graph
    entries: list[dict[str, Any]]
    saved: dict[str, Any]


def _write_graph(
    folder: Path, converted: Path, outputs: Mapping[str, str], trained: TrainedModel, exact: bool
) -> Written:
    """Shrink a graph and write it; unless it must be exact, large tables that nobody trained are rounded."""
    before = graphs.read(converted, outputs)
    after, folded = shrink(before, trained.tensors)
    constants = {key: value for key, value in after.weights.items() if key not in trained.tensors}
    if not exact:
        constants = packing.rounded_tables(constants)
    # The network's tensors come first, in the manifest's order: an engine finds them in one piece.
    after = replace(after, weights={**{key: after.weights[key] for key in trained.tensors}, **constants})
    entries, stored = packing.pack(after.weights, trained.affine)
    topology = graphs.model_json(after, entries)
    folder.mkdir(parents=True)
    (folder / graphs.GRAPH_WEIGHTS_FILE).write_bytes(stored)
    (folder / graphs.MODEL_FILE).write_bytes(topology)
    unfolded = packing.pack(named_after_weights(before, trained.tensors).weights, trained.affine)[1]
    saved = {
        "weight_bytes": {"before": len(unfolded), "after": len(stored)},
        "model_bytes": {"before": (converted / graphs.MODEL_FILE).stat().st_size, "after": len(topology)},
        "nodes": {"before": len(before.nodes), "after": len(after.nodes)},
        "folded": folded,
    }
    return Written(after, entries, saved)


def _describe_graph(name: str, graph: graphs.Graph) -> dict[str, Any]:
    def tensors(side: Mapping[str, graphs.Tensor]) -> list[dict[str, Any]]:
        return [{"name": key, "dtype": tensor.dtype, "shape": list(tensor.shape)} for key, tensor in side.items()]

    return {
        "model": f"{name}/{graphs.MODEL_FILE}",
        "weights": f"{name}/{graphs.GRAPH_WEIGHTS_FILE}",
        "inputs": tensors(graph.inputs),
        "outputs": tensors(graph.outputs),
        "dynamic": any(node.op in CONTROL_FLOW for node in graph.nodes),
    }


def _describe_audio(audio: AudioConfig) -> dict[str, Any]:
    return {
        "sample_rate": audio.sample_rate,
        "frame_rate": audio.frame_rate,
        "hop": audio.hop,
        "loudness": {
            "fft_size": audio.loudness_fft,
            "window": "hann",
            "weighting": "A",
            "padding": "center",
            "floor_db": FLOOR_DB,
        },
        "rms": {"frame_size": audio.loudness_fft},
    }


def _write_reverb(folder: Path, response: Path, audio: AudioConfig) -> dict[str, Any] | None:
    with np.load(response) as arrays:
        described = reverb.describe(arrays, audio.sample_rate)
    if described is None:
        return None
    stored, section = described
    (folder / REVERB_FILE).write_bytes(stored)
    return {"file": REVERB_FILE, **section}


def _locate_tensors(network: Mapping[str, Any], file: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Add the location of every tensor's bytes to the network section, so that an engine needs no model.json."""
    locations, offset = {}, 0
    for entry in entries:
        quantization = entry.get("quantization", {})
        held = quantization.get("dtype", entry["dtype"])
        affine = {key: quantization[key] for key in ("scale", "min") if key in quantization}
        locations[entry["name"]] = {"file": file, "offset": offset, "dtype": held, **affine}
        offset += int(np.prod(entry["shape"])) * np.dtype(held).itemsize
    return {**network, "tensors": [{**tensor, **locations[tensor["name"]]} for tensor in network["tensors"]]}
