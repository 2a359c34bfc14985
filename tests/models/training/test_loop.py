"""The training loop: it learns, is deterministic, survives a kill, stops early and reports divergence."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models.config import ModelConfig
from models.instrument import Instrument
from models.training import loop as training
from models.training.checkpoints import Checkpoints
from models.training.config import TrainerConfig
from models.training.loop import TrainingDiverged, TrainingResult, train
from models.training.tensorboard import TensorBoardWriter
from tests.models.tones import AUDIO, LOSS, MODEL, tones

ROOT = Path(__file__).resolve().parents[3]
CONFIG = TrainerConfig(
    steps=24,
    batch_size=2,
    learning_rate=0.01,
    learning_rate_end=0.001,
    reverb_rate=0.1,
    warmup_steps=3,
    gradient_clip=3.0,
    checkpoint_steps=5,
    eval_steps=6,
    eval_windows=3,
    patience=10,
    seed=3,
    warm_start=False,
)


def run(update: dict | None = None, **kwargs) -> TrainingResult:
    config = CONFIG.model_copy(update=update or {})
    instrument = kwargs.pop("instrument", None) or Instrument(MODEL, AUDIO, seed=config.seed)
    return train(instrument, tones(0, 7), tones(20, 3), config=config, loss=LOSS, **kwargs)


@pytest.fixture(scope="module")
def uninterrupted() -> TrainingResult:
    return run()


def assert_same(result: TrainingResult, expected: TrainingResult) -> None:
    """Compare bit for bit every loss on the way, and every weight at the end."""
    assert result.history.train_loss == expected.history.train_loss
    assert result.history.eval_loss == expected.history.eval_loss
    assert result.eval_loss == expected.eval_loss
    assert result.best_step == expected.best_step
    weights = expected.instrument.weights()
    for name, value in result.instrument.weights().items():
        np.testing.assert_array_equal(value, weights[name], err_msg=name)


def test_a_harmonic_tone_is_learned() -> None:
    result = run({"steps": 150, "eval_steps": 50})
    assert result.history.eval_steps == [0, 50, 100, 150]
    assert result.history.eval_loss[-1] < 0.4 * result.history.eval_loss[0]
    assert len(result.history.train_loss) == result.steps == 150


def test_a_seed_gives_the_same_losses_bit_for_bit(uninterrupted: TrainingResult) -> None:
    assert_same(run(), uninterrupted)
    assert run({"seed": 4}).history.train_loss != uninterrupted.history.train_loss


def test_a_recurrent_model_repeats_itself_too() -> None:
    decoder = {"kind": "gru", "units": 8, "stack_units": 8, "stack_layers": 1, "hold": 1}
    model = ModelConfig.model_validate(MODEL.model_dump() | {"decoder": decoder})
    first, second = (run({"steps": 6}, instrument=Instrument(model, AUDIO, seed=1)) for _ in range(2))
    assert_same(first, second)


def test_a_killed_training_ends_with_the_losses_of_an_uninterrupted_one(
    tmp_path, uninterrupted: TrainingResult
) -> None:
    program = f"""
import time
from tests.models.training.test_loop import Checkpoints, run, training
step = training._Training._advance
training._Training._advance = lambda self: (time.sleep(0.2), step(self))[1]  # slow enough to be hit between two steps
run(checkpoints=Checkpoints({str(tmp_path)!r}, "k"))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    checkpoints = Checkpoints(tmp_path, "k")
    deadline = time.monotonic() + 300
    while (found := checkpoints.load()) is None or found.values["step"] < 10:
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = checkpoints.load()
    assert left is not None
    assert left.values["step"] < CONFIG.steps
    assert_same(run(checkpoints=checkpoints), uninterrupted)


def test_a_finished_training_is_not_repeated(tmp_path, uninterrupted: TrainingResult, monkeypatch) -> None:
    run(checkpoints=Checkpoints(tmp_path, "k"))
    monkeypatch.setattr(training._Training, "_advance", None)
    assert_same(run(checkpoints=Checkpoints(tmp_path, "k")), uninterrupted)


