"""Runs the project's preprocessing over examples in memory, by Beam and TensorFlow Transform, as the pipeline does."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.preprocessing import preprocessing_fn

Example = dict[str, np.ndarray]


def build_transform_graph(
    folder: Path,
    examples: Sequence[Example],
    inputs: Sequence[str],
    preprocess: Callable[..., dict[str, Any]] = preprocessing_fn,
) -> Path:
    """Analyses the examples and writes what a TransformGraph artifact holds. Returns its folder."""
    import apache_beam as beam
    import tensorflow as tf
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam

    spec = {
        name: tf.io.FixedLenFeature(value.shape, tf.string if value.dtype.kind == "S" else tf.float32)
        for name, value in examples[0].items()
    }
    metadata = tft.DatasetMetadata.from_feature_spec(spec)
    graph = folder / "graph"
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(folder / "temp")):
        transform_fn = (pipeline | beam.Create(examples), metadata) | tft_beam.AnalyzeDataset(
            lambda features: preprocess(features, {"inputs": list(inputs)})
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(graph))
        _ = metadata | tft_beam.WriteMetadata(str(graph / tft.TFTransformOutput.RAW_METADATA_DIR), pipeline)
    return graph
