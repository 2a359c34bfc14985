"""One function wires every stage, and the configuration decides only what its settings name."""

from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from pipeline.configuration.loading import load
from pipeline.pipeline import create_pipeline

STAGES = {
    *("RecordingExampleGen", "StatisticsGen", "SchemaImporter", "ExampleValidator", "LastAcceptedData", "DataGate"),
    *("Transform", "LastBlessedModel", "Trainer", "Evaluator"),
    *("TfjsExporter", "BrowserValidator", "BundlePusher"),
}


@pytest.fixture
def wired(tmp_path: Path) -> Any:
    """Compiles a pipeline and returns, by node, the names of the nodes that must have run before it."""

    def wire(*settings: str) -> dict[str, set[str]]:
        recordings = tmp_path / "recordings"
        recordings.mkdir(exist_ok=True)
        made = create_pipeline(
            load("violin", settings),
            recordings=str(recordings),
            pipeline_root=str(tmp_path / "root"),
            push_destination=str(tmp_path / "pushed"),
            checkpoint_root=str(tmp_path / "checkpoints"),
            metadata=sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite")),
        )
        compiled = Compiler().compile(made)
        assert compiled.pipeline_info.id == "violin"
        return {node.pipeline_node.node_info.id: set(node.pipeline_node.upstream_nodes) for node in compiled.nodes}

    return wire


def before(upstream: dict[str, set[str]], node: str) -> set[str]:
    """All nodes that must have run before one."""
    direct = upstream[node]
    return direct.union(*(before(upstream, one) for one in direct))


def test_every_stage_is_there_and_nothing_is_learned_or_pushed_before_its_gates(wired: Any):
    upstream = wired()
    assert set(upstream) == STAGES
    assert "DataGate" in before(upstream, "Transform")
    assert before(upstream, "BundlePusher") == STAGES - {"BundlePusher"}


def test_an_identical_run_does_not_wait_for_the_evaluator_to_export(wired: Any):
    """The Evaluator runs again when there is a newer blessed model; an export must not."""
    assert "Evaluator" not in before(wired(), "TfjsExporter")
    assert "LastBlessedModel" not in before(wired(), "Trainer")


def test_the_tuner_stands_before_the_trainer_only_when_it_is_enabled(wired: Any):
    upstream = wired("tuner.enabled=true")
    assert set(upstream) - STAGES == {"SizeTuner"}
    assert "SizeTuner" in upstream["Trainer"]


def test_a_warm_start_waits_for_the_last_blessed_model(wired: Any):
    assert "LastBlessedModel" in wired("trainer.warm_start=true")["Trainer"]
