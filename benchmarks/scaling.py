"""Extraction on one worker and on two, of the DirectRunner and of a Flink cluster that this starts on this machine.

    .venv/bin/python benchmarks/scaling.py FOLDER [--copies 4]

FOLDER holds recordings. Every runner analyses them twice: as they are, then `--copies` times, each copy without a few
more samples at its beginning and so a recording of its own. What the longer run takes more gives the speed, what is
left of the shorter one the start. At last two workers on Flink analyse all copies again while a task manager is killed.

Prints a JSON line a runner, with a hash over the sorted examples of the longer run: all must be the same.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import soundfile

from data.windows.examples import read_serialized, split_files

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.files.listing import list_recordings
from data.ingest_report import IngestReport
from pipeline.configuration.loading import load
from scripts.flink.cluster import Cluster

ANALYSED = re.compile(r"analysed (\S+), ")
KILL_EVENTS = re.compile(
    r"Registering TaskManager|Closing TaskExecutor|switched from state|\(attempt #[1-9]\d*\).* to DEPLOYING"
)
SKIPPED_SAMPLES = 1000  # more at the beginning of every further copy


@dataclass(frozen=True)
class Extracted:
    """Output of RecordingExampleGen.

    Attributes:
      examples: serialized, by split, sorted: runners keep no order.
      report: the ingest report.
      seconds: it took.
    """

    examples: dict[str, list[bytes]]
    report: IngestReport
    seconds: float

    def digest(self) -> str:
        """Hash all examples. SHA-256, hex."""
        digest = hashlib.sha256()
        for split, examples in sorted(self.examples.items()):
            for example in examples:
                digest.update(f"{split} {len(example)}\n".encode() + example)
        return digest.hexdigest()


def extract(recordings: Path, output: Path, settings: Sequence[str] = ()) -> Extracted:
    """Run RecordingExampleGen alone, as a pipeline with these settings does."""
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.configuration.beam import beam_arguments
    from pipeline.stages.recording_example_gen import make_recording_example_gen
    from pipeline.store.folders import METADATA_FILE

    config = load("demo", settings)
    pipeline = Pipeline(
        pipeline_name="extraction",
        pipeline_root=str(output),
        components=[make_recording_example_gen(config, str(recordings))],
        metadata_connection_config=sqlite_metadata_connection_config(str(output / METADATA_FILE)),
        beam_pipeline_args=beam_arguments(config.beam),
    )
    output.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for the figures
        LocalDagRunner().run(pipeline)
    seconds = time.monotonic() - began
    folder = max((output / "RecordingExampleGen" / "examples").iterdir(), key=lambda made: int(made.name))
    examples = {split: sorted(read_serialized(split_files(folder / f"Split-{split}"))) for split in ("train", "eval")}
    return Extracted(examples, IngestReport.read(folder), seconds)


def analysed(log: Path) -> list[str]:
    """List the recordings that a task manager's worker has analysed so far, from its log."""
    return ANALYSED.findall(log.read_text(encoding="utf-8", errors="replace"))


@contextlib.contextmanager
def killed_at_work(cluster: Cluster) -> Iterator[list[str]]:
    """Kill a task manager once its worker has analysed a recording, and start a replacement.

    Yields the names of the recordings that it had analysed, filled in when it is killed.
    """
    lost: list[str] = []
    done = threading.Event()

    def kill() -> None:
        before = {name: len(analysed(cluster.log(name))) for name in cluster.task_managers}
        while not done.wait(0.05):
            for name in cluster.task_managers:
                if len(analysed(cluster.log(name))) > before[name]:
                    cluster.kill(name)
                    lost.extend(analysed(cluster.log(name))[before[name] :])
                    cluster.replace_dead()
                    return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield lost
    finally:
        done.set()
        killer.join()


def copies(recordings: Path, folder: Path, count: int) -> None:
    """Write each recording `count` times, as FLAC, each time without some more samples at its beginning."""
    folder.mkdir()
    for name in list_recordings(str(recordings), "*", 1).names:
        samples, rate = soundfile.read(recordings / name, dtype="int16")
        for copy in range(count):
            target = folder / f"{Path(name).stem}-{copy}.flac"
            soundfile.write(target, samples[copy * SKIPPED_SAMPLES :], rate, subtype="PCM_16")


def resident_peaks(stop: threading.Event, peaks: dict[int, int]) -> None:
    """Record the most memory, in MB, that every worker process of Beam held, by process id, until `stop` is set."""
    while not stop.wait(0.5):
        for process in psutil.process_iter(["cmdline", "memory_info"]):
            if any("sdk_worker_main" in argument for argument in process.info["cmdline"] or ()):
                megabytes = process.info["memory_info"].rss // 1_000_000
                peaks[process.pid] = max(megabytes, peaks.get(process.pid, 0))


def measure(runner: str, workers: int, settings: Sequence[str], sizes: tuple[Path, Path], scratch: Path) -> None:
    """Print the line of one runner."""
    stop = threading.Event()
    peaks: dict[int, int] = {}
    watch = threading.Thread(target=resident_peaks, args=(stop, peaks))
    watch.start()
    try:
        once, all_copies = (
            extract(folder, scratch / f"{runner}-{workers}-{folder.name}", settings) for folder in sizes
        )
    finally:
        stop.set()
        watch.join()
    more = audio_seconds(all_copies) - audio_seconds(once)
    speed = more / (all_copies.seconds - once.seconds)
    print_line(
        runner,
        workers,
        all_copies,
        per_second=round(speed, 1),
        start_seconds=round(once.seconds - audio_seconds(once) / speed, 1),
        peak_worker_megabytes=max(peaks.values(), default=None),
    )


def measure_killed(cluster: Cluster, recordings: Path, scratch: Path) -> None:
    """Print the line of a run that loses a task manager, and the job manager's log of it."""
    with killed_at_work(cluster) as lost:
        extracted = extract(recordings, scratch / "killed", cluster.settings)
    print_line("flink, a task manager killed", 2, extracted, analysed_and_lost=len(lost))
    lines = cluster.log("job-manager").read_text(encoding="utf-8", errors="replace").splitlines()
    print(*(line for line in lines if KILL_EVENTS.search(line)), sep="\n", file=sys.stderr)


def audio_seconds(extracted: Extracted) -> float:
    return sum(entry.seconds or 0.0 for entry in extracted.report.recordings)


def print_line(runner: str, workers: int, extracted: Extracted, **figures: float | None) -> None:
    facts = {
        "runner": runner,
        "workers": workers,
        "audio_seconds": round(audio_seconds(extracted), 1),
        "seconds": round(extracted.seconds, 1),
        **figures,
        "examples": sum(map(len, extracted.examples.values())),
        "sha256": extracted.digest(),
    }
    print(json.dumps({"name": "swara/scaling", **facts}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=4, metavar="N")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swara-scaling-") as folder:
        scratch = Path(folder)
        sizes = scratch / "once", scratch / "copies"
        copies(given.folder, sizes[0], 1)
        copies(given.folder, sizes[1], given.copies)
        for workers in (1, 2):
            measure("direct", workers, [f"beam.workers={workers}"], sizes, scratch)
        for workers in (1, 2):
            with Cluster(Path("out/flink"), workers) as cluster:
                measure("flink", workers, cluster.settings, sizes, scratch)
                if workers == 2:
                    measure_killed(cluster, sizes[1], scratch)


if __name__ == "__main__":
    main()
