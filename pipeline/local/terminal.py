"""Progress of a run on the terminal, and the log file that takes all other output."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from common.progress import RECORDINGS_LOG

LOG_FILE = "run.log"


class _LastingTerminal(io.FileIO):
    """A terminal or pipe that may close before a run of hours has ended, which costs the run nothing."""

    def write(self, content: Any, /) -> int:
        """Write what can be written."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


class StageProgress(logging.Handler):
    """Turns the runner's log into a line a stage: its name while it runs, then how long it took."""

    def __init__(self, out: TextIO):
        super().__init__(logging.INFO)
        self._out = out
        self._began = 0.0
        self._cached = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line for `LocalDagRunner`'s "is running" and "is finished" (or cached), and for each recording."""
        if record.msg == "Component %s is running.":
            self._began, self._cached = time.monotonic(), False
            print(f"{record.args[0]} ...", file=self._out, flush=True)  # type: ignore[index]
        elif "cached execution" in str(record.msg).lower() or "is skipped" in str(record.msg).lower():
            self._cached = True
        elif record.msg == "Component %s is finished.":
            took = "cached" if self._cached else f"{time.monotonic() - self._began:.1f} s"
            print(f"{record.args[0]}: {took}", file=self._out, flush=True)  # type: ignore[index]
        elif record.name == RECORDINGS_LOG:
            print(f"  {record.getMessage()}", file=self._out, flush=True)


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[Path]:
    """Send the output of libraries to `run.log`, whose path it yields.

    Standard error is left to Python's own lines and to one for each stage.
    """
    path = folder / LOG_FILE
    path.write_bytes(b"")
    with _native_messages_to(path), _python_messages_to(path):
        yield path


@contextlib.contextmanager
def _native_messages_to(log: Path) -> Iterator[None]:
    """Libraries' native code writes to file descriptor 2, whatever Python's `sys.stderr` is."""
    try:
        native = sys.stderr.fileno() == 2
    except (OSError, ValueError):
        native = False
    if not native:  # `sys.stderr` has been redirected already
        yield
        return
    terminal, python = os.dup(2), sys.stderr
    raw = _LastingTerminal(os.dup(terminal), "wb")
    stream = io.TextIOWrapper(raw, python.encoding, "backslashreplace", line_buffering=True, write_through=True)
    with log.open("ab") as file, stream as sys.stderr:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            sys.stderr.flush()
            sys.stderr = python


@contextlib.contextmanager
def _python_messages_to(log: Path) -> Iterator[None]:
    from absl import logging as absl_logging

    file = logging.FileHandler(log, mode="a", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    absl_logging.use_absl_handler()
    absl_logging.get_absl_handler().setLevel(logging.CRITICAL)
    absl_logging.set_verbosity(absl_logging.INFO)
    root.handlers = [file, StageProgress(sys.stderr)]
    logging.getLogger("tensorflow").handlers.clear()  # its messages go to the root logger, as all others
    logging.captureWarnings(True)
    loud, logging.raiseExceptions = logging.raiseExceptions, False  # a log that cannot be written stops nothing
    try:
        yield
    finally:
        logging.raiseExceptions = loud
        root.handlers = before
        root.setLevel(level)
        logging.captureWarnings(False)
        file.close()
