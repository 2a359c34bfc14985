"""Cost of extraction by the hour of recordings, and an estimate for many hours: the plan in docs/scaling.md.

    .venv/bin/python benchmarks/capacity.py FOLDER --hours 10000 [--vcpu-hour 0.05]

FOLDER holds recordings to measure on, on one core. Prints one JSON line: `measured` by the hour of audio, and `plan`
for that many hours. Money is hours of cores times `--vcpu-hour`, in its currency; ask your provider.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import pickle
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import keep_to_one_core
from data.analysis import Analysis, analyse, make_tracker
from data.config import ExtractionConfig
from data.files.listing import list_recordings
from data.windows.cutting import cut
from data.windows.plan import make_plan
from pipeline.configuration.loading import load

SHARD_MEGABYTES = 256.0
JOB_HOURS = 2.0  # how long the job may take
BEAMS_LEVEL = 6  # of compression


def measure(base: str, config: ExtractionConfig) -> dict[str, float]:
    """Measure, by the hour of audio, seconds of one core, and MB of what is passed on, held and written."""
    names = list_recordings(base, "*", 1).names
    tracker = make_tracker(config)
    analyse(base, names[0], config, tracker)  # the first one loads what the others find loaded
    began = time.process_time()
    analyses: dict[str, Analysis] = {name: analyse(base, name, config, tracker) for name in names}
    analysed = time.process_time()
    summaries = [analysis.summary() for analysis in analyses.values()]
    plan = make_plan(summaries, config)
    planned = time.process_time()
    examples = written = serialized = 0
    for name, analysis in analyses.items():
        for _, example in cut(base, name, analysis, plan.cuts[analysis.entry.recording], config):
            examples += 1
            serialized += len(example)
            written += len(gzip.compress(example, BEAMS_LEVEL))
    ended = time.process_time()
    hours = sum(analysis.entry.seconds or 0.0 for analysis in analyses.values()) / 3600
    totals = {
        "analysis_cpu_seconds": analysed - began,
        "cutting_cpu_seconds": ended - planned,
        "analyses_megabytes": len(pickle.dumps(list(analyses.values()))) / 1e6,
        "summaries_megabytes": len(pickle.dumps(summaries)) / 1e6,
        "plan_megabytes": len(pickle.dumps(plan)) / 1e6,
        "examples": float(examples),
        "serialized_megabytes": serialized / 1e6,
        "written_megabytes": written / 1e6,
    }
    return {"recordings": len(names) / hours, **{name: total / hours for name, total in totals.items()}}


def planned(by_hour: dict[str, float], hours: float, vcpu_hour: float) -> dict[str, float]:
    """Multiply the figures of one hour by so many hours of recordings."""
    cores_hours = hours * (by_hour["analysis_cpu_seconds"] + by_hour["cutting_cpu_seconds"]) / 3600
    return {
        "hours": hours,
        "recordings": hours * by_hour["recordings"],
        "core_hours": cores_hours,
        "workers": math.ceil(cores_hours / JOB_HOURS),
        "cost": cores_hours * vcpu_hour,
        "examples_terabytes": hours * by_hour["written_megabytes"] / 1e6,
        "shards": math.ceil(hours * by_hour["written_megabytes"] / SHARD_MEGABYTES),
        "shuffled_gigabytes": hours * by_hour["analyses_megabytes"] / 1e3,
        "plan_gigabytes": hours * by_hour["plan_megabytes"] / 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--vcpu-hour", type=float, default=0.05)
    given = parser.parse_args()
    keep_to_one_core()
    measured = measure(str(given.folder), load("violin").extraction)
    plan = planned(measured, given.hours, given.vcpu_hour)
    both = {"measured": measured, "plan": plan}
    rounded = {part: {name: float(f"{value:.3g}") for name, value in facts.items()} for part, facts in both.items()}
    print(json.dumps({"name": "swara/capacity", **rounded}))


if __name__ == "__main__":
    main()
