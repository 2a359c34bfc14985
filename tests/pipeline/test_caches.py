"""Every stage's fingerprint covers what the stage runs: its executor, and what TFX imports by name for it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.common.resolver import Resolver

import pipeline.stages
from common import sources
from common.fingerprint import source_fingerprint
from components.recording_example_gen import component as example_gen
from pipeline.configuration.loading import load
from pipeline.pipeline import create_pipeline

BY_NAME = {  # what TFX imports in the executors that are its own
    "Transform": "models.preprocessing",
    "Trainer": "models.training.trainer",
    "SizeTuner": "components.size_tuner.tuner",
    "Evaluator": "components.evaluator.metrics",
}
OWN_CODE = {"StatisticsGen", "ExampleValidator"}  # none of this project's


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The entries that each stage's fingerprint is made of, by the module that requests it."""
    requested: dict[str, list[str]] = defaultdict(list)
    stages = [
        importlib.import_module(f"pipeline.stages.{one.name}") for one in pkgutil.iter_modules(pipeline.stages.__path__)
    ]
    for module in (*stages, example_gen):
        if hasattr(module, "source_fingerprint"):

            def record(*names: str, module: str = module.__name__) -> str:
                requested[module].extend(names)
                return source_fingerprint(*names)

            monkeypatch.setattr(module, "source_fingerprint", record)
    return requested


def stage_module(node: str) -> str:
    """The module that makes a node's fingerprint: its own in pipeline/stages, but for RecordingExampleGen."""
    if node == "RecordingExampleGen":
        return example_gen.__name__
    return "pipeline.stages." + re.sub(r"(?<!^)([A-Z])", r"_\1", node).lower()


def test_every_stage_knows_all_that_it_runs(entries: dict[str, list[str]], tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    made = create_pipeline(
        load("violin", ["tuner.enabled=true"]),
        recordings=str(tmp_path / "recordings"),
        pipeline_root=str(tmp_path / "root"),
        push_destination=str(tmp_path / "pushed"),
        checkpoint_root=str(tmp_path / "checkpoints"),
    )
    covered = {module: set(sources.source_files(*names)) for module, names in entries.items()}
    for node in made.components:
        if isinstance(node, Resolver) or node.id in OWN_CODE:
            continue
        assert isinstance(node, BaseComponent)
        executor = node.executor_spec.executor_class.__module__
        runs = [name for name in (executor, BY_NAME.get(node.id, "")) if name and not name.startswith("tfx.")]
        assert runs, node.id
        needed = set(sources.source_files(*runs))
        assert needed <= covered[stage_module(node.id)], f"{node.id}: its fingerprint does not cover {runs}"


def test_a_verdict_of_the_browser_depends_on_how_it_is_started_and_judged() -> None:
    files = set(sources.source_files("components.browser_validator.component"))
    for name in ("web/chromium.ts", "web/validator/page.ts", "web/package-lock.json", "common/verdict.py"):
        assert sources.ROOT / name in files, name
