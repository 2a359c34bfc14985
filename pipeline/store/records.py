"""What a run left in the metadata store: which node made which artifact, and which nodes were served from the cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from common.errors import UserError


@dataclass(frozen=True)
class Made:
    """One artifact.

    Attributes:
      uri: its folder.
      properties: custom and declared properties, plain values.
    """

    uri: Path
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """The last run of a pipeline.

    Attributes:
      artifacts: by node and output name, e.g. `artifacts["Trainer"]["model"]`.
      cached: nodes whose earlier result was used again.
    """

    artifacts: Mapping[str, Mapping[str, Made]]
    cached: frozenset[str]

    def find(self, node: str, output: str) -> Made | None:
        """An artifact, or None where the run did not get that far."""
        return self.artifacts.get(node, {}).get(output)


def last_run(metadata: Path) -> RunRecord:
    """Read the newest run from a SQLite metadata store.

    Raises:
      UserError: there is no store, no run in it, or it is damaged.
    """
    with opened(metadata) as store:
        runs = store.get_contexts_by_type("pipeline_run")
        if not runs:
            raise UserError(f"{metadata}: no run is recorded in it yet")
        newest = max(runs, key=lambda context: context.create_time_since_epoch)
        executions = store.get_executions_by_context(newest.id)
        artifacts = {_node(store, execution): _outputs(store, execution) for execution in executions}
        cached = frozenset(_node(store, one) for one in executions if one.last_known_state == pb.Execution.CACHED)
    return RunRecord(artifacts, cached)


def check_store(metadata: Path, artifacts: Path) -> None:
    """Make sure, before anything is written, that a run can go on from what earlier ones recorded.

    Opening the store undoes what a killed run was about to write, as SQLite does for every reader.

    Args:
      metadata: a SQLite metadata store; one that is absent or empty is begun by the run.
      artifacts: folder of all that the store's runs made. A new store would number its executions from 1 again, and
        mix what they make with what is there.

    Raises:
      UserError: the store is damaged, or it is gone and the artifacts are not.
    """
    if not metadata.exists() or not metadata.stat().st_size:  # empty: the run that began it was killed at once
        if artifacts.exists():
            raise UserError(
                f"{metadata}: the metadata store is gone, but what it knew of is still in {artifacts}: put the store "
                f"back, or move {metadata.parent} away to start anew; what is pushed stays"
            )
        return
    try:
        with closing(sqlite3.connect(f"{metadata.resolve().as_uri()}?mode=rw", uri=True)) as store:
            [[found]] = store.execute("PRAGMA integrity_check(1)")
    except sqlite3.Error as error:
        found = str(error)
    if found == "ok" and not metadata.stat().st_size:  # all that was in it had been half written
        return
    if found != "ok":
        raise _unreadable(metadata, found)
    with opened(metadata):
        pass


@contextmanager
def opened(metadata: Path) -> Iterator[mlmd.MetadataStore]:
    """Open a SQLite metadata store for reading.

    Raises:
      UserError: there is none, or it is damaged, whether that shows now or while it is read.
    """
    if not metadata.exists():
        raise UserError(f"{metadata}: no metadata store: nothing was run with this --output yet")
    try:
        yield mlmd.MetadataStore(_connection(metadata))
    except (mlmd.errors.StatusError, RuntimeError) as error:  # the second where it cannot even be opened
        raise _unreadable(metadata, str(error)) from None


def _unreadable(metadata: Path, said: str) -> UserError:
    return UserError(
        f"{metadata}: not a readable metadata store ({' '.join(said.split())[:200]}): put back a copy of it, or move "
        f"{metadata.parent} away to start anew; what is pushed stays"
    )


def properties(record: pb.Artifact | pb.Execution) -> dict[str, Any]:
    """Declared and custom properties as plain values."""
    values = {**record.properties, **record.custom_properties}
    return {
        name: getattr(value, value.WhichOneof("value")) for name, value in values.items() if value.WhichOneof("value")
    }


def _connection(metadata: Path) -> pb.ConnectionConfig:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    return config


def _node(store: mlmd.MetadataStore, execution: pb.Execution) -> str:
    """The node's id: its context is called `PIPELINE.NODE`."""
    [context] = [one for one in store.get_contexts_by_execution(execution.id) if one.type == "node"]
    return str(context.name.split(".", 1)[1])


def _outputs(store: mlmd.MetadataStore, execution: pb.Execution) -> dict[str, Made]:
    events = [event for event in store.get_events_by_execution_ids([execution.id]) if event.type == pb.Event.OUTPUT]
    by_id = {artifact.id: artifact for artifact in store.get_artifacts_by_id([event.artifact_id for event in events])}
    return {
        next(step.key for step in event.path.steps if step.HasField("key")): Made(
            Path(by_id[event.artifact_id].uri), properties(by_id[event.artifact_id])
        )
        for event in events
    }
