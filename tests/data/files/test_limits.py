"""Extraction keeps to its memory and its pace, however long a recording is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.data.sounds import melody

RATE = 44100
EXTRACT = """
import json, sys, time
from benchmarks.process import peak_megabytes
from data.analysis import analyse, make_tracker
from pipeline.configuration.loading import load

config = load("violin").extraction
tracker = make_tracker(config)
before, began = peak_megabytes(), time.process_time()
entry = analyse(sys.argv[1], sys.argv[2], config, tracker).entry
seconds = time.process_time() - began
print(json.dumps({"verdict": entry.verdict, "megabytes": peak_megabytes() - before, "pace": entry.seconds / seconds}))
"""
INGEST = """
import json, sys
from pathlib import Path
from benchmarks.process import peak_megabytes
from tests.components.recording_example_gen.test_component import newest, run
from tests.data.sounds import CONFIG
run(Path(sys.argv[1]), Path(sys.argv[2]), CONFIG)
print(json.dumps({"megabytes": peak_megabytes()}))
"""


def in_a_process(code: str, *arguments: str) -> dict:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    return json.loads(done.stdout.splitlines()[-1])


def record(path: Path, minutes: int) -> Path:
    minute = np.rint(32767 * melody(60.0, RATE)).astype(np.int16)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(minutes):
            file.write(minute)
    return path


@pytest.mark.slow
def test_ten_minutes_are_extracted_in_little_memory_and_forty_times_faster_than_they_last(tmp_path):
    record(tmp_path / "long.flac", 10)
    figures = in_a_process(EXTRACT, str(tmp_path), "long.flac")
    assert figures["verdict"] == "used"
    assert figures["megabytes"] < 300
    assert figures["pace"] > 40


@pytest.mark.soak(part="data")
def test_an_hour_is_extracted_in_400_megabytes(tmp_path):
    record(tmp_path / "hour.flac", 60)
    figures = in_a_process(EXTRACT, str(tmp_path), "hour.flac")
    assert figures["verdict"] == "used"
    assert figures["megabytes"] < 400
    assert figures["pace"] > 40


@pytest.mark.soak(part="data")
def test_an_hour_is_ingested_in_four_gigabytes(tmp_path):
    (tmp_path / "in").mkdir()
    record(tmp_path / "in" / "hour.flac", 60)
    assert in_a_process(INGEST, str(tmp_path / "in"), str(tmp_path / "out"))["megabytes"] < 4096
