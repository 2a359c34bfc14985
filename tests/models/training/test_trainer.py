"""run_fn: transformed examples and settings become an instrument; interrupted, resized and warm-started runs."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from common.errors import UserError
from models.network.sizes import resized
from models.saved_model import signatures
from models.training import loop as training
from models.training.job import TrainingJob
from models.training.trainer import run_fn
from pipeline.configuration.loading import load
from tests.data.written_examples import write_examples
from tests.models.saved_model.transform_graphs import build_transform_graph
from tests.models.tones import AUDIO, LOSS, MODEL, tone

TRAINER = load("violin").trainer.model_copy(
    update={
        "steps": 12,
        "batch_size": 2,
        "eval_steps": 4,
        "eval_windows": 2,
        "checkpoint_steps": 4,
        "learning_rate": 0.01,
    }
)


def _raw(number: int) -> dict[str, np.ndarray]:
    made = tone(number)
    frames = AUDIO.window_frames
    return {
        "audio": made["audio"],
        "f0_hz": made["f0_hz"],
        "f0_confidence": np.ones(frames, "f4"),
        "loudness_db": (made["loudness_scaled"] - 1) * 80,
        "rms_energy": np.full(frames, 0.1, "f4"),
        "recording": np.array([b"tones.wav"]),
        "start_seconds": np.array([number], "f4"),
    }


@pytest.fixture(scope="module")
def transformed(tmp_path_factory) -> Path:
    """Transformed examples in `train` and `eval`, and the transform graph in `graph`, made by Beam as in a run."""
    import tensorflow_transform as tft

    folder = tmp_path_factory.mktemp("transformed")
    splits = {"train": [_raw(n) for n in range(6)], "eval": [_raw(n) for n in (20, 21)]}
    build_transform_graph(folder, splits["train"], MODEL.inputs)
    layer = tft.TFTransformOutput(str(folder / "graph")).transform_features_layer()
    for split, rows in splits.items():
        batch = layer({name: tf.constant(np.stack([row[name] for row in rows])) for name in rows[0]})
        write_examples(
            folder / split, ({name: values[row].numpy() for name, values in batch.items()} for row in range(len(rows)))
        )
    return folder


def fn_args(transformed: Path, output: Path, trainer: dict | None = None, **kwargs) -> FnArgs:
    config = {
        "model": MODEL.model_dump(mode="json"),
        "audio": AUDIO.model_dump(mode="json"),
        "loss": LOSS.model_dump(mode="json"),
        "trainer": TRAINER.model_copy(update=trainer or {}).model_dump(mode="json"),
        "source_fingerprint": "abc",
        "checkpoint_root": str(output / "checkpoints"),
    }
    return FnArgs(
        train_files=[f"{transformed}/train/*"],
        eval_files=[f"{transformed}/eval/*"],
        transform_graph_path=str(transformed / "graph"),
        serving_model_dir=str(output / "Format-Serving"),
        model_run_dir=str(output / "run"),
        custom_config=config,
        **kwargs,
    )


@pytest.fixture(scope="module")
def trained(transformed: Path, tmp_path_factory) -> Path:
    """The output of a training."""
    output = tmp_path_factory.mktemp("trained")
    run_fn(fn_args(transformed, output))
    return output


def _json(path: Path) -> dict:
    return json.loads(path.read_text())


def test_the_model_comes_with_a_summary_and_the_history_of_its_training(trained: Path) -> None:
    serving = trained / "Format-Serving"
    summary, history = _json(serving / "instrument.json")["training"], _json(serving / "history.json")
    assert summary["steps"] == len(history["train_loss"]) == 12
    assert summary["examples"] == 24
    assert (summary["train_windows"], summary["eval_windows"], summary["seed"]) == (6, 2, TRAINER.seed)
    assert (summary["tfx"], summary["tensorflow"]) == (version("tfx"), tf.version.VERSION)
    assert history["eval_steps"] == [0, 4, 8, 12]
    best = history["eval_steps"].index(summary["best_step"])
    assert summary["eval_loss"] == pytest.approx(history["eval_loss"][best], rel=0.01)
    assert "eval_losses" in tf.saved_model.load(str(serving)).signatures
    assert list((trained / "run").glob("events.*"))


def test_checkpoints_are_gone_when_the_model_is_saved(trained: Path) -> None:
    assert not list((trained / "checkpoints").rglob("*.npz"))


def test_a_run_that_dies_goes_on_in_the_next_execution(transformed, trained, tmp_path, monkeypatch, capsys) -> None:
    evaluate = training._Training._evaluate

    def die(self, began: float) -> None:
        if self._step == 8:
            raise KeyboardInterrupt
        evaluate(self, began)

    with monkeypatch.context() as patch:
        patch.setattr(training._Training, "_evaluate", die)
        with pytest.raises(KeyboardInterrupt):
            run_fn(fn_args(transformed, tmp_path))
    capsys.readouterr()
    again = fn_args(transformed, tmp_path)
    again.serving_model_dir, again.model_run_dir = str(tmp_path / "second"), str(tmp_path / "run-2")
    run_fn(again)
    assert "resumes at step 4 of 12" in capsys.readouterr().err
    resumed, whole = _json(tmp_path / "second" / "history.json"), _json(trained / "Format-Serving" / "history.json")
    assert resumed["train_loss"] == whole["train_loss"]
    assert resumed["eval_loss"] == whole["eval_loss"]


@pytest.fixture
def unsaved(monkeypatch) -> dict:
    """Arguments of `signatures.save`, which then saves nothing."""
    saved: dict = {}

    def save(instrument, *, folder: str, **kwargs) -> None:
        Path(folder).mkdir(parents=True)
        saved.update(kwargs, instrument=instrument)

    monkeypatch.setattr(signatures, "save", save)
    return saved


def test_whatever_determines_the_outcome_determines_the_checkpoint(transformed, tmp_path) -> None:
    config = fn_args(transformed, tmp_path).custom_config
    facts = {"train": "a", "eval": "b", "start": "c"}
    identity = TrainingJob.model_validate(config).identity(**facts)
    assert identity == TrainingJob.model_validate(config | {"checkpoint_root": "elsewhere"}).identity(**facts)
    others = [
        config | {"source_fingerprint": "another"},
        config | {"trainer": config["trainer"] | {"learning_rate": 0.005}},
        config | {"model": config["model"] | {"precision": "uint8"}},
        config | {"loss": config["loss"] | {"mag_weight": 0.5}},
    ]
    identities = {TrainingJob.model_validate(other).identity(**facts) for other in others}
    identities |= {TrainingJob.model_validate(config).identity(**(facts | {name: "other"})) for name in facts}
    assert len(identities | {identity}) == 8


def test_the_tuners_sizes_are_trained(transformed, tmp_path, unsaved) -> None:
    sizes = {"channels": 4, "layers": 1, "harmonics": 5, "bands": 7}
    run_fn(fn_args(transformed, tmp_path, hyperparameters={"space": [], "values": sizes}))
    assert unsaved["instrument"].model == resized(MODEL, sizes)


def test_a_warm_start_begins_where_the_last_model_ended(transformed, trained, tmp_path, unsaved, capsys) -> None:
    base = str(trained / "Format-Serving")
    run_fn(fn_args(transformed, tmp_path, {"warm_start": True}, base_model=base))
    assert f"warm start: from {base}" in capsys.readouterr().err
    assert unsaved["training"]["warm_start"] is True
    before = _json(trained / "Format-Serving" / "history.json")
    after = _json(tmp_path / "Format-Serving" / "history.json")
    assert after["eval_loss"][0] == min(before["eval_loss"])


def test_a_base_model_is_ignored_unless_warm_start_is_set(transformed, trained, tmp_path, unsaved) -> None:
    run_fn(fn_args(transformed, tmp_path, base_model=str(trained / "Format-Serving")))
    assert unsaved["training"]["warm_start"] is False


def test_a_base_model_of_other_sizes_is_named_and_training_starts_fresh(
    transformed, trained, tmp_path, unsaved, capsys
) -> None:
    base = str(trained / "Format-Serving")
    sizes = {"values": {"channels": 4}}
    run_fn(fn_args(transformed, tmp_path, {"warm_start": True}, base_model=base, hyperparameters=sizes))
    printed = capsys.readouterr().err
    assert "warm start: the last blessed model does not fit, so training starts fresh: weights of another" in printed
    assert unsaved["training"]["warm_start"] is False


def test_a_warm_start_without_a_base_model_starts_fresh(transformed, tmp_path, unsaved, capsys) -> None:
    run_fn(fn_args(transformed, tmp_path, {"warm_start": True}))
    assert "warm start: no blessed model of this instrument yet" in capsys.readouterr().err


def test_a_training_that_diverges_is_a_user_error(transformed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(training, "learning_rate", lambda step, config: 1e30)
    with pytest.raises(UserError, match=r"Trainer: the \w+ .*Try a lower trainer.learning_rate"):
        run_fn(fn_args(transformed, tmp_path))
