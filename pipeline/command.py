"""Run a verb of a command line: one exit code, one clear message, figures as JSON on demand."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import select
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from common.errors import Stopped, UserError
from common.processes.temporary import temporary_files_together
from common.text import one_line, shown
from common.verdict import GateRefused
from pipeline.interruption import SIGNALS, Interruption, interruptible

DONE, FAULT, BAD_INPUT, REFUSED = 0, 1, 2, 3  # after a signal: 128 and its number
UNREAD = 128 + signal.SIGPIPE  # as of other programs: in `lineage flute | head`, head ends first

NO_PATH = {errno.ENAMETOOLONG, errno.ELOOP}  # whatever is there or will be

Result = tuple[int, dict[str, Any]]  # exit code, figures


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, as every other mistake is."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with 2."""
        print(f"error: {one_line(message)} (`{self.prog} --help` lists the arguments)", file=sys.stderr)
        sys.exit(BAD_INPUT)


def not_empty(text: str) -> str:
    """Raise ArgumentTypeError for an empty argument: in a shell, a variable that is not set."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty")
    return text


def path(text: str) -> Path:
    """Return the path of an argument.

    Raises:
      ArgumentTypeError: no file can have it: it is empty (which would mean the folder that the command is run in), too
        long, or a ring of symbolic links.
    """
    try:
        os.stat(not_empty(text))
    except OSError as error:
        if error.errno in NO_PATH:
            raise argparse.ArgumentTypeError(f"{shown(text)}: {error.strerror}") from None
    return Path(text)


def main(parser: argparse.ArgumentParser, argv: list[str] | None) -> int:
    """Parse a command line, whose verb sets `handler` (a function of the arguments) and `json`, and run the verb."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 shows \u0938 where it has no such letter
            stream.reconfigure(errors="backslashreplace")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")  # libraries' warnings to their own developers
    with interruptible() as interruption, temporary_files_together():
        try:
            return run_verb(lambda: arguments.handler(arguments), arguments.json, interruption)
        except BrokenPipeError:
            if not any(map(_unread, (sys.stdout, sys.stderr))):
                raise
            return UNREAD
        finally:
            interruption.ignore_others()


def run_verb(verb: Callable[[], Result], as_json: bool, interruption: Interruption | None = None) -> int:
    """Run a verb and return its exit code; errors go to standard error, a gate's reasons to standard output.

    Args:
      verb: what to run.
      as_json: whether the last line of standard output is the figures.
      interruption: of the block that this is called in; what fails after a signal failed because of it.

    Raises:
      BrokenPipeError: nobody reads what is printed.
    """
    interruption = interruption or Interruption()
    try:
        code, figures = verb()
    except (Exception, KeyboardInterrupt) as error:
        interruption.ignore_others()
        interrupted = interruption.by or isinstance(error, KeyboardInterrupt)
        code, figures = _interrupted(interruption) if interrupted else _failed(error)
    if as_json:
        print(json.dumps({"exit_code": code, **figures}))
    if sys.stdout:
        sys.stdout.flush()  # here, where an error can be met, and not when Python ends
    return code


def leave(exit_code: int) -> NoReturn:
    """End the process; at once after a signal, for which threads of libraries would not stop their work."""
    if exit_code not in {128 + one for one in SIGNALS}:
        sys.exit(exit_code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError):  # it is closed
            stream.flush()
    os._exit(exit_code)


def _interrupted(interruption: Interruption) -> Result:
    with contextlib.suppress(OSError):  # the terminal is gone
        print("interrupted: nothing is lost, the same command resumes", file=sys.stderr)
    return interruption.exit_code, {"fault": "interrupted"}


def _failed(error: BaseException) -> Result:
    """Print what ended a verb, in one line, and return its exit code; raise what has no message of ours."""
    if isinstance(error, UserError):
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return BAD_INPUT, {"error": one_line(str(error))}
    if isinstance(error, GateRefused):
        print(f"refused by {error.verdict.gate}:", *error.verdict.reasons, sep="\n  ")
        return REFUSED, {"gate": error.verdict.gate, "reasons": list(error.verdict.reasons)}
    if isinstance(error, Stopped):
        print(f"fault: {error}", file=sys.stderr)
        return FAULT, {"fault": str(error)}
    raise error


def _unread(stream: TextIO) -> bool:
    """Check whether a stream is a pipe whose reader has ended; if so let it lead nowhere, so that Python can end."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    broken = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if broken:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), descriptor)
    return broken
