import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bundles import weights as packing
from components.tfjs_exporter.fold import fold_constants
from components.tfjs_exporter.graph import Graph, Node, Tensor


def graph_of(**constants: np.ndarray) -> Graph:
    nodes = tuple(Node(name, "Const") for name in constants)
    outputs = {name: Tensor(name, value.dtype.name, value.shape) for name, value in constants.items()}
    return Graph(nodes, constants, {}, outputs)


def made(graph: Graph, name: str) -> np.ndarray:
    """The value of a node, with the arithmetic of TensorFlow.js: a Range adds up its step in its own type."""
    if name in graph.weights:
        return graph.weights[name]
    node = graph.by_name()[name]
    inputs = [made(graph, one) for one in node.inputs]
    if node.op == "Fill":
        return np.full(inputs[0], inputs[1])
    if node.op == "ZerosLike":
        return np.zeros_like(inputs[0])
    if node.op == "Tile":
        return np.tile(inputs[0], inputs[1])
    if node.op == "Reshape":
        return inputs[0].reshape(inputs[1])
    if node.op == "GatherV2":
        return np.take(inputs[0], inputs[1], axis=int(inputs[2]))
    assert node.op == "Range"
    start, stop, step = (float(one) for one in inputs)
    values = np.zeros(abs(int(np.ceil((stop - start) / step))), inputs[0].dtype)
    values[0] = start
    for i in range(1, len(values)):
        values[i] = float(values[i - 1]) + step
    return values


def stored_bytes(graph: Graph) -> int:
    return len(packing.pack(graph.weights, {})[1])


RAMP = np.arange(0, 96, dtype=np.int32)
CASES = {
    "zeros": (np.zeros([1, 64, 16], np.float32), "Fill"),
    "ones": (np.full([300], 1, np.int32), "Fill"),
    "a third": (np.full([2, 200], 1 / 3, np.float32), "Fill"),
    "whole numbers": (RAMP, "Range"),
    "falling": (RAMP[::-1].copy() * np.int32(-3), "Range"),
    "falling by one": (RAMP[::-1].copy(), "Range"),
    "harmonic numbers": (np.arange(1.0, 101.0, dtype=np.float32).reshape(1, 1, 100), "Range"),
    "halves": (np.arange(-40, 40, dtype=np.float32) * np.float32(0.5), "Range"),
    "rows alike": (np.tile(np.hanning(64).astype(np.float32), (1, 16, 1)), "Tile"),
    "blocks alike": (np.tile(np.array([[1, 2], [3, 5]], np.int32), (10, 12)), "Tile"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_regular_constant_becomes_the_operation_that_makes_it_bit_for_bit(case):
    value, op = CASES[case]
    folded, counts = fold_constants(graph_of(value=value))
    assert counts == {op: 1}
    assert made(folded, "value").dtype == value.dtype
    np.testing.assert_array_equal(made(folded, "value"), value)
    assert stored_bytes(folded) < stored_bytes(graph_of(value=value)) / 2


def test_a_ramp_whose_step_does_not_add_up_exactly_stays_bytes():
    """0.1 is no float32: adding it 1,000 times drifts, so TensorFlow.js would make other numbers."""
    drifting = (np.arange(1000) * np.float32(0.1)).astype(np.float32)
    folded, counts = fold_constants(graph_of(value=drifting))
    assert counts == {}
    assert folded.weights["value"] is drifting


def test_zeros_take_their_shape_from_another_constant_where_one_has_it():
    noise = np.random.default_rng(0).normal(size=[8, 8, 4]).astype(np.float32)
    folded, counts = fold_constants(graph_of(zeros=np.zeros_like(noise), noise=noise))
    assert counts == {"ZerosLike": 1}
    np.testing.assert_array_equal(made(folded, "zeros"), np.zeros([8, 8, 4]))


def test_two_constants_of_zeros_do_not_take_their_shape_from_each_other():
    folded, _ = fold_constants(graph_of(one=np.zeros([9, 40], np.float32), other=np.zeros([9, 40], np.float32)))
    np.testing.assert_array_equal(made(folded, "one"), np.zeros([9, 40]))
    np.testing.assert_array_equal(made(folded, "other"), np.zeros([9, 40]))


def test_constants_that_a_node_would_outweigh_and_named_ones_stay():
    small, kept = np.zeros([4], np.float32), np.zeros([400], np.float32)
    folded, counts = fold_constants(graph_of(small=small, kept=kept), keep=["kept"])
    assert counts == {}
    assert set(folded.weights) == {"small", "kept"}


def test_nan_and_infinity_are_left_alone():
    odd = np.linspace(0, 1, 200, dtype=np.float32)
    odd[[3, 50]] = np.nan, np.inf
    folded, counts = fold_constants(graph_of(value=odd, all_nan=np.full([100], np.nan, np.float32)))
    assert counts == {}
    np.testing.assert_array_equal(folded.weights["value"], odd)


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.int32, hnp.array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 2)),
    st.sampled_from([np.float32, np.int32, np.bool_]),
    st.lists(st.integers(1, 7), min_size=3, max_size=3),
)
def test_whatever_is_folded_has_the_value_type_and_shape_that_it_had(part, dtype, repeats):
    value = np.tile(part.astype(dtype), repeats[: part.ndim])
    folded, _ = fold_constants(graph_of(value=value))
    result = made(folded, "value")
    assert (result.dtype, result.shape) == (value.dtype, value.shape)
    np.testing.assert_array_equal(result, value)
