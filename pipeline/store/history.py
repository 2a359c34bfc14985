"""The metadata store, read backwards: which execution made an artifact, and from which inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.store.records import properties

DONE = (pb.Execution.COMPLETE, pb.Execution.CACHED)


@dataclass(frozen=True)
class Step:
    """One execution of a component.

    Attributes:
      id: in the metadata store.
      run: name of the pipeline run that it was part of, the time it began.
      state: as ML Metadata names it: COMPLETE, or FAILED, RUNNING, ...
      properties: parameters of the component.
      inputs: artifacts by name of the input.
    """

    id: int
    run: str
    state: str
    properties: dict[str, Any]
    inputs: dict[str, list[pb.Artifact]]

    def input(self, name: str) -> pb.Artifact | None:
        """Return the only artifact of an input, or None where the input has none."""
        return next(iter(self.inputs.get(name, [])), None)


class History:
    """The metadata store of one instrument, read backwards."""

    def __init__(self, store: mlmd.MetadataStore):
        self._store = store

    def push_of(self, version: str) -> pb.Artifact | None:
        """Return the artifact of a version's first push, or None where no run of this store pushed it."""
        try:
            pushes = self._store.get_artifacts_by_type("PushedModel")
        except mlmd.errors.NotFoundError:
            return None
        found = [push for push in pushes if _is_push_of(properties(push), version)]
        return min(found, key=lambda artifact: artifact.id, default=None)

    def maker(self, artifact: pb.Artifact) -> Step | None:
        """Return the execution that made an artifact: the first to output it; later ones took it from the cache.

        None where no completed execution is recorded.
        """
        events = self._store.get_events_by_artifact_ids([artifact.id])
        ids = {event.execution_id for event in events if event.type == pb.Event.OUTPUT}
        executions = self._store.get_executions_by_id(sorted(ids))
        completed = [execution for execution in executions if execution.last_known_state in DONE]
        if not completed:
            return None
        return self._step(min(completed, key=lambda execution: execution.id))

    def _step(self, execution: pb.Execution) -> Step:
        contexts = self._store.get_contexts_by_execution(execution.id)
        runs = [context.name for context in contexts if context.type == "pipeline_run"]
        events = self._store.get_events_by_execution_ids([execution.id])
        read = [event for event in events if event.type == pb.Event.INPUT]
        stored = self._store.get_artifacts_by_id([event.artifact_id for event in read])
        artifacts = {artifact.id: artifact for artifact in stored}
        inputs: dict[str, list[pb.Artifact]] = {}
        for event in read:
            name = next(step.key for step in event.path.steps if step.HasField("key"))
            inputs.setdefault(name, []).append(artifacts[event.artifact_id])
        state = pb.Execution.State.Name(execution.last_known_state)
        return Step(execution.id, runs[0] if runs else "", state, properties(execution), inputs)


def _is_push_of(recorded: dict[str, Any], version: str) -> bool:
    return bool(recorded.get("pushed")) and recorded.get("pushed_version") == version
