"""Extraction of all features: seconds of audio that one core analyses in a second.

    .venv/bin/python benchmarks/features.py [FOLDER]

FOLDER holds recordings (default: some minutes of the embedded ones, made on the spot). Everything that
RecordingExampleGen does to a recording is in it: decoding, resampling, f0 and confidence by swift_f0, loudness, RMS
energy and screening. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import keep_to_one_core, peak_megabytes
from data.analysis import analyse, make_tracker
from data.demo.generate import generate
from data.files.listing import list_recordings
from pipeline.configuration.loading import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    keep_to_one_core()
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch)
            generate(folder, minutes=3.0, seed=0)
        config = load("violin").extraction
        tracker = make_tracker(config)
        names = list_recordings(str(folder), "*", 1).names
        analyse(str(folder), names[0], config, tracker)  # the first one loads what the others find loaded
        before, began = time.process_time(), time.perf_counter()
        seconds = [analyse(str(folder), name, config, tracker).entry.seconds or 0.0 for name in names]
        cpu, wall = time.process_time() - before, time.perf_counter() - began
    facts = {
        "audio_seconds": round(sum(seconds), 1),
        "per_cpu_second": round(sum(seconds) / cpu, 1),
        "per_wall_second": round(sum(seconds) / wall, 1),
        "peak_megabytes": peak_megabytes(),
    }
    print(json.dumps({"name": "swara/features", **facts}))


if __name__ == "__main__":
    main()
