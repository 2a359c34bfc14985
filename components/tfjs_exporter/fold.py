"""Replaces constants by the operation that makes them: Fill, ZerosLike, Range, Tile or Gather.

A frozen graph carries every table of zeros, ones, ramps, repetitions, sines and cosines as bytes that a page must
download. A table of sines holds few values, again and again: it becomes a palette and one byte an entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from bundles import weights as packing
from components.tfjs_exporter.graph import TYPE_NAMES, Graph, Node

NODE_BYTES = 48  # what a node adds to model.json, roughly, after gzip; a fold that saves less is no gain
PALETTE = 256  # entries that one byte can choose from
PALETTE_STEP = (
    2.0**-22
)  # values nearer to each other than this share of the greatest one are the same: float32's own error


@dataclass(frozen=True)
class Recipe:
    """How to make a constant: the operation, its attributes and the constants it reads, in order."""

    op: str
    constants: tuple[np.ndarray, ...]
    type_attr: str | None = None
    shape: tuple[int, ...] | None = None  # reshape the result to it
    like: str | None = None  # the node whose shape ZerosLike takes


def fold_constants(graph: Graph, keep: Iterable[str] = ()) -> tuple[Graph, dict[str, int]]:
    """Replace every constant that a recipe makes shorter.

    Args:
      graph: with constants in the precision they will have.
      keep: names of weights that stay bytes.

    Returns:
      The graph, and how many constants became what (`{"Fill": 3, ...}`).
    """
    kept = set(keep)
    made: Counter[str] = Counter()
    nodes: list[Node] = []
    weights = dict(graph.weights)
    for node in graph.nodes:
        recipe = None if node.op != "Const" or node.name in kept else _shortest(node.name, graph)
        if recipe is None:
            nodes.append(node)
            continue
        made[recipe.op] += 1
        added, constants = _build(node.name, recipe, graph.weights[node.name].dtype)
        del weights[node.name]
        nodes.extend(added)
        weights.update(constants)
    return replace(graph, nodes=tuple(nodes), weights=weights), dict(sorted(made.items()))


def _shortest(name: str, graph: Graph) -> Recipe | None:
    value = graph.weights[name]
    cost = _stored_bytes(value)
    if cost <= NODE_BYTES or value.dtype.name not in TYPE_NAMES:
        return None
    recipes = [recipe for recipe in _recipes(name, graph) if recipe]
    shorter = [(_cost(recipe), recipe) for recipe in recipes if _cost(recipe) < cost]
    return min(shorter, key=lambda pair: pair[0])[1] if shorter else None


def _recipes(name: str, graph: Graph) -> tuple[Recipe | None, ...]:
    value = graph.weights[name]
    return _zeros_like(name, graph), _fill(value), _range(value), _tile(value), _gather(value)


def _stored_bytes(value: np.ndarray) -> int:
    return len(packing.encode("", value)[1])


def _cost(recipe: Recipe) -> int:
    extra = 2 if recipe.shape is not None else 1
    return extra * NODE_BYTES + sum(map(_stored_bytes, recipe.constants))


def _fill(value: np.ndarray) -> Recipe | None:
    first = value.reshape(-1)[:1]
    if value.dtype == np.bool_ or not np.array_equal(value, np.broadcast_to(first.reshape(()), value.shape)):
        return None
    return Recipe("Fill", (_shape_tensor(value.shape), first.reshape(())), "T")


def _zeros_like(name: str, graph: Graph) -> Recipe | None:
    """Make zeros with the shape of another constant that is not zero, where there is one."""
    value = graph.weights[name]
    if value.dtype == np.bool_ or np.any(value):
        return None
    for other, weight in graph.weights.items():
        if weight.shape == value.shape and weight.dtype == value.dtype and np.any(weight):
            return Recipe("ZerosLike", (), "T", like=other)
    return None


def _range(value: np.ndarray) -> Recipe | None:
    """Make an even ramp, if adding up its step gives every bit of it (TensorFlow.js adds in float32)."""
    flat = value.reshape(-1)
    if flat.size < 3 or value.dtype == np.bool_:
        return None
    start, step = float(flat[0]), float(flat[1]) - float(flat[0])
    stop = start + step * (flat.size - 0.5)
    if step == 0.0 or not np.isfinite(stop) or value.dtype.type(step) != step:
        return None
    if not np.allclose(flat, np.linspace(start, start + step * (flat.size - 1), flat.size)):
        return None  # the exact comparison below is slow
    ends = [np.asarray(number, value.dtype) for number in (start, stop, step)]
    if value.dtype == np.int32:
        ends[1] = np.asarray(int(flat[-1]) + int(np.sign(step)), value.dtype)
    added_up = _added_up(ends, flat.size)
    if added_up is None or not np.array_equal(added_up, flat):
        return None
    return Recipe("Range", tuple(ends), "Tidx", value.shape if value.ndim != 1 else None)


def _added_up(ends: list[np.ndarray], size: int) -> np.ndarray | None:
    start, stop, step = (float(end) for end in ends)
    if abs(np.ceil((stop - start) / step)) != size:
        return None
    values = np.empty(size, ends[0].dtype)
    values[0] = start
    for i in range(1, size):
        values[i] = float(values[i - 1]) + step
    return values


def _tile(value: np.ndarray) -> Recipe | None:
    """Repeat the smallest part of which the constant is a whole number of repetitions along every axis."""
    part = value
    for axis in range(value.ndim):
        part = np.take(part, range(_period(part, axis)), axis=axis)
    if part.size == value.size:
        return None
    repeats = np.asarray([n // m for n, m in zip(value.shape, part.shape, strict=True)], np.int32)
    return Recipe("Tile", (np.ascontiguousarray(part), repeats))


def _gather(value: np.ndarray) -> Recipe | None:
    """Look entries up in a palette, if a byte can index it. Off by at most one `PALETTE_STEP`."""
    greatest = float(np.abs(value).max()) if value.size else 0.0
    if value.dtype != np.float32 or not np.isfinite(greatest) or not greatest:
        return None
    steps, indices = np.unique(np.round(value / (greatest * PALETTE_STEP)), return_inverse=True)
    if steps.size > PALETTE:
        return None
    firsts = np.zeros(steps.size, np.float32)
    firsts[indices.reshape(-1)[::-1]] = value.reshape(-1)[::-1]  # the first of those within a step stands for all
    return Recipe("GatherV2", (firsts, indices.reshape(value.shape).astype(np.int32), np.zeros([], np.int32)))


def _period(value: np.ndarray, axis: int) -> int:
    length = value.shape[axis]
    lines = np.moveaxis(value, axis, 0).reshape(length, -1)
    for period in range(1, length // 2 + 1):
        if length % period == 0 and np.array_equal(lines[period:], lines[:-period]):
            return period
    return length


def _shape_tensor(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(shape, np.int32)


def _build(name: str, recipe: Recipe, dtype: np.dtype) -> tuple[list[Node], dict[str, np.ndarray]]:
    """Build the nodes, the last of which has the constant's name, and the constants that they read."""
    constants = {f"{name}/{recipe.op}/{i}": value for i, value in enumerate(recipe.constants)}
    nodes = [Node(constant, "Const") for constant in constants]
    attr = {recipe.type_attr: {"type": TYPE_NAMES[dtype.name]}} if recipe.type_attr else {}
    reads = (recipe.like,) if recipe.like else tuple(constants)
    if recipe.shape is None:
        return [*nodes, Node(name, recipe.op, reads, attr)], constants
    ramp, shape = f"{name}/{recipe.op}", f"{name}/shape"
    nodes += [
        Node(ramp, recipe.op, reads, attr),
        Node(shape, "Const"),
        Node(name, "Reshape", (ramp, shape)),
    ]
    return nodes, {**constants, shape: _shape_tensor(recipe.shape)}
