"""The records of a run in the metadata store: which node made which artifact, and which nodes used the cache."""

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
class ArtifactRecord:
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

    artifacts: Mapping[str, Mapping[str, ArtifactRecord]]
    cached: frozenset[str]

    def find(self, node: str, output: str) -> ArtifactRecord | None:
        """Return an artifact, or None where the run ended before it was made."""
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
        reused = [execution for execution in executions if execution.last_known_state == pb.Execution.CACHED]
        cached = frozenset(_node(store, execution) for execution in reused)
    return RunRecord(artifacts, cached)


def check_store(metadata: Path, artifacts: Path) -> None:
    """Check, before anything is written, that a run can go on from the records of earlier runs.

    Opening the store rolls back the unfinished transaction of a killed run, as SQLite does for every reader.

    Args:
      metadata: a SQLite metadata store; one that is absent or empty is begun by the run.
      artifacts: folder of all artifacts of the store's runs. A new store would number its executions from 1 again,
        and mix their artifacts with the old ones.

    Raises:
      UserError: the store is damaged, or it is gone and the artifacts are not.
    """
    if not metadata.exists() or not metadata.stat().st_size:  # empty: the run that began it was killed at once
        if artifacts.exists():
            raise UserError(
                f"{metadata}: the metadata store is gone, but its artifacts are still in {artifacts}: put the store "
                f"back, or move {metadata.parent} away to start anew; what is pushed stays"
            )
        return
    try:
        with closing(sqlite3.connect(f"{metadata.resolve().as_uri()}?mode=rw", uri=True)) as store:
            [[found]] = store.execute("PRAGMA integrity_check(1)")
    except sqlite3.Error as error:
        found = str(error)
    if found == "ok" and not metadata.stat().st_size:  # nothing in it had been committed
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


def _unreadable(metadata: Path, fault: str) -> UserError:
    return UserError(
        f"{metadata}: not a readable metadata store ({' '.join(fault.split())[:200]}): put back a copy of it, or move "
        f"{metadata.parent} away to start anew; what is pushed stays"
    )


def properties(record: pb.Artifact | pb.Execution) -> dict[str, Any]:
    """Return declared and custom properties as plain values."""
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
    """Return the node's id, from its context `PIPELINE.NODE`."""
    contexts = store.get_contexts_by_execution(execution.id)
    [context] = [context for context in contexts if context.type == "node"]
    return str(context.name.split(".", 1)[1])


def _outputs(store: mlmd.MetadataStore, execution: pb.Execution) -> dict[str, ArtifactRecord]:
    events = [event for event in store.get_events_by_execution_ids([execution.id]) if event.type == pb.Event.OUTPUT]
    by_id = {artifact.id: artifact for artifact in store.get_artifacts_by_id([event.artifact_id for event in events])}
    return {
        next(step.key for step in event.path.steps if step.HasField("key")): ArtifactRecord(
            Path(by_id[event.artifact_id].uri), properties(by_id[event.artifact_id])
        )
        for event in events
    }
