import json

import numpy as np
import pytest

from components.tfjs_exporter import graph as graphs
from components.tfjs_exporter.graph import short_names
from tests.bundles.small_bundle import write_converted


@pytest.fixture
def converted(tmp_path):
    outputs = write_converted(tmp_path / "graph", np.ones([1, 1, 1], np.float32))
    return tmp_path / "graph", outputs


def edited(folder, edit):
    model = json.loads((folder / "model.json").read_text())
    edit(model["modelTopology"]["node"])
    (folder / "model.json").write_text(json.dumps(model))


def test_outputs_get_the_names_of_the_signature_and_inputs_lose_their_colons(converted):
    read = graphs.read(*converted)
    assert list(read.inputs) == ["f0_hz"]
    assert read.inputs["f0_hz"].shape == (1, None, 1)
    assert {name: tensor.reference for name, tensor in read.outputs.items()} == {"audio": "Identity"}


@pytest.mark.parametrize(
    "op", ["RFFT", "IFFT", "FFT", "Complex", "ComplexAbs", "RandomUniform", "StatelessRandomUniformV2", "Einsum"]
)
def test_an_operation_that_not_every_backend_has_is_refused(converted, op):
    folder, outputs = converted
    edited(folder, lambda nodes: nodes.append({"name": "bad", "op": op, "input": ["f0_hz"]}))
    with pytest.raises(ValueError, match=f"must do without {op}"):
        graphs.read(folder, outputs)


def test_a_graph_that_calls_functions_is_refused(converted):
    folder, outputs = converted
    call = {"name": "loop", "op": "StatelessIf", "input": ["f0_hz"], "attr": {"then_branch": {"func": {"name": "f"}}}}
    edited(folder, lambda nodes: nodes.append(call))
    with pytest.raises(ValueError, match=r"calls functions \(StatelessIf\)"):
        graphs.read(folder, outputs)


def test_short_names_count_through_the_alphabet_and_leave_out_what_is_taken():
    names = short_names({"b", "aa"})
    first = [next(names) for _ in range(28)]
    assert first[:3] == ["a", "c", "d"]
    assert first[24:] == ["z", "ab", "ac", "ad"]
    assert len(set(first)) == 28
