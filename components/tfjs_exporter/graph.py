"""A TensorFlow.js graph model as plain data: nodes, named inputs and outputs, weights. No TensorFlow here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bundles import weights as packing

MODEL_FILE = "model.json"
GRAPH_WEIGHTS_FILE = "weights.bin"
# What the wasm backend has no kernel for, WebGL computes in quadratic time, or no two runs give the same of.
UNPORTABLE = re.compile(
    r"I?R?FFT(2D|3D)?|Complex(Abs)?|Real|Imag|Conj|Einsum|Random.*|Stateless.*|Multinomial|TruncatedNormal"
)
DTYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_BOOL": "bool"}
TYPE_NAMES = {numpy: name for name, numpy in DTYPES.items()}


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
      inputs: tensors by reference: `node`, or `node:1` for an output other than the first; `^node` only states what
        must have run before.
      attr: TensorFlow's attributes as JSON, e.g. `{"T": {"type": "DT_FLOAT"}}`.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attr: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tensor:
    """An input or output of a graph: the node it comes from, its type and shape (None where a length is free)."""

    reference: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """A graph model.

    Attributes:
      nodes: in any order.
      weights: the value of every `Const` node, by the node's name.
      inputs, outputs: by the names of the signature.
    """

    nodes: tuple[Node, ...]
    weights: Mapping[str, np.ndarray]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    def by_name(self) -> dict[str, Node]:
        """Index the nodes by their names."""
        return {node.name: node for node in self.nodes}

    def with_inputs_mapped(self, references: Mapping[str, str]) -> Graph:
        """Return the same graph in which all that read a key read its value instead (both full references)."""

        def mapped(reference: str) -> str:
            while reference in references:
                reference = references[reference]
            return reference

        return replace(
            self,
            nodes=tuple(replace(node, inputs=tuple(map(mapped, node.inputs))) for node in self.nodes),
            outputs={
                name: replace(tensor, reference=mapped(tensor.reference)) for name, tensor in self.outputs.items()
            },
        )


def producer(reference: str) -> str:
    """Return the name of the node that a reference points to."""
    return reference.lstrip("^").split(":")[0]


def normal(reference: str) -> str:
    """Shorten `node:0` to `node`: both are one tensor."""
    return reference.removesuffix(":0")


def string_attr(text: str) -> dict[str, str]:
    """Encode a string as TensorFlow's JSON holds it."""
    return {"s": base64.b64encode(text.encode()).decode()}


def read(folder: Path, outputs: Mapping[str, str]) -> Graph:
    """Read a graph that the converter wrote.

    Args:
      folder: holds model.json and the weight files it names.
      outputs: signature name of every output -> reference in the graph. The converter's own signature cannot be
        trusted with names: it matches them by shape.

    Raises:
      ValueError: the graph calls functions, which this reader does not know, or has an operation that not every backend
        of TensorFlow.js has.
    """
    model = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
    topology = model["modelTopology"]
    nodes = tuple(
        Node(raw["name"], raw["op"], tuple(map(normal, raw.get("input", ()))), raw.get("attr", {}))
        for raw in topology["node"]
    )
    calls = sorted({node.op for node in nodes if any("func" in value for value in node.attr.values())})
    if calls:
        raise ValueError(f"{folder}: the graph calls functions ({', '.join(calls)}); it must be converted inlined")
    unportable = sorted({node.op for node in nodes if UNPORTABLE.fullmatch(node.op)})
    if unportable:
        raise ValueError(f"{folder}: a graph for browsers must do without {', '.join(unportable)}")
    names = {node.name for node in nodes}
    inputs = {
        producer(info["name"]): _tensor(info)
        for info in model["signature"]["inputs"].values()
        if producer(info["name"]) in names
    }
    infos = {normal(info["name"]): info for info in model["signature"]["outputs"].values()}
    return Graph(
        nodes,
        packing.read(folder, model["weightsManifest"]),
        dict(sorted(inputs.items())),
        {name: _tensor(infos[normal(reference)]) for name, reference in sorted(outputs.items())},
    )


def _tensor(info: Mapping[str, Any]) -> Tensor:
    shape = (int(dim.get("size", 0)) for dim in info.get("tensorShape", {}).get("dim", ()))
    return Tensor(normal(info["name"]), DTYPES[info["dtype"]], tuple(n if n >= 0 else None for n in shape))


def model_json(graph: Graph, specs: list[dict[str, Any]]) -> bytes:
    """Serialize `model.json`, compact, for `tf.loadGraphModel`; `predict` gives a map by the signature's names.

    Args:
      graph: that it describes.
      specs: entries of the weights manifest, one for each weight.
    """
    signature = {
        side: {name: _tensor_json(tensor) for name, tensor in tensors.items()}
        for side, tensors in (("inputs", graph.inputs), ("outputs", graph.outputs))
    }
    model = {
        "format": "graph-model",
        "signature": signature,
        "userDefinedMetadata": {"structuredOutputKeys": list(graph.outputs)},
        # TensorFlow.js reads `versions` and would fail without it, whatever it holds.
        "modelTopology": {"node": [_node_json(node) for node in graph.nodes], "versions": {}},
        "weightsManifest": [{"paths": [GRAPH_WEIGHTS_FILE], "weights": specs}],
    }
    return json.dumps(model, separators=(",", ":")).encode()


def _node_json(node: Node) -> dict[str, Any]:
    raw: dict[str, Any] = {"name": node.name, "op": node.op}
    if node.inputs:
        raw["input"] = list(node.inputs)
    if node.attr:
        raw["attr"] = dict(node.attr)
    return raw


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    dims = [{"size": str(-1 if n is None else n)} for n in tensor.shape]
    return {"name": tensor.reference, "dtype": TYPE_NAMES[tensor.dtype], "tensorShape": {"dim": dims}}


def reachable(graph: Graph, roots: Iterable[str]) -> set[str]:
    """Find the names of all nodes that the given nodes depend on, themselves included."""
    nodes, found, waiting = graph.by_name(), set[str](), list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(map(producer, nodes[name].inputs))
    return found


def short_names(taken: set[str]) -> Iterator[str]:
    """Yield a, b, ... z, aa, ab, ...: every name that is not taken."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    count = 0
    while True:
        count += 1
        name, rest = "", count
        while rest:
            rest, letter = divmod(rest - 1, len(letters))
            name = letters[letter] + name
        if name not in taken:
            yield name
