"""A metadata store as a run leaves it, written without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb


class Recorder:
    """Writes artifacts and executions into a store as TFX's launcher does."""

    def __init__(self, path: Path):
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(path)
        config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        path.parent.mkdir(parents=True, exist_ok=True)
        self._store = mlmd.MetadataStore(config)

    def artifact(self, kind: str, uri: Path | str, **properties: Any) -> int:
        """Stores an artifact and returns its id."""
        type_id = self._store.put_artifact_type(pb.ArtifactType(name=kind))
        made = pb.Artifact(type_id=type_id, uri=str(uri), state=pb.Artifact.LIVE)
        _fill(made, properties)
        return int(self._store.put_artifacts([made])[0])

    def execution(
        self,
        run: str,
        inputs: dict[str, int],
        outputs: dict[str, int],
        state: pb.Execution.State = pb.Execution.COMPLETE,
        **properties: Any,
    ) -> int:
        """Stores an execution with its events and returns its id."""
        run_type = self._store.put_context_type(pb.ContextType(name="pipeline_run"))
        type_id = self._store.put_execution_type(pb.ExecutionType(name="component"))
        execution = pb.Execution(type_id=type_id, last_known_state=state)
        _fill(execution, properties)
        events = [
            *((_event(name, pb.Event.INPUT), self._known(one)) for name, one in inputs.items()),
            *((_event(name, pb.Event.OUTPUT), self._known(one)) for name, one in outputs.items()),
        ]
        pairs = [(artifact, event) for event, artifact in events]
        context = pb.Context(type_id=run_type, name=run)
        stored, _, _ = self._store.put_execution(execution, pairs, [context], reuse_context_if_already_exist=True)
        return int(stored)

    def _known(self, one: int) -> pb.Artifact:
        return self._store.get_artifacts_by_id([one])[0]


def _event(name: str, kind: pb.Event.Type) -> pb.Event:
    event = pb.Event(type=kind)
    event.path.steps.add().key = name
    event.path.steps.add().index = 0
    return event


def _fill(record: pb.Artifact | pb.Execution, properties: dict[str, Any]) -> None:
    for name, value in properties.items():
        if isinstance(value, int):
            record.custom_properties[name].int_value = value
        else:
            record.custom_properties[name].string_value = value
