"""Channels that cancel, or nearly, are found by how they are correlated; other stereo is mixed."""

import numpy as np
import pytest

from data.features.screening import CANCELLED
from data.files.mixing import Mix
from tests.data.sounds import melody


def energy(*channels: np.ndarray, blocks: int = 3) -> float:
    mix = Mix()
    for block in np.array_split(np.stack(channels, axis=1).astype(np.float32), blocks):
        mix.add(block)
    return mix.energy()


def late(audio: np.ndarray, samples: int) -> np.ndarray:
    return np.concatenate([np.zeros(samples, np.float32), audio[: len(audio) - samples]])


LINE = melody(5.0, 44100)
OTHER = melody(5.0, 44100, seed=9)
NOISE = np.random.default_rng(0).normal(0, 0.02, len(LINE)).astype(np.float32)


@pytest.mark.parametrize(
    "second",
    [-LINE, -0.9 * LINE, -0.8 * LINE, -late(LINE, 1), -0.9 * late(LINE, 1), -LINE + NOISE, 0.2 - LINE],
    ids=["inverted", "at 0.9", "at 0.8", "one sample late", "late at 0.9", "with noise", "with an offset"],
)
def test_channels_that_cancel_are_found(second):
    assert energy(LINE, second) < CANCELLED


@pytest.mark.parametrize(
    "second",
    [LINE, 0.1 * LINE, 0 * LINE, late(LINE, 30), OTHER, NOISE, -0.2 * LINE],
    ids=["the same", "quiet", "silent", "a spaced pair", "another", "noise", "quiet and inverted"],
)
def test_other_stereo_is_mixed(second):
    assert energy(LINE, second) > 2 * CANCELLED


def test_uncorrelated_channels_give_one_however_many_there_are():
    draw = np.random.default_rng(1)
    for count in (2, 8):
        assert energy(*draw.normal(0, 0.1, (count, 44100))) == pytest.approx(1.0, abs=0.05)
    assert energy(LINE) == 1.0
    assert energy(0 * LINE, 0 * LINE) == 1.0
