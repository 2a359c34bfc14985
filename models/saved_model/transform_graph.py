"""The Transform graph inside a serving signature.

TFT's own layer insists on windows of the training length. Preprocessing does the same to every frame, so its operations
are copied into the signature's graph instead, where they take a clip of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import tf2_utils


class TransformGraph:
    """What TFX Transform made of `preprocessing_fn`, constants of the training set included.

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
          wanted: names of transformed features, frame by frame functions of those.

        Returns:
          The wanted features, each [B, T].

        Raises:
          ValueError: a wanted feature is unknown, or needs a raw feature that is not given.
        """
        unknown = [name for name in wanted if name not in self._outputs]
        if unknown:
            raise ValueError(f"the Transform graph gives {', '.join(sorted(self._outputs))}, no {', '.join(unknown)}")
        outputs = [self._outputs[name] for name in wanted]
        part, needed = self._part(outputs)
        missing = [name for name, place in self._inputs.items() if place in needed and name not in features]
        if missing:
            raise ValueError(f"preprocessing of {', '.join(wanted)} needs {', '.join(sorted(missing))}")
        fed = {place: features[name] for name, place in self._inputs.items() if place in needed}
        fed |= {place: tf.constant(value.numpy()) for place, value in self._constants.items() if place in needed}
        results = tf.graph_util.import_graph_def(
            part, input_map=fed, return_elements=[output.name for output in outputs], name="preprocessing"
        )
        return dict(zip(wanted, results, strict=True))

    def _part(self, outputs: Sequence[tf.Tensor]) -> tuple[Any, set[str]]:
        """The nodes that make the outputs, and the names of the placeholders, left out, that they start from."""
        part = self._graph.as_graph_def()
        needed: set[str] = set()
        reached, ahead = set(), [output.op for output in outputs]
        while ahead:
            operation = ahead.pop()
            if operation.type == "Placeholder":
                needed.add(operation.name)
            elif operation.name not in reached:
                reached.add(operation.name)
                ahead.extend(tensor.op for tensor in operation.inputs)
        nodes = [node for node in part.node if node.name in reached]
        del part.node[:]
        part.node.extend(nodes)
        for node in part.node:
            node.attr.pop("_output_shapes", None)  # those of training windows
            kept = [name for name in node.input if not name.startswith("^")]  # nothing here has side effects
            del node.input[:]
            node.input.extend(kept)
        return part, needed
