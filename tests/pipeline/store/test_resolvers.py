"""The queries of the compiled pipeline to a cluster's metadata store."""

from __future__ import annotations

from pathlib import Path

from pipeline.cluster.compile import Job, compile_job
from pipeline.configuration.loading import load
from tests.integration.replay import Replay


def run(folder: Path, *, blessed: bool, earlier: Replay | None) -> Replay:
    """A replay of which nothing but the artifacts of the Trainer and the Evaluator is there."""
    job = Job(str(folder), str(folder / "root"), "image", "span-{SPAN}/*")
    replay = Replay(compile_job(load("violin"), job), folder, earlier)
    replay.made = {name: {} for name in replay.job["pipelineSpec"]["root"]["dag"]["tasks"]}
    for name in ("Trainer", "Evaluator"):
        outputs = replay.input_of(name)["outputs"]["artifacts"]
        replay.made[name] = {key: of["artifacts"][0] for key, of in outputs.items()}
        replay.ran.append(name)
    model = replay.made["Trainer"]["model"]["name"]
    replay.made["Evaluator"]["blessing"]["metadata"] = {"blessed": int(blessed), "current_model_id": model}
    return replay


def test_the_last_model_that_was_blessed_is_found_and_not_a_later_one_that_was_refused(tmp_path: Path):
    first = run(tmp_path / "1", blessed=True, earlier=None)
    second = run(tmp_path / "2", blessed=True, earlier=first)
    third = run(tmp_path / "3", blessed=False, earlier=second)
    for earlier, last in ((first, first), (second, second), (third, second)):
        assert blessed_model(Replay(third.job, tmp_path / "4", earlier)) == last.made["Trainer"]["model"]


def test_a_first_run_finds_none(tmp_path: Path):
    refused = run(tmp_path / "1", blessed=False, earlier=None)
    for earlier in (None, refused):
        assert blessed_model(Replay(refused.job, tmp_path / "2", earlier)) is None


def blessed_model(replay: Replay) -> object:
    for name in ("LastBlessedModel-model-blessing-resolver", "LastBlessedModel-model-resolver"):
        replay.made[name] = replay.resolve(name)
    return replay.made["LastBlessedModel-model-resolver"].get("model")
