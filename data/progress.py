"""Progress of work that takes minutes: a line on standard error that rewrites itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from data.ingest_report import clock

HEARD_LOG = "swara.heard"  # the logger that says, inside Beam, which recording was heard
Progress = Callable[[str, float, float], None]  # (recording, seconds done, seconds in all)


class ProgressLine:
    """Writes where the work is. On a terminal one line moves; elsewhere nothing is written."""

    def __init__(self, out: TextIO | None = None, interval_seconds: float = 0.2):
        self._out = out or sys.stderr
        self._interval = interval_seconds
        self._written = -float("inf")

    def __call__(self, recording: str, done_seconds: float, total_seconds: float) -> None:
        """Show a step; the last one clears the line."""
        if not self._out.isatty():
            return
        if done_seconds >= total_seconds:
            self._out.write("\r\033[K")
        elif time.monotonic() - self._written >= self._interval:
            self._written = time.monotonic()
            share = done_seconds / max(total_seconds, 1e-9)
            name = recording if len(recording) <= 40 else "..." + recording[-37:]
            bar = "#" * round(20 * share)
            self._out.write(f"\r\033[K[{bar:<20}] {clock(done_seconds)} of {clock(total_seconds)}  {name}")
        self._out.flush()
