"""The state that retraining keeps between runs: all files under `--output` but the bulky ones.

`python -m pipeline.retraining.state thin OUTPUT` before the state is kept, `... settle OUTPUT` after it was restored.
Windows of audio are most of the bytes and are cut again from the recordings when they are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as pb

from data.ingest_report import REPORT_FILE
from pipeline import command
from pipeline.command import DONE, Result
from pipeline.local.run import only_run
from pipeline.store import moved
from pipeline.store.folders import METADATA_FILE, RunFolders
from pipeline.store.records import check_store

BULKY = ("Examples", "ModelRun")  # types of artifacts
FOLDERS = ("examples", "transformed_examples", "model_run")  # of their artifacts, as outputs of nodes


def thin(output: Path) -> int:
    """Remove windows of audio and TensorBoard's logs, and mark them as deleted in the store, so that no cache has them.

    Ingest reports, the analysis of each recording, stay: `lineage` shows them.

    Returns:
      The number of artifacts that became empty.

    Raises:
      UserError: a metadata store is damaged, or an instrument is being made at the time.
    """
    return _sum_over_instruments(output, _thin_one)


def _thin_one(folders: RunFolders) -> int:
    store = moved.writable(folders)
    of_kinds = [artifact for kind in BULKY for artifact in store.get_artifacts_by_type(kind)]
    live = [artifact for artifact in of_kinds if artifact.state == pb.Artifact.LIVE]
    for artifact in live:
        artifact.state = pb.Artifact.DELETED
    store.put_artifacts(live)
    for name in FOLDERS:  # by folder, since an interrupted run leaves some that no one recorded
        for path in folders.pipeline_root.glob(f"*/{name}/*/*"):
            _remove(path)
    return len(live)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.name != REPORT_FILE:
        path.unlink()


def settle(output: Path) -> int:
    """Update the metadata stores to where `output` is now: they hold the absolute path of every artifact.

    Returns:
      The number of artifacts whose path changed.

    Raises:
      UserError: a metadata store is damaged, or an instrument is being made at the time.
    """
    return _sum_over_instruments(output, moved.settle)


def _sum_over_instruments(output: Path, change: Callable[[RunFolders], int]) -> int:
    """Change every instrument's state, once all are locked: nothing is changed beside a run that relies on it."""
    instruments = list(_instruments(output))
    with contextlib.ExitStack() as locks:
        for folders in instruments:
            locks.enter_context(only_run(folders))
        return sum(map(change, instruments))


def _instruments(output: Path) -> Iterator[RunFolders]:
    """Yield the instruments with a metadata store. An empty store has no records: its first run was killed at once."""
    for metadata in sorted(output.glob(f"*/{METADATA_FILE}")):
        folders = RunFolders(recordings=Path(), output=output, name=metadata.parent.name)
        if metadata.stat().st_size:
            # Rolls back the transaction of a killed run, and raises UserError for a damaged store.
            check_store(folders.metadata, folders.pipeline_root)
        if metadata.stat().st_size:
            yield folders


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline.retraining.state", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="thin | settle")
    thinned = verbs.add_parser("thin", help="remove what is bulky: windows of audio, logs of training")
    thinned.set_defaults(handler=_thin)
    settled = verbs.add_parser("settle", help="update the paths in the metadata stores to where they are now")
    settled.set_defaults(handler=_settle)
    for verb in (thinned, settled):
        verb.add_argument("output", type=Path, metavar="OUTPUT", help="folder given by --output")
        verb.set_defaults(json=False)
    return top


def _thin(arguments: argparse.Namespace) -> Result:
    return DONE, {"removed": thin(arguments.output)}


def _settle(arguments: argparse.Namespace) -> Result:
    return DONE, {"moved": settle(arguments.output)}


if __name__ == "__main__":
    command.leave(command.main(parser(), None))
