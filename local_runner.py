"""Swara on this machine: from a folder of recordings to a published instrument, and what goes with it.

Exit codes: 0 done (or pushed), 3 a gate refused, 2 bad arguments, configuration or data, 1 a fault.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from common.errors import UserError
from pipeline import command
from pipeline.command import BAD_INPUT, DONE, REFUSED, Result

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.store.folders import RunFolders

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

RECORDINGS = Path(__file__).resolve().parent / "data" / "recordings"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. Nothing heavy is imported for it: `--help` is instant."""
    top = command.Parser(prog="local_runner.py", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(
        dest="verb",
        required=True,
        metavar="run | retrain | sweep | check | render | transcribe | serve | rollback | lineage",
    )
    for add in (
        _add_run,
        _add_retrain,
        _add_sweep,
        _add_check,
        _add_render,
        _add_transcribe,
        _add_serve,
        _add_rollback,
        _add_lineage,
    ):
        verb = add(verbs)
        verb.add_argument("--json", action="store_true", help="end standard output with one line of JSON: the figures")
    return top


def _add_instrument(verb: argparse.ArgumentParser, required: bool) -> None:
    verb.add_argument(
        "--instrument", required=required, type=command.not_empty, metavar="NAME", help="a file in configs/instruments"
    )
    _add_overrides(verb)


def _add_overrides(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="a.b=value",
        help="override a setting; repeatable",
    )


def _add_published(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="an instrument in pushed/")
    verb.add_argument(
        "--output", type=command.path, default=Path("out"), help="folder that holds pushed/ (default: out)"
    )


def _add_run(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("run", help="recordings -> a trained, gated, pushed instrument")
    _add_instrument(verb, required=True)
    verb.add_argument("--recordings", type=command.path, help="folder of recordings (default: data/recordings/NAME)")
    verb.add_argument("--output", type=command.path, default=Path("out"), help="folder of all results (default: out)")
    verb.set_defaults(handler=_run)
    return verb


def _run(arguments: argparse.Namespace) -> Result:
    from pipeline.store.folders import RunFolders

    name = arguments.instrument
    folders = RunFolders(arguments.recordings or RECORDINGS / name, arguments.output, name)
    return _train(_configured(arguments, folders), folders)


def _configured(arguments: argparse.Namespace, folders: RunFolders, retraining: bool = False) -> Config:
    from pipeline.local.blessed import load_continuing

    return load_continuing(folders, arguments.overrides, retraining=retraining)


def _train(config: Config, folders: RunFolders) -> Result:
    from pipeline.local.run import run

    outcome = run(config, folders)
    print(outcome.summary())
    return (DONE if outcome.pushed else REFUSED), outcome.figures()


def _add_retrain(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("retrain", help="train on from the last blessed model where recordings are new")
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument("--instrument", metavar="NAME", help="a file in configs/instruments")
    which.add_argument("--all", action="store_true", help="every instrument with a folder of recordings")
    _add_overrides(verb)
    verb.add_argument(
        "--recordings",
        type=command.path,
        default=RECORDINGS,
        help="folder with a folder an instrument (default: data/recordings)",
    )
    verb.add_argument("--output", type=command.path, default=Path("out"), help="folder of all results (default: out)")
    verb.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="with --all: for all together; an instrument that needs more than an equal share of what is left is "
        "stopped, and resumes next time (default: no limit)",
    )
    verb.set_defaults(handler=_retrain)
    return verb


def _retrain(arguments: argparse.Namespace) -> Result:
    if arguments.all:
        return _retrain_all(arguments)
    if arguments.minutes is not None:
        raise UserError("--minutes: is shared among all instruments: give it with --all")
    from pipeline.retraining.up_to_date import up_to_date_version
    from pipeline.store.folders import RunFolders

    name = arguments.instrument
    folders = RunFolders(arguments.recordings / name, arguments.output, name)
    config = _configured(arguments, folders, retraining=True)
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


def _add_sweep(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("sweep", help="try many sizes of model, and push the smallest that sounds as good")
    _add_instrument(verb, required=True)
    verb.add_argument("--recordings", type=command.path, help="folder of recordings (default: data/recordings/NAME)")
    verb.add_argument("--trials", type=int, metavar="N", help="sizes to try (default: tuner.trials)")
    verb.add_argument("--workers", type=int, metavar="N", help="processes that try them (default: tuner.workers)")
    verb.add_argument("--output", type=command.path, default=Path("out"), help="folder of all results (default: out)")
    verb.set_defaults(handler=_sweep)
    return verb


def _sweep(arguments: argparse.Namespace) -> Result:
    tuner = {"enabled": True, "trials": arguments.trials, "workers": arguments.workers}
    settings = [f"tuner.{name}={value}" for name, value in tuner.items() if value is not None]
    arguments.overrides = [*arguments.overrides, *settings]
    return _run(arguments)


def _add_check(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("check", help="what is wrong with these recordings, file by file")
    verb.add_argument("--recordings", type=command.path, required=True, help="folder of recordings")
    _add_instrument(verb, required=False)
    verb.set_defaults(handler=_check)
    return verb


def _check(arguments: argparse.Namespace) -> Result:
    from pipeline.configuration.loading import load
    from pipeline.local.run import check

    report = check(load(arguments.instrument or "demo", arguments.overrides), arguments.recordings)
    print(report.table())
    return (DONE if report.would_run else BAD_INPUT), report.to_json()


def _add_render(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("render", help="turn any recording into the instrument")
    verb.add_argument("--bundle", type=command.path, required=True, help="pushed/NAME or pushed/NAME/VERSION")
    played = verb.add_mutually_exclusive_group(required=True)
    played.add_argument("--input", type=command.path, help="a recording of a voice or an instrument")
    played.add_argument("--midi", type=command.path, help="a standard MIDI file")
    verb.add_argument("--output", type=command.path, required=True, help="wav or flac file to write")
    verb.set_defaults(handler=_render)
    return verb


def _render(arguments: argparse.Namespace) -> Result:
    if arguments.midi:
        from player.midi.render import render_midi

        figures = render_midi(arguments.bundle, arguments.midi, arguments.output)
    else:
        from player.render import render

        figures = render(arguments.bundle, arguments.input, arguments.output)
    print(f"{arguments.output}: {figures['seconds']:.1f} s", *figures["notes"], sep="\n")
    return DONE, figures


def _add_transcribe(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("transcribe", help="the notes of a recording, as a standard MIDI file")
    verb.add_argument("--input", type=command.path, required=True, help="a recording of a voice or an instrument")
    verb.add_argument("--output", type=command.path, required=True, help=".mid file to write")
    verb.set_defaults(handler=_transcribe)
    return verb


def _transcribe(arguments: argparse.Namespace) -> Result:
    from player.midi.transcribe import transcribe

    figures = transcribe(arguments.input, arguments.output)
    print(f"{arguments.output}: {figures['notes']} notes in {figures['seconds']:.1f} s")
    return DONE, figures


def _add_serve(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("serve", help="the player and the published instruments, in a browser on this machine")
    verb.add_argument(
        "--output", type=command.path, default=Path("out"), help="folder that holds pushed/ (default: out)"
    )
    verb.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (default: 127.0.0.1)")
    verb.add_argument("--port", type=int, default=8000, metavar="P", help="port to listen on (default: 8000)")
    verb.set_defaults(handler=_serve)
    return verb


def _serve(arguments: argparse.Namespace) -> Result:
    from player.serve import serve

    return DONE, serve(arguments.output, arguments.host, arguments.port)


def _add_rollback(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("rollback", help="serve an earlier version of an instrument again")
    _add_published(verb)
    verb.add_argument("version", metavar="VERSION", help="a folder in pushed/NAME")
    verb.set_defaults(handler=_rollback)
    return verb


def _rollback(arguments: argparse.Namespace) -> Result:
    from pipeline.store.rollback import rollback

    now = rollback(arguments.output, arguments.name, arguments.version)
    print(f"{now.name}: {now.version} is served{'' if now.new else ' already'}")
    if now.new:
        print("the next training starts from the model that was blessed last, whichever is served (docs/retraining.md)")
    return DONE, {"name": now.name, "version": now.version, "changed": now.new}


def _add_lineage(verbs: Verbs) -> argparse.ArgumentParser:
    verb = verbs.add_parser("lineage", help="trace a version back: recordings, settings, code, model, gates")
    _add_published(verb)
    verb.add_argument("version", nargs="?", metavar="VERSION", help="default: the one that is served")
    verb.set_defaults(handler=_lineage)
    return verb


def _lineage(arguments: argparse.Namespace) -> Result:
    from pipeline.store.lineage import lineage

    traced = lineage(arguments.output, arguments.name, arguments.version)
    print(traced.text())
    return DONE, traced.to_json()


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one verb."""
    return command.main(parser(), argv)


if __name__ == "__main__":
    command.leave(main())
