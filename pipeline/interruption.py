"""Signals that ask a command to end: SIGTERM and SIGHUP are as clean as Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CLEANING_SECONDS = 15.0  # after the first signal, in which others change nothing: a browser may take 10 to close


class Interruption:
    """Whether a signal to end the command has come.

    Attributes:
      by: the first signal, or None.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        self._since = 0.0
        self._heeded = True

    @property
    def exit_code(self) -> int:
        """Return 128 and the number of the signal, as shells have it: 130 for Ctrl-C."""
        return 128 + (self.by or signal.SIGINT)

    def ignore_others(self) -> None:
        """Let no further signal disturb what is left to be cleaned up."""
        self._heeded = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the main thread, again where a library has swallowed the first."""
        if not self._heeded or (self.by and time.monotonic() - self._since < _CLEANING_SECONDS):
            return
        self.by, self._since = self.by or signal.Signals(number), time.monotonic()
        raise KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn signals into KeyboardInterrupt within the block; those that this process was started to ignore stay so."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield interruption
        return
    defaults = (signal.SIG_DFL, signal.default_int_handler)
    before = {one: handler for one in SIGNALS if (handler := signal.getsignal(one)) in defaults}
    for one in before:
        signal.signal(one, interruption.handle)
    try:
        yield interruption
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
