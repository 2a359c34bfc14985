"""What is read of examples is what was written, in order, and what is missing is named."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data.windows.examples import parse, read_examples, read_serialized, serialize, split_files
from tests.data.written_examples import write_examples

WINDOWS = [{"f0_hz": np.full(3, 100.0 * n), "recording": f"{n}.wav", "start_seconds": 0.5 * n} for n in range(1, 5)]


def test_what_is_serialized_is_a_tf_example_and_the_same_bytes_every_time():
    floats = {"f0_hz": np.array([440.0, 441.0], np.float32), "start_seconds": [1.5]}
    stored = serialize(floats, {"recording": "sārangī.wav"})
    features = tf.train.Example.FromString(stored).features.feature
    assert list(features["f0_hz"].float_list.value) == [440.0, 441.0]
    assert features["recording"].bytes_list.value[0].decode() == "sārangī.wav"
    assert stored == serialize(dict(reversed(floats.items())), {"recording": "sārangī.wav"})


@pytest.mark.parametrize("length", [3, None])
def test_examples_come_back_shard_by_shard_in_the_order_in_which_they_were_written(tmp_path: Path, length: int | None):
    write_examples(tmp_path / "eval", WINDOWS, shards=2)
    found = list(read_examples(split_files(tmp_path / "eval"), {"f0_hz": length}))
    assert [one.recording for one in found] == ["1.wav", "3.wav", "2.wav", "4.wav"]
    assert [one.start_seconds for one in found] == [0.5, 1.5, 1.0, 2.0]
    assert {one.recording_id for one in found} == {"aa"}
    np.testing.assert_array_equal(found[1].features["f0_hz"], np.full(3, 300.0, np.float32))
    assert found[1].features["f0_hz"].dtype == np.float32
    serialized = list(read_serialized(split_files(tmp_path / "eval")))
    assert parse(serialized[2], {}).recording == found[2].recording


def test_files_that_are_not_compressed_are_read_too(tmp_path: Path):
    with tf.io.TFRecordWriter(str(tmp_path / "part-0")) as writer:
        writer.write(serialize({"start_seconds": [2.0]}, {"recording": "a.wav", "recording_id": "aa"}))
    assert [one.start_seconds for one in read_examples(split_files(tmp_path), {})] == [2.0]


def test_no_folder_has_no_files(tmp_path: Path):
    assert split_files(tmp_path / "none") == []


@pytest.mark.parametrize("lengths", [{"f0_hz": 4}, {"rms_energy": 3}, {"rms_energy": None}])
def test_a_feature_that_is_missing_or_of_another_length_is_named_with_its_file(tmp_path: Path, lengths: dict):
    write_examples(tmp_path / "train", WINDOWS)
    [name] = lengths
    with pytest.raises(ValueError, match=rf"train/data_tfrecord-00000-of-00001.gz: not an example of .*{name}"):
        list(read_examples(split_files(tmp_path / "train"), lengths))
