"""Swara on this machine: from a folder of recordings to a published instrument, and what goes with it.

Exit codes: 0 done (or pushed), 3 a gate refused, 2 bad arguments, configuration or data, 1 a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
PUSHED, FAULT, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


def parser() -> argparse.ArgumentParser:
    """The command line. Nothing heavy is imported for it: `--help` is instant."""
    top = argparse.ArgumentParser(prog="local_runner.py", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="run | check | render")
    run = verbs.add_parser("run", help="recordings -> a trained, gated, pushed instrument")
    _instrument(run, required=True)
    run.add_argument("--recordings", type=Path, help="folder of recordings (default: data/recordings/NAME)")
    _output(run)
    _json(run)

    check = verbs.add_parser("check", help="what is wrong with these recordings, file by file")
    check.add_argument("--recordings", type=Path, required=True, help="folder of recordings")
    _instrument(check, required=False)
    _json(check)

    render = verbs.add_parser("render", help="turn any recording into the instrument")
    render.add_argument("--bundle", type=Path, required=True, help="pushed/NAME or pushed/NAME/VERSION")
    render.add_argument("--input", type=Path, required=True, help="a recording of a voice or an instrument")
    render.add_argument("--output", type=Path, required=True, help="wav or flac file to write")
    _json(render)
    return top


def _instrument(verb: argparse.ArgumentParser, required: bool) -> None:
    verb.add_argument("--instrument", required=required, metavar="NAME", help="a file in configs/instruments")
    verb.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="a.b=value",
        help="override a setting; repeatable",
    )


def _output(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--output", type=Path, default=Path("out"), help="folder of all results (default: out)")


def _json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--json", action="store_true", help="end standard output with one line of JSON: the run's figures"
    )


def run(arguments: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Runs the whole pipeline of one instrument and writes its report."""
    from pipeline.config import Places, load

    config = load(arguments.instrument, arguments.overrides)
    name = config.instrument.name
    places = Places(arguments.recordings or ROOT / "data" / "recordings" / name, arguments.output, name)
    from pipeline import local
    from pipeline.outcome import read_outcome
    from pipeline.report import write_report

    local.run(config, places)
    outcome = read_outcome(places)
    write_report(config, places, outcome)
    print(outcome.summary())
    return (PUSHED if outcome.pushed else REFUSED), outcome.figures()


def check(arguments: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Says what is wrong with recordings, file by file."""
    from components.recording_example_gen.check import check as check_recordings
    from components.recording_example_gen.progress import ProgressLine
    from pipeline.config import load

    config = load(arguments.instrument or "demo", arguments.overrides)
    report = check_recordings(arguments.recordings, config.extraction, ProgressLine())
    print(report.table())
    return (PUSHED if report.would_run else BAD_INPUT), report.to_json()


def render(arguments: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Turns a recording into the instrument of a bundle."""
    from pipeline.render import render as render_file

    figures = render_file(arguments.bundle, arguments.input, arguments.output)
    print(f"{arguments.output}: {figures['seconds']:.1f} s", *figures["notes"], sep="; ")
    return PUSHED, figures


def main(argv: list[str] | None = None) -> int:
    """Parses the command line, runs one verb and turns every outcome into an exit code and one clear message."""
    arguments = parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")  # libraries' words to their own developers
    from components.errors import UserError
    from components.verdict import GateRefused
    from pipeline.errors import Stopped

    try:
        code, figures = {"run": run, "check": check, "render": render}[arguments.verb](arguments)
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
    if arguments.json:
        print(json.dumps({"exit_code": code, **figures}))
    return code


if __name__ == "__main__":
    sys.exit(main())
