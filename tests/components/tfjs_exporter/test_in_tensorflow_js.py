import numpy as np

from bundles import weights as packing
from components.tfjs_exporter import graph as graphs
from components.tfjs_exporter import optimise
from components.tfjs_exporter.graph import Graph, Node, Tensor
from tests.components.tfjs_exporter.test_fold import CASES
from tests.components.tfjs_exporter.tfjs import run_graphs


def test_tensorflow_js_makes_every_folded_constant_bit_for_bit(tmp_path):
    """Each constant is multiplied by 1, so that it comes out; TensorFlow.js itself is the judge."""
    constants = {f"case_{i}": value for i, (value, _) in enumerate(CASES.values())}
    constants["zeros_like"] = np.zeros([2, 200, 3], np.float32)
    constants["template"] = np.random.default_rng(0).normal(size=[2, 200, 3]).astype(np.float32)
    nodes = [Node("x", "Placeholder", (), {"dtype": {"type": "DT_FLOAT"}})]
    nodes += [Node(f"const/{name}", "Const") for name in constants]
    nodes += [Node("cast", "Cast", ("x",), {"DstT": {"type": "DT_INT32"}})]
    for name, value in constants.items():
        one = "cast" if value.dtype == np.int32 else "x"
        nodes.append(Node(f"out/{name}", "Mul", (f"const/{name}", one), {"T": {"type": "DT_FLOAT"}}))
    graph = Graph(
        tuple(nodes),
        {f"const/{name}": value for name, value in constants.items()},
        {"x": Tensor("x", "float32", ())},
        {name: Tensor(f"out/{name}", value.dtype.name, value.shape) for name, value in constants.items()},
    )
    shrunk, folded = optimise.shrink(graph, {})
    assert set(folded) == {"Fill", "Range", "Tile", "ZerosLike"}
    entries, stored = packing.pack(shrunk.weights, {})
    (tmp_path / graphs.MODEL_FILE).write_bytes(graphs.model_json(shrunk, entries))
    (tmp_path / graphs.GRAPH_WEIGHTS_FILE).write_bytes(stored)
    [outputs] = run_graphs([(tmp_path, {"x": np.ones([], np.float32)})])
    for name, value in constants.items():
        assert outputs[name].dtype == value.dtype
        np.testing.assert_array_equal(outputs[name], value, err_msg=name)
