"""Stored windows: they are read as they were written, and trained on in an order that only the seed determines."""

import numpy as np
import pytest
import tensorflow as tf

from common.audio import AudioConfig
from models.training.window_store import WindowStore, evenly_spaced, read_windows, shuffled_indices
from tests.data.written_examples import serialized

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=0.5)


def _rows(count: int, seed: int = 0) -> list[tuple[str, dict[str, np.ndarray]]]:
    draw = np.random.default_rng(seed)
    return [
        (f"take {n:03d}", {"audio": draw.normal(size=640).astype("f4"), "f0_hz": draw.normal(size=10).astype("f4")})
        for n in range(count)
    ]


def _example(recording: str, start: float, value: float, frames: int = AUDIO.window_frames) -> bytes:
    features = {
        "audio": np.full(AUDIO.window_samples, value),
        "f0_hz": np.full(frames, 440.0),
        "mean_loudness_db": [-30.0],
    }
    return serialized({**features, "recording": recording, "start_seconds": start})


def _write(path: str, examples: list[bytes]) -> None:
    with tf.io.TFRecordWriter(path, "GZIP" if path.endswith(".gz") else None) as writer:
        for example in examples:
            writer.write(example)


def test_windows_come_back_bit_for_bit() -> None:
    rows = _rows(5)
    batch = WindowStore(rows).batch([3, 0, 3])
    for name in ("audio", "f0_hz"):
        np.testing.assert_array_equal(batch[name], np.stack([rows[i][1][name] for i in (3, 0, 3)]))


def test_order_and_digest_do_not_depend_on_the_order_of_arrival() -> None:
    rows = _rows(7)
    one, other = WindowStore(rows), WindowStore(rows[::-1])
    assert one.keys == other.keys
    assert one.digest == other.digest
    np.testing.assert_array_equal(one.batch(range(7))["audio"], other.batch(range(7))["audio"])


def test_digest_changes_with_the_content() -> None:
    assert WindowStore(_rows(3)).digest != WindowStore(_rows(3, seed=1)).digest


def test_windows_of_other_shapes_and_broken_values_are_named() -> None:
    rows = _rows(2)
    with pytest.raises(ValueError, match="'short' has features"):
        WindowStore([*rows, ("short", {"audio": np.zeros(3, "f4"), "f0_hz": np.zeros(10, "f4")})])
    with pytest.raises(ValueError, match="'broken' holds values that are not finite numbers in f0_hz"):
        WindowStore([*rows, ("broken", {"audio": np.zeros(640, "f4"), "f0_hz": np.full(10, np.nan, "f4")})])


def test_every_epoch_takes_every_window_once_and_in_another_order() -> None:
    chosen = np.concatenate([shuffled_indices(step, count=12, batch=4, seed=5) for step in range(6)])
    assert sorted(chosen[:12]) == sorted(chosen[12:]) == list(range(12))
    assert chosen[:12].tolist() != chosen[12:].tolist()


def test_order_follows_from_seed_and_step_alone() -> None:
    late = shuffled_indices(1000, count=10, batch=4, seed=1)
    np.testing.assert_array_equal(late, shuffled_indices(1000, count=10, batch=4, seed=1))
    orders = {
        tuple(np.concatenate([shuffled_indices(step, count=10, batch=5, seed=seed) for step in (0, 1)]))
        for seed in range(5)
    }
    assert len(orders) == 5


def test_a_batch_may_be_larger_than_the_data() -> None:
    assert sorted(shuffled_indices(0, count=2, batch=4, seed=0)) == [0, 0, 1, 1]


def test_spread_reaches_over_all_windows() -> None:
    assert evenly_spaced(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert evenly_spaced(3, 5).tolist() == [0, 1, 2]
    assert [float(window["f0_hz"][0]) for window in WindowStore(_rows(10)).sample(5)] == [
        float(_rows(10)[index][1]["f0_hz"][0]) for index in (0, 2, 4, 6, 8)
    ]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_examples_are_read_from_all_shards(tmp_path, suffix: str) -> None:
    _write(f"{tmp_path}/part-0{suffix}", [_example("b.wav", 0.0, 0.3), _example("a.wav", 10.0, 0.2)])
    _write(f"{tmp_path}/part-1{suffix}", [_example("a.wav", 2.0, 0.1)])
    windows = read_windows([f"{tmp_path}/part-*"], AUDIO, ["f0_hz"])
    assert windows.keys == ["a.wav at 00002.00 s", "a.wav at 00010.00 s", "b.wav at 00000.00 s"]
    assert windows.lengths == {"audio": 8000, "f0_hz": 125}
    np.testing.assert_allclose(windows.batch(range(3))["audio"][:, 0], [0.1, 0.2, 0.3])


def test_examples_that_do_not_fit_the_configuration_name_their_file(tmp_path) -> None:
    _write(f"{tmp_path}/part-0", [_example("a.wav", 0.0, 0.1, frames=7)])
    with pytest.raises(ValueError, match=r"part-0: not an example of .*f0_hz"):
        read_windows([f"{tmp_path}/part-*"], AUDIO, ["f0_hz"])
    with pytest.raises(ValueError, match=r"no training examples in .*/none"):
        read_windows([f"{tmp_path}/none-*"], AUDIO, ["f0_hz"])
