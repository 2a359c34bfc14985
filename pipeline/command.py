"""Run a verb of a command line: one exit code, one clear message, figures as JSON on demand."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

from common.errors import Stopped, UserError
from common.verdict import GateRefused

DONE, FAULT, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

Result = tuple[int, dict[str, Any]]  # exit code, figures


def main(parser: argparse.ArgumentParser, argv: list[str] | None) -> int:
    """Parse a command line, whose verb sets `handler` (a function of the arguments) and `json`, and run the verb."""
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")  # libraries' warnings to their own developers
    return run_verb(lambda: arguments.handler(arguments), arguments.json)


def run_verb(verb: Callable[[], Result], as_json: bool) -> int:
    """Run a verb and return its exit code; errors go to standard error, a gate's reasons to standard output."""
    try:
        code, figures = verb()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code, figures = BAD_INPUT, {"error": str(error)}
    except GateRefused as refusal:
        print(f"refused by {refusal.verdict.gate}:", *refusal.verdict.reasons, sep="\n  ")
        code, figures = REFUSED, {"gate": refusal.verdict.gate, "reasons": list(refusal.verdict.reasons)}
    except Stopped as fault:
        print(f"fault: {fault}", file=sys.stderr)
        code, figures = FAULT, {"fault": str(fault)}
    except KeyboardInterrupt:
        print("interrupted: nothing is lost, the same command goes on from here", file=sys.stderr)
        code, figures = INTERRUPTED, {"fault": "interrupted"}
    if as_json:
        print(json.dumps({"exit_code": code, **figures}))
    return code
