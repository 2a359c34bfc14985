"""The cache sees what a stage works on, wherever that lies, and what it saw before it was made so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.orchestration import metadata
from tfx.orchestration.portable import cache_utils
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import standard_artifacts

from pipeline.local.cache_keys import keys_without_paths
from pipeline.store.folders import RunFolders
from pipeline.store.moved import settle


class Store:
    """A store with one artifact, and the key of a stage that reads it."""

    def __init__(self, folders: RunFolders):
        self.folders = folders
        folders.metadata.parent.mkdir(parents=True)
        with self.opened() as handle:
            kind = standard_artifacts.Examples()
            kind.uri = f"{folders.pipeline_root.resolve()}/RecordingExampleGen/examples/1"
            type_id = handle.store.put_artifact_type(pb.ArtifactType(name="Examples"))
            stored = pb.Artifact(type_id=type_id, uri=kind.uri, state=pb.Artifact.LIVE)
            self.id = handle.store.put_artifacts([stored])[0]

    def opened(self) -> Any:
        return metadata.Metadata(metadata.sqlite_metadata_connection_config(str(self.folders.metadata)))

    def key(self, handle: Any, **changes: str) -> pb.Context:
        """The context under which TFX looks for a result."""
        [stored] = handle.store.get_artifacts_by_id([self.id])
        examples = standard_artifacts.Examples()
        examples.set_mlmd_artifact(stored)
        node = pipeline_pb2.PipelineNode()
        node.node_info.id = "Trainer"
        return cache_utils.get_cache_context(
            metadata_handle=handle,
            pipeline_node=node,
            pipeline_info=pipeline_pb2.PipelineInfo(id="demo"),
            input_artifacts={"examples": [examples]},
            output_artifacts={},
            parameters={
                "input_base": str(self.folders.recordings.resolve()),
                "custom_config": f'{{"checkpoint_root": "{self.folders.output.resolve()}/demo/checkpoints"}}',
                "steps": "80",
                **changes,
            },
        )

    def name(self, **changes: str) -> str:
        with self.opened() as handle, keys_without_paths(self.folders):
            return str(self.key(handle, **changes).name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "recordings").mkdir()
    return Store(RunFolders(tmp_path / "recordings", tmp_path / "out", "demo"))


def test_moved_folders_change_nothing_and_every_setting_does(store: Store, tmp_path: Path):
    before = store.name()
    assert store.name() == before
    assert store.name(steps="81") != before
    assert store.name(input_base="/of/another/instrument") != before
    shutil.move(tmp_path / "out", tmp_path / "elsewhere" / "out")
    shutil.move(tmp_path / "recordings", tmp_path / "elsewhere" / "out" / "takes")  # one within the other
    store.folders = RunFolders(tmp_path / "elsewhere" / "out" / "takes", tmp_path / "elsewhere" / "out", "demo")
    assert settle(store.folders) == 1
    assert store.name() == before


def test_what_was_recorded_under_a_key_with_paths_is_found(store: Store):
    with store.opened() as handle:
        with_paths = store.key(handle)
        type_id = handle.store.put_execution_type(pb.ExecutionType(name="Trainer"))
        execution = pb.Execution(type_id=type_id, last_known_state=pb.Execution.COMPLETE)
        handle.store.put_execution(execution, [], [with_paths])
    assert store.name() == with_paths.name
    with store.opened() as handle:
        assert store.key(handle, steps="81").name != store.name(steps="81")


def test_another_artifact_is_another_input(store: Store):
    before = store.name()
    with store.opened() as handle:
        [stored] = handle.store.get_artifacts_by_id([store.id])
        stored.ClearField("id")
        store.id = handle.store.put_artifacts([stored])[0]
    assert store.name() != before


def test_tfx_makes_its_own_keys_afterwards(store: Store):
    made_by_tfx = cache_utils.get_cache_context
    with keys_without_paths(store.folders):
        assert cache_utils.get_cache_context is not made_by_tfx
    assert cache_utils.get_cache_context is made_by_tfx
