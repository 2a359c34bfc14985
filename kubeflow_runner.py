"""Swara on a cluster: compiles an instrument's pipeline for Vertex or Kubeflow Pipelines, and starts it there.

Exit codes: 0 done, 2 bad arguments or configuration, or a service that did not accept the run, 1 a fault.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import UserError
from pipeline import command
from pipeline.command import DONE, Result

if TYPE_CHECKING:
    from pipeline.cluster.fleet import Chosen, Fleet
    from pipeline.cluster.submission import Service


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. Nothing heavy is imported for it: `--help` is instant."""
    top = command.Parser(prog="kubeflow_runner.py", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="compile | submit")
    compile_ = verbs.add_parser("compile", help="write a PipelineJob (schema 2.1)")
    compile_.add_argument(
        "--output", type=command.path, required=True, help="JSON file; with --all a folder, NAME.json each"
    )
    compile_.set_defaults(handler=_compile)

    submit = verbs.add_parser("submit", help="compile and start a run on Vertex or on Kubeflow Pipelines")
    submit.add_argument("--dry-run", action="store_true", help="print the request, and send nothing")
    submit.add_argument("--project", help="Google Cloud project: the run goes to Vertex")
    submit.add_argument("--region", help="of Vertex, for example europe-west4")
    submit.add_argument("--service-account", help="that Vertex runs the steps as (default: the project's)")
    submit.add_argument("--endpoint", metavar="URL", help="of Kubeflow Pipelines; with --project, of Vertex's API")
    submit.add_argument("--experiment", default="swara", help="of Kubeflow Pipelines (default: swara)")
    submit.add_argument("--namespace", help="of Kubeflow Pipelines, where it has many users")
    submit.add_argument("--token-file", type=command.path, help="bearer token for Kubeflow Pipelines")
    submit.set_defaults(handler=_submit)
    for verb in (compile_, submit):
        _add_pipeline(verb)
        verb.add_argument("--json", action="store_true", help="end standard output with one line of JSON")
    return top


def _add_pipeline(verb: argparse.ArgumentParser) -> None:
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument("--instrument", metavar="NAME", help="a file in configs/instruments")
    which.add_argument("--all", action="store_true", help="every instrument that has recordings")
    verb.add_argument(
        "--pipeline-root",
        required=True,
        type=command.not_empty,
        metavar="URI",
        help="of artifacts, checkpoints and pushed/",
    )
    verb.add_argument("--image", required=True, type=command.not_empty, help="container image, made with Dockerfile")
    verb.add_argument(
        "--gpu-image", type=command.not_empty, metavar="IMAGE", help="of the steps that have an accelerator"
    )
    verb.add_argument(
        "--recordings",
        type=command.not_empty,
        metavar="URI",
        help="of the instrument's recordings (default: URI/recordings/NAME); with --all, of a folder that holds one "
        "folder an instrument, which is listed",
    )
    verb.add_argument(
        "--layout",
        choices=("files", "spans", "versions"),
        help="of one instrument's recordings: files, span-N folders or span-N/version-M folders (default: spans, or "
        "those of the folder)",
    )
    verb.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="a.b=value", help="override; repeatable"
    )


def _fleet(arguments: argparse.Namespace) -> Fleet:
    from pipeline.cluster.fleet import all_with_recordings, one_instrument

    root = f"{arguments.pipeline_root.rstrip('/')}/recordings"
    if arguments.all:
        if arguments.layout is not None:
            raise UserError(
                "--layout: with --all every instrument's recordings are listed: leave it out, or name one --instrument"
            )
        return all_with_recordings(arguments.recordings or root, arguments.overrides)
    recordings = arguments.recordings or f"{root}/{arguments.instrument}"
    return one_instrument(arguments.instrument, recordings, arguments.layout, arguments.overrides)


def _compiled(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return PipelineJobs by instrument; all of them are compiled before any is used."""
    fleet = _fleet(arguments)
    for name, why in fleet.left_out.items():
        print(f"{name}: left out: {why}", file=sys.stderr)
    from pipeline.cluster.compile import Job, compile_job

    def compile_one(chosen: Chosen) -> dict[str, Any]:
        job = Job(chosen.recordings, arguments.pipeline_root, arguments.image, chosen.layout, arguments.gpu_image)
        return compile_job(chosen.config, job)

    return {name: compile_one(chosen) for name, chosen in fleet.chosen.items()}


def _compile(arguments: argparse.Namespace) -> Result:
    from pipeline.cluster.spec_file import write_spec

    written = {}
    for name, compiled in _compiled(arguments).items():
        path = arguments.output / f"{name}.json" if arguments.all else arguments.output
        write_spec(path, compiled)
        print(f"{name}: {path}")
        written[name] = str(path)
    return DONE, {"compiled": written}


def _submit(arguments: argparse.Namespace) -> Result:
    from pipeline.cluster.submission import run_name

    service = _service(arguments)
    started: dict[str, Any] = {}
    for name, compiled in _compiled(arguments).items():
        run = run_name(name, datetime.now(timezone.utc))
        if arguments.dry_run:
            request = service.request(compiled, run)
            print(f"POST {request.url}\n{json.dumps(request.body, indent=1, sort_keys=True)}")
            started[name] = request.url
            continue
        try:
            started[name] = service.send(compiled, run)
        except UserError as error:
            raise UserError(f"{name}: {error}. Started before it: {', '.join(started) or 'none'}") from error
        print(f"{name}: {started[name]}")
    return DONE, {"dry_run": started} if arguments.dry_run else {"started": started}


def _service(arguments: argparse.Namespace) -> Service:
    from pipeline.cluster.submission import Kubeflow, Vertex

    if arguments.project:
        if not arguments.region:
            raise UserError("--region: Vertex runs pipelines in one region: name it, for example --region europe-west4")
        return Vertex(arguments.project, arguments.region, arguments.service_account, arguments.endpoint)
    if not arguments.endpoint:
        raise UserError("--project and --region send the run to Vertex, --endpoint to Kubeflow Pipelines: give either")
    token = _token(arguments.token_file) if arguments.token_file else None
    return Kubeflow(arguments.endpoint, arguments.experiment, arguments.namespace, token)


def _token(path: Path) -> str:
    from pipeline.bearer import bearer_token

    where = f"--token-file {path}"
    try:
        return bearer_token(path.read_text(encoding="ascii", errors="replace"), where)
    except OSError as error:
        raise UserError(f"{where}: {error.strerror}") from None


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one verb."""
    return command.main(parser(), argv)


if __name__ == "__main__":
    command.leave(main())
