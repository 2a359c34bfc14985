"""What Beam's workers load, and what a job that was begun anew may leave behind."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_workers_load_neither_tfx_nor_tensorflow_to_analyse():
    code = (
        "import sys, components.recording_example_gen.extraction;"
        "print([name for name in ('tensorflow', 'tfx') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ["data_tfrecord-00000-of-00002.gz", "data_tfrecord-00001-of-00002.gz", "data_tfrecord-00000-of-00001.gz"],
        ["data_tfrecord-00001-of-00002.gz"],
        [],
    ],
)
def test_shards_of_two_attempts_or_too_few_are_not_passed_on(names: list[str], tmp_path: Path):
    from components.recording_example_gen.executor import remove_unfinished_shards

    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(RuntimeError, match="run again"):
        remove_unfinished_shards(str(tmp_path))


@pytest.mark.slow
def test_what_an_attempt_left_unfinished_is_not_passed_on(tmp_path: Path):
    from components.recording_example_gen.executor import remove_unfinished_shards

    shards = {f"data_tfrecord-0000{shard}-of-00003.gz" for shard in range(3)}
    for name in shards:
        (tmp_path / name).touch()
    (tmp_path / "beam-temp-data_tfrecord-5f").mkdir()
    (tmp_path / "beam-temp-data_tfrecord-5f" / "half.data_tfrecord.gz").touch()
    remove_unfinished_shards(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == shards