def test_ctrl_c_prints_where_it_stopped_and_where_it_goes_on(tmp_path, uninterrupted, monkeypatch, capsys) -> None:
    advance = training._Training._advance

    def interrupt(self) -> float:
        if self._step == 13:
            raise KeyboardInterrupt
        return advance(self)

    with monkeypatch.context() as patch:
        patch.setattr(training._Training, "_advance", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(checkpoints=Checkpoints(tmp_path, "k"))
    assert "training: stopped at step 13 of 24; the same command resumes at step 10" in capsys.readouterr().err
    assert_same(run(checkpoints=Checkpoints(tmp_path, "k")), uninterrupted)
    printed = capsys.readouterr().err
    assert "training: resumes at step 10 of 24" in printed
    assert f"training: eval loss {uninterrupted.eval_loss:.3f} with the weights of step" in printed


def _eval_losses(monkeypatch, losses: list[float]) -> None:
    """Make the evaluations return these losses; the last is that of the result, with rounded weights."""
    resynthesise = training._Training._resynthesise
    left = iter(losses)

    def found(self) -> tuple[np.ndarray, np.ndarray]:
        real, audio = resynthesise(self)
        return np.full_like(real, next(left)), audio

    monkeypatch.setattr(training._Training, "_resynthesise", found)


def test_training_stops_when_the_eval_loss_stops_falling_and_keeps_the_best_weights(monkeypatch) -> None:
    best = run({"steps": 24, "eval_steps": 2}, instrument=None).instrument  # only for its shape
    weights = {}
    advance = training._Training._advance

    def remember(self) -> float:
        weights[self._step] = self._instrument.weights()
        return advance(self)

    monkeypatch.setattr(training._Training, "_advance", remember)
    _eval_losses(monkeypatch, [9.0, 5.0, 4.0, 6.0, 4.5, 7.0, 4.2])
    result = run({"eval_steps": 2, "patience": 3}, instrument=best)
    assert result.history.eval_steps == [0, 2, 4, 6, 8, 10]
    assert result.steps == 10
    assert result.stopped_early
    assert result.best_step == 4
    assert result.eval_loss == pytest.approx(4.2)
    for name, value in result.instrument.weights().items():
        np.testing.assert_array_equal(value, weights[4][name], err_msg=name)


def test_patience_is_remembered_over_an_interruption(tmp_path, monkeypatch) -> None:
    update = {"eval_steps": 2, "patience": 3, "checkpoint_steps": 1}
    advance = training._Training._advance

    def interrupt(self) -> float:
        if self._step == 9:
            raise KeyboardInterrupt
        return advance(self)

    _eval_losses(monkeypatch, [9.0, 5.0, 4.0, 6.0, 4.5, 7.0, 4.2])
    with monkeypatch.context() as patch:
        patch.setattr(training._Training, "_advance", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(update, checkpoints=Checkpoints(tmp_path, "k"))
    result = run(update, checkpoints=Checkpoints(tmp_path, "k"))
    assert result.steps == 10
    assert result.best_step == 4


def test_a_loss_that_is_not_a_number_stops_training_with_advice(tmp_path) -> None:
    with pytest.raises(
        TrainingDiverged, match=r"at step \d+ of 24 \(learning rate .*Try a lower trainer.learning_rate"
    ):
        run({"learning_rate": 1e30, "warmup_steps": 0}, checkpoints=Checkpoints(tmp_path, "k"))


def test_a_broken_state_is_never_kept(tmp_path) -> None:
    with pytest.raises(TrainingDiverged):
        run({"learning_rate": 1e30, "warmup_steps": 0, "checkpoint_steps": 1}, checkpoints=Checkpoints(tmp_path, "k"))
    found = Checkpoints(tmp_path, "k").load()
    assert found is None or all(np.isfinite(array).all() for array in found.arrays.values())


def test_the_loss_that_is_reported_is_that_of_the_weights_that_ship(uninterrupted: TrainingResult) -> None:
    coarse = MODEL.model_copy(update={"precision": "uint8"})
    result = run(instrument=Instrument(coarse, AUDIO, seed=CONFIG.seed))
    assert result.history.eval_loss == uninterrupted.history.eval_loss
    assert result.eval_loss != uninterrupted.eval_loss


def test_tensorboard_gets_curves_audio_and_spectrograms(tmp_path, uninterrupted: TrainingResult) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert_same(run(tensorboard=TensorBoardWriter(str(tmp_path), AUDIO.sample_rate)), uninterrupted)
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    events.Reload()
    names = [f"tone {number}" for number in (20, 21, 22)]
    expected = {"loss/train", "loss/eval", "learning_rate", "gradient_norm"}
    expected |= {f"{what}/{name}" for what in ("original", "resynthesis", "spectrogram") for name in names}
    assert set(events.Tags()["tensors"]) == expected
    assert [event.step for event in events.Tensors("loss/eval")] == uninterrupted.history.eval_steps
    assert [event.step for event in events.Tensors("loss/train")] == list(range(1, 25))


def test_the_history_is_json(uninterrupted: TrainingResult) -> None:
    history = json.loads(json.dumps(vars(uninterrupted.history)))
    assert len(history["eval_steps"]) == len(history["eval_loss"]) == len(history["seconds"]) == 5
