"""Run a verb of a command line: one exit code, one clear message, figures as JSON on demand."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from common.errors import Stopped, UserError
from common.text import one_line, shown
from common.verdict import GateRefused

DONE, FAULT, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

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
    return run_verb(lambda: arguments.handler(arguments), arguments.json)


def run_verb(verb: Callable[[], Result], as_json: bool) -> int:
    """Run a verb and return its exit code; errors go to standard error, a gate's reasons to standard output."""
    try:
        code, figures = verb()
    except UserError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        code, figures = BAD_INPUT, {"error": one_line(str(error))}
    except GateRefused as refusal:
        print(f"refused by {refusal.verdict.gate}:", *refusal.verdict.reasons, sep="\n  ")
        code, figures = REFUSED, {"gate": refusal.verdict.gate, "reasons": list(refusal.verdict.reasons)}
    except Stopped as fault:
        print(f"fault: {fault}", file=sys.stderr)
        code, figures = FAULT, {"fault": str(fault)}
    except KeyboardInterrupt:
        print("interrupted: nothing is lost, the same command resumes", file=sys.stderr)
        code, figures = INTERRUPTED, {"fault": "interrupted"}
    if as_json:
        print(json.dumps({"exit_code": code, **figures}))
    return code
