"""What retraining keeps between runs: all that lies under `--output`, but for what is bulky.

`python -m pipeline.retraining.state thin OUTPUT` before it is kept, `... settle OUTPUT` after it was put
back. Windows of audio are most of what there is and are cut again from the recordings when they are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from data.ingest_report import REPORT_FILE
from pipeline import command
from pipeline.command import DONE, Answer
from pipeline.local.run import only_run
from pipeline.store.folders import RunFolders
from pipeline.store.records import check_store

BULKY = ("Examples", "ModelRun")  # types of artifacts
FOLDERS = ("examples", "transformed_examples", "model_run")  # of their artifacts, as outputs of nodes


def thin(output: Path) -> int:
    """Remove windows of audio and TensorBoard's logs, and marks them in the store as gone, so that no cache has them.

    Reports of what was heard in each recording stay: `lineage` shows them.

    Returns:
      How many artifacts became empty.

    Raises:
      UserError: a metadata store is damaged, or an instrument is being made at the time.
    """
    return _sum_over_instruments(output, _thin_one)


def _thin_one(places: RunFolders) -> int:
    store = _writable(places)
    held = [one for kind in BULKY for one in store.get_artifacts_by_type(kind) if one.state == pb.Artifact.LIVE]
    for artifact in held:
        artifact.state = pb.Artifact.DELETED
    store.put_artifacts(held)
    for name in FOLDERS:  # by folder, since an interrupted run leaves some that no one recorded
        for path in places.pipeline_root.glob(f"*/{name}/*/*"):
            _remove(path)
    return len(held)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.name != REPORT_FILE:
        path.unlink()


def settle(output: Path) -> int:
    """Tell the metadata stores where `output` is now: they name every artifact by its whole path.

    Returns:
      How many artifacts had been somewhere else.

    Raises:
      UserError: a metadata store is damaged, or an instrument is being made at the time.
    """
    return _sum_over_instruments(output, _settle_one)


def _settle_one(places: RunFolders) -> int:
    store, below = _writable(places), f"/{places.name}/pipeline/"
    changed = []
    for artifact in store.get_artifacts():
        _, found, rest = artifact.uri.rpartition(below)
        place = f"{places.pipeline_root.resolve()}/{rest}"
        if found and place != artifact.uri:
            artifact.uri = place
            changed.append(artifact)
    store.put_artifacts(changed)
    return len(changed)


def _sum_over_instruments(output: Path, change: Callable[[RunFolders], int]) -> int:
    """Changes every instrument's state, once no run has any: what a run relies on is not taken from under it."""
    instruments = list(_instruments(output))
    with contextlib.ExitStack() as held:
        for places in instruments:
            held.enter_context(only_run(places))
        return sum(map(change, instruments))


def _instruments(output: Path) -> Iterator[RunFolders]:
    """Those with a store; an empty one knows nothing yet: the run that began it was killed at once."""
    for metadata in sorted(output.glob("*/metadata.sqlite")):
        places = RunFolders(recordings=Path(), output=output, name=metadata.parent.name)
        if metadata.stat().st_size:
            # Undoes what a killed run had half written, and says clearly what is wrong, where something is.
            check_store(places.metadata, places.pipeline_root)
        if metadata.stat().st_size:
            yield places


def _writable(places: RunFolders) -> mlmd.MetadataStore:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(places.metadata)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE
    return mlmd.MetadataStore(config)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline.retraining.state", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="thin | settle")
    thinned = verbs.add_parser("thin", help="remove what is bulky: windows of audio, logs of training")
    thinned.set_defaults(answer=_thin)
    settled = verbs.add_parser("settle", help="tell the metadata stores where they are now")
    settled.set_defaults(answer=_settle)
    for verb in (thinned, settled):
        verb.add_argument("output", type=Path, metavar="OUTPUT", help="folder given by --output")
        verb.set_defaults(json=False)
    return top


def _thin(arguments: argparse.Namespace) -> Answer:
    return DONE, {"removed": thin(arguments.output)}


def _settle(arguments: argparse.Namespace) -> Answer:
    return DONE, {"moved": settle(arguments.output)}


if __name__ == "__main__":
    sys.exit(command.main(parser(), None))
