"""Progress on a terminal: of steps, and of seconds of audio; both on one line that is written over."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

_REDRAW_SECONDS = 0.2  # on a terminal
_REPEAT_SECONDS = 10.0  # in a file or a pipe, where every report is a line of its own
_RATE_WINDOW = 30  # steps over which the speed is averaged

RECORDINGS_LOG = "swara.recordings"  # the logger that reports, inside Beam, each recording that was analysed
ReportProgress = Callable[[str, float, float], None]  # (recording, seconds of audio done, seconds in all)


class StepProgress:
    """Shows the progress of `total` steps on a terminal as one moving line, elsewhere as a line now and then.

    Args:
      total: steps in all.
      start: steps done before, by a run that was interrupted.
      label: what is being done.
      stream: where to; standard error by default, since standard output is for results.
    """

    def __init__(self, total: int, start: int = 0, label: str = "training", stream: TextIO | None = None):
        self._total, self._label = total, label
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._shown_at = float("-inf")
        self._width = 0
        self._marks: deque[tuple[int, float]] = deque([(start, time.monotonic())], maxlen=_RATE_WINDOW + 1)

    def update(self, step: int, note: str = "") -> None:
        """Show that `step` steps are done; `note` is printed beside them, e.g. the loss."""
        now = time.monotonic()
        self._marks.append((step, now))
        wait = _REDRAW_SECONDS if self._moves else _REPEAT_SECONDS
        if now - self._shown_at < wait and step < self._total:
            return
        self._shown_at = now
        line = self._line(step, note)
        if self._moves:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def print_line(self, message: str) -> None:
        """Print a line that stays."""
        self.close()
        self._stream.write(message + "\n")
        self._stream.flush()

    def close(self) -> None:
        """End the moving line, so that what is printed next stands on its own."""
        if self._moves and self._width:
            self._stream.write("\n")
            self._width = 0

    def _line(self, step: int, note: str) -> str:
        (first, began), (last, now) = self._marks[0], self._marks[-1]
        parts = [f"{self._label} {step}/{self._total}"]
        if note:
            parts.append(note)
        if last > first and now > began:
            rate = (last - first) / (now - began)
            parts += [f"{rate:.1f} steps/s", f"{clock((self._total - step) / rate)} left"]
        return "  ".join(parts)


class RecordingProgress:
    """Shows how many seconds of recordings are done: on a terminal as one moving line, elsewhere not at all.

    It is a `ReportProgress`.

    Args:
      stream: where to; standard error by default.
      interval_seconds: between two drawings.
    """

    def __init__(self, stream: TextIO | None = None, interval_seconds: float = _REDRAW_SECONDS):
        self._stream = stream or sys.stderr
        self._interval = interval_seconds
        self._shown_at = float("-inf")

    def __call__(self, recording: str, done_seconds: float, total_seconds: float) -> None:
        """Show a step; the last one clears the line."""
        if not self._stream.isatty():
            return
        if done_seconds >= total_seconds:
            self._stream.write("\r\033[K")
        elif time.monotonic() - self._shown_at >= self._interval:
            self._shown_at = time.monotonic()
            share = done_seconds / max(total_seconds, 1e-9)
            name = recording if len(recording) <= 40 else "..." + recording[-37:]
            bar = "#" * round(20 * share)
            self._stream.write(f"\r\033[K[{bar:<20}] {clock(done_seconds)} of {clock(total_seconds)}  {name}")
        self._stream.flush()


def clock(seconds: float, tenths: bool = False) -> str:
    """Format a length of time: minutes and seconds, hours before them where there are any: 3:07, 3:07.4, 1:02:03."""
    whole = math.floor(seconds * 10) if tenths else 10 * round(seconds)
    minutes, rest = divmod(whole, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 10:02d}" + (f".{rest % 10}" if tenths else "")
