"""What originals cost: bytes of the judged eval windows at 48 kHz, beside all that is written without them.

    PYTHONPATH=. .venv/bin/python benchmarks/originals.py RECORDINGS [--set a.b=value]

Cuts the windows of a folder of recordings as RecordingExampleGen does, and prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import zlib

import tensorflow as tf

from common.features import ORIGINAL
from data.analysis import analyse, make_tracker
from data.files.listing import input_pattern, list_recordings
from data.windows.cutting import cut
from data.windows.plan import make_plan
from pipeline.configuration.loading import load


def main() -> None:
    """Measure the recordings named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE")
    chosen = parser.parse_args()
    config = load("violin", chosen.set).extraction
    names = list_recordings(chosen.recordings, input_pattern(chosen.recordings), config.examples.span_window).names
    tracker = make_tracker(config)
    analyses = {name: analyse(chosen.recordings, name, config, tracker) for name in names}
    plan = make_plan([analysis.summary() for analysis in analyses.values()], config)
    windows, originals, compressed, everything = 0, 0, 0, 0
    for name, analysis in analyses.items():
        cuts = plan.cuts.get(analysis.entry.recording)
        for _, example in cut(chosen.recordings, name, analysis, cuts, config) if cuts else ():
            everything += len(example)
            held = tf.train.Example.FromString(example).features.feature
            if ORIGINAL in held:
                packed = held[ORIGINAL].bytes_list.value[0]
                windows, originals, compressed = windows + 1, originals + len(packed), compressed + len(gzipped(packed))
    print(
        json.dumps(
            {
                "judged_windows": windows,
                "original_bytes": originals,
                "original_gzip_bytes": compressed,
                "other_bytes": everything - originals,
            }
        )
    )


def gzipped(data: bytes) -> bytes:
    """Compress as the writer of examples does."""
    return zlib.compress(data)


if __name__ == "__main__":
    main()
