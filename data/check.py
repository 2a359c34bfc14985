"""Checks a folder of recordings: the verdicts that a run would give, without training."""

from __future__ import annotations

import os
from pathlib import Path

from common.progress import ReportProgress
from data.analysis import analyse, make_tracker, printable_name
from data.config import ExtractionConfig
from data.files.decode import duration_seconds
from data.files.listing import input_pattern, list_recordings, resolve
from data.ingest_report import IngestReport
from data.windows.plan import Summary, make_plan


def check(folder: Path | str, extraction: ExtractionConfig, progress: ReportProgress | None = None) -> IngestReport:
    """Analyse every recording that a run would take.

    Args:
      folder: of recordings.
      extraction: what to measure and what to set aside.
      progress: called with the recording that is being analysed, and seconds of audio done and in all.

    Raises:
      UserError: the folder is absent, there is no audio file in it, or the tracker is not installed.
    """
    base = os.fspath(folder)
    tracker = make_tracker(extraction)
    pattern = resolve(base, input_pattern(base)).pattern
    listing = list_recordings(base, pattern, extraction.examples.span_window)
    lengths = {name: duration_seconds(Path(base) / name) for name in listing.names}
    total, done = sum(lengths.values()), 0.0
    summaries: list[Summary] = []
    for name in listing.names:

        def on_progress(seconds: float, name: str = name, before: float = done) -> None:
            if progress:
                progress(printable_name(name), min(before + seconds, total), total)

        on_progress(0.0)
        summaries.append(analyse(base, name, extraction, tracker, on_progress).summary())
        done += lengths[name]
    if progress:
        progress("", total, total)
    return make_plan(summaries, extraction).report
