"""Reference outputs of the graphs: the Trainer's SavedModel, run by TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.browser_validator.cases import Case

GRAPHS = ("controls", "full")

OutputsByCase = Mapping[str, Mapping[str, np.ndarray]]  # case -> output -> float32 values
Reference = Mapping[str, OutputsByCase]  # by graph


def load_saved_model(folder: Path) -> Any:
    """Load a SavedModel with its signatures."""
    import tensorflow as tf

    return tf.saved_model.load(str(folder))


def feature_names(model: Any) -> list[str]:
    """List the names of the features that signature `controls` takes, sorted."""
    [_, named] = model.signatures["controls"].structured_input_signature
    return sorted(named)


def run_saved_model(model: Any, cases: Sequence[Case]) -> Reference:
    """Run the signatures `controls` and `full` on every case."""
    return {graph: {case.name: _run(model.signatures[graph], case.inputs(graph)) for case in cases} for graph in GRAPHS}


def _run(signature: Any, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in sorted(outputs.items())}


def read_variables(folder: Path) -> list[np.ndarray]:
    """Read the float32 variables of a SavedModel, each of its own shape, in the order of their names."""
    import tensorflow as tf

    checkpoint = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    types = checkpoint.get_variable_to_dtype_map()
    return [checkpoint.get_tensor(name) for name in sorted(types) if types[name] == tf.float32]
