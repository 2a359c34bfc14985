"""An instrument played block by block sounds as it does in one piece, and the reverb rings on across blocks."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from models.ddsp.synths import white_noise
from models.instrument import Instrument
from pipeline.configuration.loading import load
from player.blocks import BLOCK_SECONDS, RELEASE_SECONDS, StreamedReverb, play

NO_ROOM = np.zeros(0, np.float32)


@pytest.mark.parametrize("lengths", [[1000], [1, 2, 3, 994], [400, 0, 600], [7] * 143])
@pytest.mark.parametrize("taps", [1, 50, 1500])
def test_a_room_rings_on_across_blocks_of_any_length(lengths: list[int], taps: int):
    random = np.random.default_rng(0)
    dry, response = random.normal(size=sum(lengths)).astype(np.float32), random.normal(size=taps).astype(np.float32)
    reverb = StreamedReverb(response)
    blocks = [reverb(part) for part in np.split(dry, np.cumsum(lengths)[:-1])]
    whole = scipy.signal.convolve(dry, response, method="direct")
    whole[: len(dry)] += dry
    assert [len(block) for block in blocks] == lengths
    np.testing.assert_allclose(np.concatenate([*blocks, reverb.tail()]), whole, atol=1e-3 * np.abs(whole).max())


def test_without_a_room_the_sound_stays_dry():
    reverb, dry = StreamedReverb(NO_ROOM), np.ones(5, np.float32)
    np.testing.assert_array_equal(reverb(dry), dry)
    assert not len(reverb.tail())


def test_a_tail_is_returned_once():
    reverb = StreamedReverb(np.array([0.0, 1.0, 0.5], np.float32))
    reverb(np.ones(4, np.float32))
    np.testing.assert_allclose(reverb.tail(), [1.5, 0.5], atol=1e-6)
    np.testing.assert_array_equal(reverb.tail(), [0.0, 0.0])


@pytest.mark.parametrize("model", ["cnn", "gru"])
def test_blocks_join_to_what_the_whole_clip_gives(model: str):
    config = load("violin", [f"model={model}"])
    instrument, hop = Instrument(config.model, config.audio, seed=1), config.audio.hop
    frames = round(2.3 * BLOCK_SECONDS * config.audio.frame_rate)
    features = _features(instrument, frames)
    blocks = list(play(instrument, NO_ROOM, features, seed=5))
    samples = round(BLOCK_SECONDS * config.audio.sample_rate)
    noise = tf.concat([white_noise(1, samples, (5, number)) for number in range(3)], axis=1)[:, : frames * hop]
    batch = {name: values[np.newaxis].astype(np.float32) for name, values in features.items()}
    whole = instrument.graph.get_dry(instrument.controls(batch), noise=noise)[0].numpy()
    played, end = np.concatenate(blocks), round(RELEASE_SECONDS * config.audio.sample_rate)
    assert len(played) == frames * hop
    assert max(map(len, blocks)) <= samples
    np.testing.assert_allclose(played[:-end], whole[:-end], atol=1e-4 * np.abs(whole).max())


def test_a_sound_that_ends_in_the_middle_of_a_note_dies_away_without_a_click():
    config = load("violin")
    instrument = Instrument(config.model, config.audio)
    features = {name: np.full(300, 440.0 if name == "f0_hz" else 1.0) for name in ("f0_hz", *instrument.feature_names)}
    played = np.concatenate(list(play(instrument, NO_ROOM, features)))
    assert np.abs(played[-400:-200]).max() > 0.1  # it does sound
    assert np.abs(played[-8:]).max() < 0.05 * np.abs(played).max()


def test_the_seed_decides_the_noise():
    config = load("violin")
    instrument = Instrument(config.model, config.audio)
    first, again, other = (
        np.concatenate(list(play(instrument, NO_ROOM, _features(instrument, 100), seed=seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.0


def _features(instrument: Instrument, frames: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    drifting = {name: np.cumsum(random.normal(0, 0.05, frames)) for name in instrument.feature_names}
    return {"f0_hz": 330.0 * 2.0 ** np.cumsum(random.normal(0, 0.003, frames)), **drifting}
