"""The Transform graph as a part of a serving signature.

TFT's own layer requires windows of the training length. Preprocessing treats every frame alike, so its operations are
copied into the signature's graph instead, where they take a clip of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import tf2_utils


class TransformGraph:
    """The graph that TFX Transform wrote for `preprocessing_fn`, with constants of the training set.

    Args:
      folder: of a TransformGraph artifact.
    """

    def __init__(self, folder: str):
        output = tft.TFTransformOutput(folder)
        loaded = tf.saved_model.load(output.transform_savedmodel_dir).transform_fn
        function = loaded.concrete_functions[0] if hasattr(loaded, "concrete_functions") else loaded
        self._graph = function.graph
        self._constants = {inner.op.name: outer for outer, inner in self._graph.captures}
        structured = tf2_utils.get_structured_inputs_from_func_graph(self._graph)
        self._inputs = {name: tensor.op.name for name, tensor in structured.items()}
        self._outputs = tf.nest.pack_sequence_as(self._graph.structured_outputs, self._graph.outputs)

    def __call__(self, features: Mapping[str, tf.Tensor], wanted: Sequence[str]) -> dict[str, tf.Tensor]:
        """Add preprocessing to the graph that is being traced.

        Args:
          features: raw features by name, each [B, T] for any T.
          wanted: names of transformed features; each frame of them is a function of the same frame of raw features.

        Returns:
          The wanted features by name, each [B, T].

        Raises:
          ValueError: a wanted feature is unknown, or needs a raw feature that is missing.
        """
        unknown = [name for name in wanted if name not in self._outputs]
        if unknown:
            raise ValueError(f"the Transform graph makes {', '.join(sorted(self._outputs))}, no {', '.join(unknown)}")
        outputs = [self._outputs[name] for name in wanted]
        subgraph, needed = self._subgraph(outputs)
        missing = [name for name, op in self._inputs.items() if op in needed and name not in features]
        if missing:
            raise ValueError(f"preprocessing of {', '.join(wanted)} needs {', '.join(sorted(missing))}")
        input_map = {op: features[name] for name, op in self._inputs.items() if op in needed}
        input_map |= {op: tf.constant(value.numpy()) for op, value in self._constants.items() if op in needed}
        results = tf.graph_util.import_graph_def(
            subgraph, input_map=input_map, return_elements=[output.name for output in outputs], name="preprocessing"
        )
        return dict(zip(wanted, results, strict=True))

    def _subgraph(self, outputs: Sequence[tf.Tensor]) -> tuple[Any, set[str]]:
        """Extract the GraphDef that computes the outputs, and the names of the placeholders (left out) it needs."""
        subgraph = self._graph.as_graph_def()
        needed: set[str] = set()
        reached, ahead = set(), [output.op for output in outputs]
        while ahead:
            operation = ahead.pop()
            if operation.type == "Placeholder":
                needed.add(operation.name)
            elif operation.name not in reached:
                reached.add(operation.name)
                ahead.extend(tensor.op for tensor in operation.inputs)
        nodes = [node for node in subgraph.node if node.name in reached]
        del subgraph.node[:]
        subgraph.node.extend(nodes)
        for node in subgraph.node:
            node.attr.pop("_output_shapes", None)  # those of training windows
            kept = [name for name in node.input if not name.startswith("^")]  # nothing here has side effects
            del node.input[:]
            node.input.extend(kept)
        return subgraph, needed
