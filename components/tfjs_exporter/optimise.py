"""Makes a converted graph small: fewer nodes, fewer and shorter constants, no attribute that TensorFlow.js ignores.

Every pass is a function Graph -> Graph that leaves what the graph computes as it was.
"""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from components.tfjs_exporter.fold import fold_constants
from components.tfjs_exporter.graph import (
    Graph,
    Node,
    normal,
    producer,
    reachable,
    short_names,
    string_attr,
)

# TensorFlow.js looks for EnsureShape's shape among its inputs, where it is not, and fails.
PASS_THROUGH = {"Identity", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape"}
MANY_OUTPUTS = {"Split", "SplitV", "Switch", "Merge", "Unpack", "TopKV2", "Unique"}


def shrink(graph: Graph, named: Mapping[str, np.ndarray]) -> tuple[Graph, dict[str, int]]:
    """Make a graph as small as it can be.

    Args:
      graph: as the converter wrote it, with float32 weights that are already rounded to the bundle's precision.
      named: tensors of any shape that must be found among the weights by their names, rounded alike; may be empty.

    Returns:
      The graph, and how many constants became which operation.
    """
    graph = without_dead_nodes(without_pass_through(without_control_inputs(graph)))
    graph = without_duplicates(named_after_weights(graph, named), named)
    graph, folded = fold_constants(graph, named)
    graph = without_dead_nodes(without_duplicates(graph, named), named)
    return with_signature_names(with_short_names(with_needed_attributes(graph), named)), folded


def without_control_inputs(graph: Graph) -> Graph:
    """Drop `^node` inputs.

    TensorFlow.js takes them for data: with them it cannot finish a graph whose loop was lowered (its outputs wait for
    `LoopExecuted`, which has no value). Nothing in these graphs has side effects that would need an order.
    """
    nodes = tuple(replace(node, inputs=tuple(i for i in node.inputs if not i.startswith("^"))) for node in graph.nodes)
    return replace(graph, nodes=nodes)


def without_pass_through(graph: Graph) -> Graph:
    """Drop nodes that hand on their input."""
    handed_on = {node.name: normal(node.inputs[0]) for node in graph.nodes if node.op in PASS_THROUGH}
    mapped = graph.with_inputs_mapped(handed_on)
    return replace(mapped, nodes=tuple(node for node in mapped.nodes if node.name not in handed_on))


def without_dead_nodes(graph: Graph, keep: Iterable[str] = ()) -> Graph:
    """Drop nodes that no output needs; `keep` names weights that stay all the same, though nothing may read them."""
    live = reachable(graph, [*(producer(tensor.reference) for tensor in graph.outputs.values()), *keep])
    live |= {producer(tensor.reference) for tensor in graph.inputs.values()}
    return replace(
        graph,
        nodes=tuple(node for node in graph.nodes if node.name in live),
        weights={name: value for name, value in graph.weights.items() if name in live},
    )


def without_duplicates(graph: Graph, keep: Iterable[str] = ()) -> Graph:
    """Keep a single constant of those with the same type, shape and bytes, one in `keep` if any; those all stay."""
    kept = set(keep)
    first: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    same: dict[str, str] = {}
    for name in sorted(graph.weights, key=lambda name: name not in kept):
        value = graph.weights[name]
        chosen = first.setdefault((value.dtype.name, value.shape, value.tobytes()), name)
        if chosen != name and name not in kept:
            same[name] = chosen
    mapped = graph.with_inputs_mapped(same)
    return replace(
        mapped,
        nodes=tuple(node for node in mapped.nodes if node.name not in same),
        weights={name: value for name, value in mapped.weights.items() if name not in same},
    )


def named_after_weights(graph: Graph, named: Mapping[str, np.ndarray]) -> Graph:
    """Give constants the names of the network's tensors; a tensor that no constant holds becomes a weight of its own.

    A constant is a tensor where both hold the same bytes and, if there is a choice, have the same shape. Freezing may
    have merged two tensors of equal value or folded one away (a gain of one, say), so not every tensor is found; an
    engine that reads the weights by name finds all of them all the same.

    Args:
      graph: with float32 weights as they will be dequantised.
      named: name -> the tensor's value, rounded as the bundle rounds it.

    Raises:
      ValueError: an input or output of the graph has the name of a tensor.
    """
    clash = set(named) & (set(graph.inputs) | set(graph.outputs))
    if clash:
        raise ValueError(f"the network calls a tensor as the signature an input or output: {', '.join(sorted(clash))}")
    free = {name: value for name, value in graph.weights.items() if value.dtype == np.float32}
    new_names: dict[str, str] = {}
    for tensor, value in named.items():
        equal = [name for name, other in free.items() if other.size == value.size and _same_bytes(other, value)]
        if equal:
            chosen = min(equal, key=lambda name: free[name].shape != value.shape)
            new_names[chosen] = tensor
            del free[chosen]
    renamed = rename(graph, new_names)
    added = {name: value for name, value in named.items() if name not in new_names.values()}
    return replace(
        renamed,
        nodes=(*(Node(name, "Const") for name in added), *renamed.nodes),
        weights={**renamed.weights, **added},
    )


def _same_bytes(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one.reshape(-1), other.reshape(-1)))


