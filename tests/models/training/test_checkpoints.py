"""Checkpoints: replaced whole, never read by another training, deleted when it is over."""

import os

import numpy as np

from models.training.checkpoints import Checkpoint, Checkpoints, fingerprint


def _checkpoint(step: int) -> Checkpoint:
    return Checkpoint(
        {"weights/decoder/kernel": np.arange(6.0, dtype="f4").reshape(2, 3) + step}, {"step": step, "loss": [0.1]}
    )


def test_the_latest_checkpoint_comes_back_bit_for_bit(tmp_path) -> None:
    store = Checkpoints(tmp_path, "k")
    assert store.load() is None
    store.save(_checkpoint(1))
    store.save(_checkpoint(2))
    found = store.load()
    assert found is not None
    assert found.values == {"step": 2, "loss": [0.1]}
    np.testing.assert_array_equal(
        found.arrays["weights/decoder/kernel"], _checkpoint(2).arrays["weights/decoder/kernel"]
    )
    assert os.listdir(store.folder) == ["checkpoint.npz"]


def test_a_checkpoint_is_for_one_training_only(tmp_path) -> None:
    Checkpoints(tmp_path, fingerprint(steps=100)).save(_checkpoint(1))
    assert Checkpoints(tmp_path, fingerprint(steps=200)).load() is None
    assert Checkpoints(tmp_path, fingerprint(steps=100)).load() is not None


def test_half_a_checkpoint_is_none(tmp_path) -> None:
    store = Checkpoints(tmp_path, "k")
    store.save(_checkpoint(1))
    path = f"{store.folder}/checkpoint.npz"
    for kept in (0, 100):
        os.truncate(path, kept)
        assert store.load() is None
        store.save(_checkpoint(1))


def test_a_write_that_was_cut_off_leaves_the_previous_checkpoint(tmp_path) -> None:
    store = Checkpoints(tmp_path, "k")
    store.save(_checkpoint(1))
    with open(f"{store.folder}/checkpoint.npz.part", "wb") as file:
        file.write(b"half")
    found = store.load()
    assert found is not None
    assert found.values["step"] == 1


def test_clear_deletes(tmp_path) -> None:
    store = Checkpoints(tmp_path, "k")
    store.clear()
    store.save(_checkpoint(1))
    store.clear()
    assert store.load() is None
    assert not os.path.exists(store.folder)
