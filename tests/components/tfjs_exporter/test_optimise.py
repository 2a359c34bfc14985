import numpy as np
import pytest

from components.tfjs_exporter import optimise
from components.tfjs_exporter.graph import Graph, Node, Tensor, string_attr

FLOAT = {"T": {"type": "DT_FLOAT"}}
INT = {"type": "DT_INT32"}
KERNEL = np.random.default_rng(0).normal(size=[2, 30]).astype(np.float16).astype(np.float32)


def output(reference: str) -> Tensor:
    return Tensor(reference, "float32", (1, None, 1))


def small_graph() -> Graph:
    """x -> + bias -> two outputs, with all that a converter leaves lying around."""
    nodes = (
        Node("x", "Placeholder", (), {"dtype": {"type": "DT_FLOAT"}, "_output_shapes": {"list": {}}}),
        Node("call/bias", "Const", ("^x",), {"dtype": {"type": "DT_FLOAT"}}),
        Node("call/bias_again", "Const", (), {"dtype": {"type": "DT_FLOAT"}}),
        Node("call/kernel", "Const"),
        Node("call/dead", "Const"),
        Node("call/read", "Identity", ("call/bias",), FLOAT),
        Node("call/add", "AddV2", ("x", "call/read"), FLOAT),
        Node("call/add_1", "AddV2", ("call/add", "call/bias_again"), FLOAT),
        Node("call/matmul", "BatchMatMulV2", ("call/add_1", "call/kernel"), {"adj_x": {"b": False}, **FLOAT}),
        Node("call/split", "Split", ("call/axis", "call/matmul"), {"num_split": {"i": "2"}}),
        Node("call/axis", "Const"),
        Node("NoOp", "NoOp", ("^call/add",)),
        Node("Identity", "Identity", ("call/split:1", "^NoOp"), FLOAT),
        Node("Identity_1", "Identity", ("call/add_1", "^NoOp"), FLOAT),
    )
    bias = np.array([0.25, 0.5], np.float32)
    weights = {
        "call/bias": bias,
        "call/bias_again": bias.copy(),
        "call/kernel": KERNEL,
        "call/dead": np.ones(1000, np.float32),
        "call/axis": np.array(-1, np.int32),
    }
    return Graph(nodes, weights, {"x": output("x")}, {"y": output("Identity"), "z": output("Identity_1")})


def test_a_shrunk_graph_holds_what_its_outputs_need_and_nothing_else():
    shrunk, folded = optimise.shrink(small_graph(), {"decoder/kernel": KERNEL})
    ops = sorted(node.op for node in shrunk.nodes)
    # The output y is one of the two of a split, so it needs a node to bear its name.
    assert ops == sorted(
        ["Placeholder", "Const", "Const", "Const", "AddV2", "AddV2", "BatchMatMulV2", "Split", "Identity"]
    )
    assert folded == {}
    assert all(not one.startswith("^") for node in shrunk.nodes for one in node.inputs)
    names = {node.name for node in shrunk.nodes}
    assert {"x", "y", "z", "decoder/kernel"} <= names
    assert all(len(name) == 1 for name in names - {"decoder/kernel"})
    assert all(one.split(":")[0] in names for node in shrunk.nodes for one in node.inputs)
    assert shrunk.outputs["y"].reference == "y"
    assert shrunk.by_name()["y"].inputs[0].endswith(":1")


def test_a_named_tensor_is_found_by_its_bytes_whatever_the_converter_called_it():
    shrunk, _ = optimise.shrink(small_graph(), {"decoder/kernel": KERNEL})
    np.testing.assert_array_equal(shrunk.weights["decoder/kernel"], KERNEL)
    matmul = next(node for node in shrunk.nodes if node.op == "BatchMatMulV2")
    assert matmul.inputs[1] == "decoder/kernel"


def test_a_named_tensor_that_freezing_folded_away_becomes_a_weight_of_its_own():
    gone = np.ones(64, np.float32)
    shrunk, folded = optimise.shrink(small_graph(), {"decoder/kernel": KERNEL, "norm/gain": gone})
    assert shrunk.by_name()["norm/gain"].op == "Const"
    np.testing.assert_array_equal(shrunk.weights["norm/gain"], gone)
    assert folded == {}


def test_two_named_tensors_of_equal_value_are_both_there():
    shrunk, _ = optimise.shrink(small_graph(), {"a/kernel": KERNEL, "b/kernel": KERNEL.copy()})
    for name in ("a/kernel", "b/kernel"):
        np.testing.assert_array_equal(shrunk.weights[name], KERNEL)


def test_a_tensor_named_like_an_output_is_refused():
    with pytest.raises(ValueError, match="calls a tensor as the signature an input or output: y"):
        optimise.shrink(small_graph(), {"y": KERNEL})


def test_only_attributes_that_tensorflow_js_reads_and_would_not_assume_are_kept():
    node = Node(
        "s",
        "StridedSlice",
        (),
        {
            "begin_mask": {"i": "1"},
            "end_mask": {"i": "0"},
            "Index": {"type": "DT_INT32"},
            "_input_shapes": {"list": {}},
            **FLOAT,
        },
    )
    data_format = {"data_format": string_attr("NHWC"), "padding": string_attr("VALID")}
    cases = [
        (node, {"begin_mask": {"i": "1"}}),
        (Node("l", "LeakyRelu", (), {"alpha": {"f": 0.2}, **FLOAT}), {}),
        (Node("m", "LeakyRelu", (), {"alpha": {"f": 0.3}, **FLOAT}), {"alpha": {"f": 0.3}}),
        (Node("c", "Cast", (), {"SrcT": {"type": "DT_BOOL"}, "DstT": INT}), {"DstT": INT}),
        (Node("d", "Conv2D", (), data_format), {"padding": string_attr("VALID")}),
        (Node("u", "OpOfTomorrow", (), {"k": {"i": "3"}}), {"k": {"i": "3"}}),
    ]
    for before, kept in cases:
        graph = optimise.with_needed_attributes(Graph((before,), {}, {}, {}))
        assert dict(graph.nodes[0].attr) == kept, before.op


def test_an_input_that_is_handed_through_keeps_its_name_and_the_output_gets_its_own():
    nodes = (Node("in", "Placeholder"), Node("Identity", "Identity", ("in",)))
    graph = Graph(nodes, {}, {"x": output("in")}, {"y": output("Identity")})
    shrunk, _ = optimise.shrink(graph, {})
    assert {node.name: (node.op, node.inputs) for node in shrunk.nodes} == {
        "x": ("Placeholder", ()),
        "y": ("Identity", ("x",)),
    }


def test_an_input_that_no_output_needs_stays_an_input():
    """The caller feeds it all the same; TensorFlow.js refuses inputs that it does not know."""
    graph = small_graph()
    nodes = (*graph.nodes, Node("noise", "Placeholder"))
    shrunk, _ = optimise.shrink(
        Graph(nodes, graph.weights, {**graph.inputs, "noise": output("noise")}, graph.outputs), {}
    )
    assert shrunk.by_name()["noise"].op == "Placeholder"
