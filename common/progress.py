"""A line that moves: how far, how good, how fast, how long still."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TextIO

_REDRAW_SECONDS = 0.2  # on a terminal
_REPEAT_SECONDS = 10.0  # in a file or a pipe, where every report is a line of its own
_RATE_WINDOW = 30  # steps over which the speed is averaged


class Progress:
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
        """Say that `step` steps are done; `note` is shown beside, e.g. the loss."""
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

    def say(self, message: str) -> None:
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


def clock(seconds: float) -> str:
    """Minutes and seconds, hours before them where there are any: 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
