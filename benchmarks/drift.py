"""Distances between batches of recordings by the DataGate's measure, on which `data_gate.max_drift` is calibrated.

    .venv/bin/python benchmarks/drift.py FOLDER [FOLDER ...]

Every recording counts as a batch of its own. Prints one JSON line a pair, the nearest first.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow_data_validation as tfdv

from components.data_gate.config import DataGateConfig
from components.data_gate.judge import DRIFT_FEATURES, measure_drift
from data.analysis import analyse, make_tracker
from data.files.listing import list_recordings
from pipeline.configuration.loading import load

LIMITS = DataGateConfig(max_drift=1.0, min_train_windows=1, min_eval_windows=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    config = load("violin")
    tracker = make_tracker(config.extraction)
    batches = {}
    for folder in parser.parse_args().folders:
        for name in list_recordings(str(folder), "*", 1).names:
            analysis = analyse(str(folder), name, config.extraction, tracker)
            if analysis.features is None:
                continue
            kept = np.concatenate([np.arange(start, stop) for start, stop in analysis.segments])
            frames = {feature: getattr(analysis.features, feature)[kept] for feature in DRIFT_FEATURES}
            batches[f"{folder.name}/{name}"] = tfdv.generate_statistics_from_dataframe(pd.DataFrame(frames))
    lines: list[tuple[float, str]] = []
    for first, second in itertools.combinations(batches, 2):
        schema = tfdv.infer_schema(batches[first])
        drift = measure_drift(batches[second], schema, batches[first], LIMITS)
        lines.append((max(drift.values()), json.dumps({"batches": [first, second], "drift": drift})))
    for _, line in sorted(lines):
        print(line)


if __name__ == "__main__":
    main()
