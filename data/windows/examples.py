"""Windows on disk: the one writer and the one reader of tf.train.Examples.

TensorFlow is imported by the functions that need it: command lines and Beam's workers import this module early.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.features import RECORDING, RECORDING_ID, START_SECONDS


@dataclass(frozen=True)
class Example:
    """One window as it was written.

    Attributes:
      recording: path of its recording relative to the folder of recordings.
      recording_id: content hash of that recording.
      start_seconds: s, where in the recording it starts.
      features: name -> [length], float32; those that were requested.
    """

    recording: str
    recording_id: str
    start_seconds: float
    features: Mapping[str, npt.NDArray[np.float32]]


def serialize(
    floats: Mapping[str, npt.NDArray[np.float32] | Sequence[float]],
    texts: Mapping[str, str],
    packed: Mapping[str, bytes] | None = None,
) -> bytes:
    """Serialize a tf.train.Example; its bytes are the same on every machine.

    Args:
      floats: name -> [length].
      texts: name -> a single text.
      packed: name -> bytes.
    """
    import tensorflow as tf

    features = {name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in floats.items()}
    for name, value in {**{name: text.encode() for name, text in texts.items()}, **(packed or {})}.items():
        features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def split_files(folder: Path | str) -> list[str]:
    """List the files of a split of an Examples artifact, a folder or URI, in order; none where there is no such."""
    if isinstance(folder, str):
        import tensorflow as tf

        return sorted(tf.io.gfile.glob(f"{folder}/*"))
    return sorted(str(path) for path in folder.glob("*") if path.is_file())


def read_serialized(files: Iterable[str]) -> Iterator[bytes]:
    """Read serialized examples one by one, in the order in which they were written.

    Args:
      files: paths or URIs of TFRecord files, gzipped where the name ends in `.gz`.
    """
    import tensorflow as tf

    for file in files:
        compression = "GZIP" if file.endswith(".gz") else ""
        yield from tf.data.TFRecordDataset(file, compression_type=compression).as_numpy_iterator()


def parse(serialized: bytes, lengths: Mapping[str, int | None]) -> Example:
    """Parse one example.

    Args:
      serialized: of `serialize`, or of Transform.
      lengths: the float features to take, with their lengths; None takes a feature of any length.

    Raises:
      ValueError: it lacks a feature, or has one of another length.
    """
    import tensorflow as tf

    text, number = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenFeature([], tf.float32)
    spec = {RECORDING: text, RECORDING_ID: text, START_SECONDS: number}
    for name, length in lengths.items():
        any_length = tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)
        spec[name] = any_length if length is None else tf.io.FixedLenFeature([length], tf.float32)
    try:
        found = {name: tensor.numpy() for name, tensor in tf.io.parse_single_example(serialized, spec).items()}
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"not an example of {dict(lengths)}: {error.message}") from None
    missing = [name for name in lengths if not found[name].size]
    if missing:
        raise ValueError(f"not an example of {dict(lengths)}: no values of {', '.join(missing)}")
    return Example(
        found[RECORDING].decode("utf-8", "replace"),
        found[RECORDING_ID].decode("utf-8", "replace"),
        float(found[START_SECONDS]),
        {name: found[name] for name in lengths},
    )


def read_examples(files: Iterable[str], lengths: Mapping[str, int | None]) -> Iterator[Example]:
    """Read examples one by one, in the order in which they were written; memory does not grow with them.

    Args:
      files: as in `read_serialized`.
      lengths: as in `parse`.

    Raises:
      ValueError: an example lacks a feature, or has one of another length; the message names the file.
    """
    for file in files:
        yield from _read_file(file, lengths)


def _read_file(file: str, lengths: Mapping[str, int | None]) -> Iterator[Example]:
    try:
        for serialized in read_serialized([file]):
            yield parse(serialized, lengths)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
