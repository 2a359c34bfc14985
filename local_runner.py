"""Swara on this machine: from a folder of recordings to a published instrument, and what goes with it.

Exit codes: 0 done (or pushed), 3 a gate refused, 2 bad arguments, configuration or data, 1 a fault.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import UserError
from pipeline import command
from pipeline.command import BAD_INPUT, DONE, REFUSED, Result

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.store.folders import RunFolders

RECORDINGS = Path(__file__).resolve().parent / "data" / "recordings"


def parser() -> argparse.ArgumentParser:
    """The command line. Nothing heavy is imported for it: `--help` is instant."""
    top = argparse.ArgumentParser(prog="local_runner.py", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(
        dest="verb", required=True, metavar="run | retrain | sweep | check | render | serve | rollback | lineage"
    )
    run = verbs.add_parser("run", help="recordings -> a trained, gated, pushed instrument")
    _instrument(run, required=True)
    run.add_argument("--recordings", type=Path, help="folder of recordings (default: data/recordings/NAME)")
    run.add_argument("--output", type=Path, default=Path("out"), help="folder of all results (default: out)")
    run.set_defaults(handler=_run)

    retrain = verbs.add_parser("retrain", help="go on training where recordings came, from the last blessed model")
    which = retrain.add_mutually_exclusive_group(required=True)
    which.add_argument("--instrument", metavar="NAME", help="a file in configs/instruments")
    which.add_argument("--all", action="store_true", help="every instrument with a folder of recordings")
    _overrides(retrain)
    retrain.add_argument(
        "--recordings",
        type=Path,
        default=RECORDINGS,
        help="folder with a folder an instrument (default: data/recordings)",
    )
    retrain.add_argument("--output", type=Path, default=Path("out"), help="folder of all results (default: out)")
    retrain.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="with --all: for all together; one that needs more than an equal share of what is left is stopped, and "
        "goes on the next time (default: no limit)",
    )
    retrain.set_defaults(handler=_retrain)

    sweep = verbs.add_parser("sweep", help="try many sizes of model, and push the smallest that sounds as good")
    _instrument(sweep, required=True)
    sweep.add_argument("--recordings", type=Path, help="folder of recordings (default: data/recordings/NAME)")
    sweep.add_argument("--trials", type=int, metavar="N", help="sizes to try (default: tuner.trials)")
    sweep.add_argument("--workers", type=int, metavar="N", help="processes that try them (default: tuner.workers)")
    sweep.add_argument("--output", type=Path, default=Path("out"), help="folder of all results (default: out)")
    sweep.set_defaults(handler=_sweep)

    check = verbs.add_parser("check", help="what is wrong with these recordings, file by file")
    check.add_argument("--recordings", type=Path, required=True, help="folder of recordings")
    _instrument(check, required=False)
    check.set_defaults(handler=_check)

    render = verbs.add_parser("render", help="turn any recording into the instrument")
    render.add_argument("--bundle", type=Path, required=True, help="pushed/NAME or pushed/NAME/VERSION")
    render.add_argument("--input", type=Path, required=True, help="a recording of a voice or an instrument")
    render.add_argument("--output", type=Path, required=True, help="wav or flac file to write")
    render.set_defaults(handler=_render)

    serve = verbs.add_parser("serve", help="the player and the published instruments, in a browser on this machine")
    serve.add_argument("--output", type=Path, default=Path("out"), help="folder that holds pushed/ (default: out)")
    serve.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, metavar="P", help="port to listen on (default: 8000)")
    serve.set_defaults(handler=_serve)

    rollback = verbs.add_parser("rollback", help="serve an earlier version of an instrument again")
    _published(rollback)
    rollback.add_argument("version", metavar="VERSION", help="a folder in pushed/NAME")
    rollback.set_defaults(handler=_rollback)

    lineage = verbs.add_parser("lineage", help="what a version was made of: recordings, settings, code, model, gates")
    _published(lineage)
    lineage.add_argument("version", nargs="?", metavar="VERSION", help="default: the one that is served")
    lineage.set_defaults(handler=_lineage)
    for verb in (run, retrain, sweep, check, render, serve, rollback, lineage):
        verb.add_argument("--json", action="store_true", help="end standard output with one line of JSON: the figures")
    return top


def _published(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="an instrument in pushed/")
    verb.add_argument("--output", type=Path, default=Path("out"), help="folder that holds pushed/ (default: out)")


def _instrument(verb: argparse.ArgumentParser, required: bool) -> None:
    verb.add_argument("--instrument", required=required, metavar="NAME", help="a file in configs/instruments")
    _overrides(verb)


def _overrides(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="a.b=value",
        help="override a setting; repeatable",
    )


def _run(arguments: argparse.Namespace) -> Result:
    from pipeline.configuration.loading import load
    from pipeline.store.folders import RunFolders

    config = load(arguments.instrument, arguments.overrides)
    name = config.instrument.name
    return _train(config, RunFolders(arguments.recordings or RECORDINGS / name, arguments.output, name))


def _retrain(arguments: argparse.Namespace) -> Result:
    if arguments.all:
        return _retrain_all(arguments)
    if arguments.minutes is not None:
        raise UserError("--minutes: is shared among all instruments: give it with --all")
    from pipeline.configuration.loading import load
    from pipeline.retraining.up_to_date import up_to_date_version
    from pipeline.store.folders import RunFolders

    name = arguments.instrument
    config = load(name, arguments.overrides, retraining=True)
    folders = RunFolders(arguments.recordings / name, arguments.output, name)
    version = up_to_date_version(config, folders)
    if version is not None:
        print(f"{name}: nothing new: {version} was made of these recordings with these settings")
        return DONE, {"pushed": False, "version": version}
    return _train(config, folders)


def _retrain_all(arguments: argparse.Namespace) -> Result:
    from pipeline.retraining.retrain_all import meaning, retrain_all, worst

    exit_codes = retrain_all(
        Path(__file__), arguments.recordings, arguments.output, arguments.overrides, arguments.minutes
    )
    for name, code in exit_codes.items():
        print(f"{name}: {meaning(code)}")
    return worst(exit_codes.values()), {"instruments": exit_codes}


def _train(config: Config, folders: RunFolders) -> Result:
    from pipeline.local.run import run

    outcome = run(config, folders)
    print(outcome.summary())
    return (DONE if outcome.pushed else REFUSED), outcome.figures()


def _sweep(arguments: argparse.Namespace) -> Result:
    given = {"enabled": True, "trials": arguments.trials, "workers": arguments.workers}
    settings = [f"tuner.{name}={value}" for name, value in given.items() if value is not None]
    arguments.overrides = [*arguments.overrides, *settings]
    return _run(arguments)


def _check(arguments: argparse.Namespace) -> Result:
    from pipeline.configuration.loading import load
    from pipeline.local.run import check

    report = check(load(arguments.instrument or "demo", arguments.overrides), arguments.recordings)
    print(report.table())
    return (DONE if report.would_run else BAD_INPUT), report.to_json()


def _render(arguments: argparse.Namespace) -> Result:
    from player.render import render

    figures = render(arguments.bundle, arguments.input, arguments.output)
    print(f"{arguments.output}: {figures['seconds']:.1f} s", *figures["notes"], sep="\n")
    return DONE, figures


def _serve(arguments: argparse.Namespace) -> Result:
    from player.serve import serve

    return DONE, serve(arguments.output, arguments.host, arguments.port)


def _rollback(arguments: argparse.Namespace) -> Result:
    from pipeline.store.rollback import rollback

    now = rollback(arguments.output, arguments.name, arguments.version)
    print(f"{now.name}: {now.version} is served{'' if now.new else ' already'}")
    if now.new:
        print("the next training starts from the model that was blessed last, whichever is served (docs/retraining.md)")
    return DONE, {"name": now.name, "version": now.version, "changed": now.new}


def _lineage(arguments: argparse.Namespace) -> Result:
    from pipeline.store.lineage import lineage

    traced = lineage(arguments.output, arguments.name, arguments.version)
    print(traced.text())
    return DONE, traced.to_json()


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and runs one verb."""
    return command.main(parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
