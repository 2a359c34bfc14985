"""Whatever lies in a folder of recordings, `check` and the pipeline give every file a verdict: no crash, no hang."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.files.chunks import MOST_CHUNKS
from data.files.contents import inspect
from data.files.decode import fault_of
from data.files.reading import Reader
from data.ingest_report import IngestReport
from tests.data.files.damage import odd_files, whole, write_damaged
from tests.data.sounds import melody, write

ROOT = Path(__file__).resolve().parents[2]
INGEST = """
import sys
from pathlib import Path
from tests.components.recording_example_gen.test_component import EXTRACTION, run
run(Path(sys.argv[1]), Path(sys.argv[2]), EXTRACTION)
"""
HONEST = ("$(touch swara-was-here) `touch swara-was-here`;.wav", "<img src=x onerror=alert(1)> [*] %s {0}.wav")
ENOUGH = ("--set", "examples.min_minutes=0.1")
MEGABYTES = 200  # above what the honest recordings alone take


# A process is charged with what the one that starts it holds at that moment, so a small one starts it.
MEASURE = """
import json, os, subprocess, sys, threading
process = subprocess.Popen(sys.argv[3:])
watchdog = threading.Timer(float(sys.argv[2]), process.kill)
watchdog.start()
_, status, usage = os.wait4(process.pid, 0)
watchdog.cancel()
with open(sys.argv[1], "w") as file:
    kilobytes = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    json.dump([os.waitstatus_to_exitcode(status), kilobytes], file)
"""


@dataclass(frozen=True)
class Ended:
    """A process that came to its end.

    Attributes:
      code: of its exit; negative: the signal that killed it.
      output: standard output.
      errors: standard error.
      megabytes: that it held at most.
    """

    code: int
    output: str
    errors: str
    megabytes: float


def run(folder: Path, timeout: float, *command: str) -> Ended:
    """Runs Python in a process of its own; SIGKILL after `timeout` seconds."""
    folder.mkdir()
    measured = [sys.executable, "-c", MEASURE, str(folder / "usage"), str(timeout), sys.executable, *command]
    with (folder / "out").open("w") as out, (folder / "err").open("w") as errors:
        subprocess.run(measured, stdout=out, stderr=errors, cwd=ROOT, check=True)
    printed = [(folder / name).read_text(errors="replace") for name in ("out", "err")]
    code, kilobytes = json.loads((folder / "usage").read_text())
    return Ended(code, *printed, megabytes=kilobytes / 1024)


def check(recordings: Path, folder: Path, timeout: float = 120.0) -> Ended:
    """`local_runner.py check`, as a user calls it."""
    return run(folder, timeout, "local_runner.py", "check", "--json", "--recordings", str(recordings), *ENOUGH)


def honest(folder: Path) -> Path:
    """Two good recordings, whose names would do harm in a shell, a page, a pattern or a format."""
    for seed, name in enumerate(HONEST):
        write(folder / name, melody(8.0 + seed, seed=seed))
    return folder


def verdicts(checked: Ended) -> dict[str, str]:
    """Of `check`, by name; nothing else may have happened."""
    assert checked.code == 0, (checked.code, checked.errors[-2000:])
    assert "Traceback" not in checked.errors
    return {entry["recording"]: entry["verdict"] for entry in json.loads(checked.output.splitlines()[-1])["recordings"]}


@pytest.mark.slow
def test_hundreds_of_damaged_files_cost_neither_check_nor_the_pipeline_a_good_one(tmp_path):
    alone = check(honest(tmp_path / "honest"), tmp_path / "alone")
    names = write_damaged(honest(tmp_path / "all"), 300, seed=0)
    checked = check(tmp_path / "all", tmp_path / "check")
    found = verdicts(checked)
    assert found.keys() == {*names, *HONEST}
    assert {found[name] for name in HONEST} == {"used"}
    assert sum(verdict == "set aside" for verdict in found.values()) > 200
    assert checked.megabytes < alone.megabytes + MEGABYTES

    ingested = run(tmp_path / "ingest", 300.0, "-c", INGEST, str(tmp_path / "all"), str(tmp_path / "out"))
    assert ingested.code == 0, ingested.errors[-2000:]
    [examples] = (tmp_path / "out" / "RecordingExampleGen" / "examples").iterdir()
    assert {one.recording: one.verdict for one in IngestReport.read(examples).recordings} == found
    assert ingested.megabytes < 2048
    assert not (ROOT / "swara-was-here").exists()


@pytest.mark.soak(part="data")
@pytest.mark.parametrize("seed", range(1, 11))
def test_thousands_of_damaged_files_each_have_a_verdict(tmp_path, seed):
    names = write_damaged(honest(tmp_path / "all"), 1000, seed)
    checked = check(tmp_path / "all", tmp_path / "check", timeout=600.0)
    found = verdicts(checked)
    assert found.keys() == {*names, *HONEST}
    assert {found[name] for name in HONEST} == {"used"}
    assert checked.megabytes < check(honest(tmp_path / "honest"), tmp_path / "alone").megabytes + MEGABYTES


def fault(path: Path) -> str | None:
    """Of a file, without decoding it."""
    with path.open("rb") as file:
        return fault_of(inspect(Reader(file)))


def test_chunks_without_end_are_walked_a_bounded_way(tmp_path):
    path = tmp_path / "chunks.wav"
    path.write_bytes(odd_files()[path.name])
    reads = 0

    def count(frame: object, event: str, function: object) -> None:
        nonlocal reads
        reads += event == "c_call" and getattr(function, "__name__", "") == "read"

    sys.setprofile(count)
    try:
        assert fault(path) == "is truncated: no audio begins within its first 1,000 chunks"
    finally:
        sys.setprofile(None)
    assert reads <= MOST_CHUNKS + 1


def test_an_mp3_is_walked_in_little_memory(tmp_path):
    path = tmp_path / "long.mp3"
    path.write_bytes(whole("mp3", 48000, 1) * 2000)
    tracemalloc.start()
    try:
        assert "71,999 frames" in str(fault(path))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 < path.stat().st_size
    finally:
        tracemalloc.stop()