def rename(graph: Graph, names: Mapping[str, str]) -> Graph:
    """Rename nodes; `names` maps old names to new ones, all others stay."""

    def new(name: str) -> str:
        return names.get(name, name)

    def reference(old: str) -> str:
        node, colon, index = old.partition(":")
        return new(node) + colon + index

    return Graph(
        tuple(replace(node, name=new(node.name), inputs=tuple(map(reference, node.inputs))) for node in graph.nodes),
        {new(name): value for name, value in graph.weights.items()},
        {name: replace(tensor, reference=reference(tensor.reference)) for name, tensor in graph.inputs.items()},
        {name: replace(tensor, reference=reference(tensor.reference)) for name, tensor in graph.outputs.items()},
    )


def with_short_names(graph: Graph, keep: Iterable[str]) -> Graph:
    """Shorten the names of loops' frames and of all nodes, but for the weights in `keep`."""
    kept = set(keep)
    fresh = short_names(kept | set(graph.inputs) | set(graph.outputs))
    names = {node.name: next(fresh) for node in graph.nodes if node.name not in kept}
    frames: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        if "frame_name" in node.attr:
            frame = frames.setdefault(node.attr["frame_name"]["s"], str(len(frames)))
            node = replace(node, attr={**node.attr, "frame_name": string_attr(frame)})
        nodes.append(node)
    return rename(replace(graph, nodes=tuple(nodes)), names)


def with_signature_names(graph: Graph) -> Graph:
    """Name the nodes of inputs and outputs as the signature does, so that either name works in `execute`.

    No other node may have one of these names.
    """
    names = {producer(tensor.reference): name for name, tensor in graph.inputs.items()}
    nodes, aliases, outputs = graph.by_name(), [], {}
    for name, tensor in graph.outputs.items():
        node = producer(tensor.reference)
        if node in names or node in graph.weights or nodes[node].op in MANY_OUTPUTS:
            # An input handed through, or one of several outputs of a node: it needs a node of its own.
            aliases.append(Node(name, "Identity", (tensor.reference,)))
            outputs[name] = replace(tensor, reference=name)
        else:
            names[node] = name
            outputs[name] = tensor
    return rename(replace(graph, nodes=(*graph.nodes, *aliases), outputs=outputs), names)


def with_needed_attributes(graph: Graph) -> Graph:
    """Keep only the attributes that TensorFlow.js reads and that differ from what it would assume."""
    return replace(graph, nodes=tuple(replace(node, attr=_needed(node)) for node in graph.nodes))


def _needed(node: Node) -> dict[str, Any]:
    known = _attributes().get(node.op)
    if known is None:
        return dict(node.attr)
    return {
        name: value
        for name, value in sorted(node.attr.items())
        if name in known and not _is_default(value, known[name])
    }


def _is_default(value: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    default = spec.get("defaultValue", 0 if spec["type"] == "number" else None)
    if default is None:
        return False
    if spec["type"] == "bool":
        return bool(value.get("b", False) == default)
    if spec["type"] == "number":
        return float(value.get("i", value.get("f", default))) == float(default)
    if spec["type"] == "string":
        return bool(base64.b64decode(value.get("s", "")).decode().lower() == str(default).lower())
    return False


@cache
def _attributes() -> dict[str, dict[str, dict[str, Any]]]:
    """List op -> attribute -> how TensorFlow.js reads it, from the converter's own lists (it is not imported)."""
    [package] = importlib.util.find_spec("tensorflowjs").submodule_search_locations  # type: ignore[union-attr, misc]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for path in sorted((Path(package) / "op_list").glob("*.json")):
        for op in json.loads(path.read_text(encoding="utf-8")):
            specs = [spec for spec in op.get("attrs", []) if not spec.get("notSupported")]
            names = [(name, spec) for spec in specs for name in (spec["tfName"], spec.get("tfDeprecatedName"))]
            found[op["tfOpName"]] = {name: spec for name, spec in names if name}
    return found
