"""The tuner: the smallest size that is as good as the best, whatever happens to single trials or to the search."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from models import tuner as module
from models.errors import UserError
from models.sizes import resized
from models.training import TrainingDiverged
from models.tuner import SizeTuner, TrialRow, smallest_within, tuner_fn
from pipeline.config import load
from tests.models.tones import tone

CONFIG = load(
    "violin",
    [
        "audio.window_seconds=0.5",
        "model.processors.reverb.seconds=0.01",
        "loss.fft_sizes=[256]",
        "trainer.batch_size=2",
        "trainer.eval_windows=2",
        "tuner.trials=2",
        "tuner.steps=40",
        "tuner.channels=[4, 8]",
        "tuner.layers=[1, 2]",
        "tuner.harmonics=[8]",
        "tuner.bands=[9]",
    ],
)


def _example(number: int) -> bytes:
    features = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=values)) for name, values in tone(number).items()
    }
    features["recording"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"tones.wav"]))
    features["start_seconds"] = tf.train.Feature(float_list=tf.train.FloatList(value=[float(number)]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for split, numbers in (("train", range(5)), ("eval", range(20, 22))):
        (folder / f"Split-{split}").mkdir()
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}" / "part-0.gz"), "GZIP") as writer:
            for number in numbers:
                writer.write(_example(number))
    return folder


def custom_config(root: Path) -> dict:
    sections = {name: getattr(CONFIG, name).model_dump(mode="json") for name in ("model", "audio", "loss", "trainer")}
    return sections | {
        "tuner": CONFIG.tuner.model_dump(mode="json"),
        "checkpoint_root": str(root),
        "source_fingerprint": "abc",
    }


@pytest.fixture
def fn_args(tmp_path, examples: Path) -> FnArgs:
    return FnArgs(
        train_files=[f"{examples}/Split-train/*"],
        eval_files=[f"{examples}/Split-eval/*"],
        custom_config=custom_config(tmp_path),
    )


def search(fn_args: FnArgs) -> SizeTuner:
    made = tuner_fn(fn_args)
    made.tuner.search(**made.fit_kwargs)
    return made.tuner


def facts(row: TrialRow) -> tuple:
    """All of a row but how long it took."""
    return row.trial_id, row.status, row.hyperparameters, row.eval_loss, row.parameters, row.bytes


def _row(name: str, parameters: int, loss: float) -> TrialRow:
    return TrialRow(name, "COMPLETED", {}, loss, parameters, 2 * parameters, 1.0)


def test_the_smaller_of_equals_is_chosen() -> None:
    rows = [_row("large", 1000, 5.0), _row("small", 100, 5.0), _row("smaller, worse", 50, 5.2)]
    assert smallest_within(rows, 0.02).trial_id == "small"


def test_a_small_loss_is_given_up_for_size_but_not_a_large_one() -> None:
    rows = [_row("best", 1000, 5.0), _row("within", 100, 5.09), _row("beyond", 10, 5.11)]
    assert smallest_within(rows, 0.02).trial_id == "within"
    assert smallest_within(rows, 0.0).trial_id == "best"


def test_of_equal_sizes_the_better_is_chosen() -> None:
    assert smallest_within([_row("a", 100, 5.01), _row("b", 100, 5.0)], 0.02).trial_id == "b"


def test_failed_trials_are_not_chosen_and_nothing_to_choose_is_said() -> None:
    failed = TrialRow("a", "FAILED", {}, error="Traceback ...\nTrainingDiverged: the loss stopped being a number")
    assert smallest_within([failed, _row("b", 100, 5.0)], 0.02).trial_id == "b"
    with pytest.raises(UserError, match=r"no size can be chosen.*TrainingDiverged: the loss stopped"):
        smallest_within([failed], 0.02)


def test_the_component_writes_sizes_for_the_trainer_and_a_table_of_trials(tmp_path, examples: Path) -> None:
    from tfx.types import artifact_utils, standard_artifacts
    from tfx.utils import json_utils

    from components.size_tuner.executor import Executor

    given = standard_artifacts.Examples()
    given.uri, given.split_names = str(examples), artifact_utils.encode_split_names(["train", "eval"])
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(tmp_path / "best"), str(tmp_path / "results")
    Executor().Do(
        {"examples": [given]},
        {"best_hyperparameters": [best], "tuner_results": [results]},
        {
            "tuner_fn": "models.tuner.tuner_fn",
            "train_args": "{}",
            "eval_args": "{}",
            "custom_config": json_utils.dumps(custom_config(tmp_path / "state")),
        },
    )
    table = json.loads((tmp_path / "results" / "trials.json").read_text())
    assert (tmp_path / "results" / "tuner_results.json").exists()
    assert [row["status"] for row in table["trials"]] == ["COMPLETED"] * 2
    assert table["trials"][0]["hyperparameters"] == {"channels": 8, "layers": 2, "harmonics": 8, "bands": 9}
    assert len({json.dumps(row["hyperparameters"]) for row in table["trials"]}) == 2
    assert all(row["bytes"] == 2 * row["parameters"] for row in table["trials"])
    assert all(np.isfinite(row["eval_loss"]) and row["seconds"] > 0 for row in table["trials"])
    (file,) = (tmp_path / "best").iterdir()  # the Trainer reads the only file there
    sizes = json.loads(file.read_text())["values"]
    chosen = next(row for row in table["trials"] if row["trial_id"] == table["chosen"])
    assert sizes == chosen["hyperparameters"]
    assert resized(CONFIG.model, sizes).decoder.model_dump()["channels"] == sizes["channels"]
    assert not any((tmp_path / "state").iterdir())


def test_an_interrupted_search_goes_on_and_finds_the_same(fn_args: FnArgs, tmp_path, monkeypatch) -> None:
    train = module.train
    calls = []

    def interrupt(*args, **kwargs):
        calls.append(kwargs["label"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*args, **kwargs)

    monkeypatch.setattr(module, "train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(fn_args)
    resumed = search(fn_args)
    assert [label.partition(" (")[0] for label in calls] == ["trial 1/2", "trial 2/2", "trial 2/2"]
    fn_args.custom_config = custom_config(tmp_path / "elsewhere")
    assert [facts(row) for row in resumed.rows()] == [facts(row) for row in search(fn_args).rows()]


def test_other_data_or_settings_do_not_continue_a_search(fn_args: FnArgs) -> None:
    first = tuner_fn(fn_args).tuner.project_dir
    fn_args.custom_config["trainer"]["seed"] = 7
    second = tuner_fn(fn_args).tuner.project_dir
    fn_args.train_files = fn_args.eval_files
    assert len({first, second, tuner_fn(fn_args).tuner.project_dir}) == 3


def test_a_trial_that_fails_is_recorded_and_does_not_end_the_search(fn_args: FnArgs, monkeypatch) -> None:
    train = module.train

    def fail_first(instrument, *args, **kwargs):
        if kwargs["label"].startswith("trial 1/"):
            raise TrainingDiverged("the loss stopped being a number at step 3 of 40")
        return train(instrument, *args, **kwargs)

    monkeypatch.setattr(module, "train", fail_first)
    tuner = search(fn_args)
    assert [row.status for row in tuner.rows()] == ["FAILED", "COMPLETED"]
    assert "stopped being a number at step 3" in str(tuner.rows()[0].error)
    assert tuner.get_best_hyperparameters()[0].values == tuner.chosen().hyperparameters
    assert tuner.chosen().status == "COMPLETED"


def test_when_every_trial_fails_the_reason_is_said(fn_args: FnArgs, monkeypatch) -> None:
    def fail(*_, **__):
        raise TrainingDiverged("the loss stopped being a number at step 3 of 40")

    monkeypatch.setattr(module, "train", fail)
    tuner = search(fn_args)
    with pytest.raises(UserError, match=r"no trial was completed.*TrainingDiverged: the loss stopped being"):
        tuner.get_best_hyperparameters()
