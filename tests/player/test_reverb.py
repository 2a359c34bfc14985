"""A room rings on across blocks of any length."""

import numpy as np
import pytest
import scipy.signal

from player.reverb import HEAD, StreamedReverb

LENGTHS = [[1000], [1, 2, 997], [400, 0, 600], [7] * 143, [HEAD], [3 * HEAD + 5, 64, HEAD]]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("taps", [1, 50, 1500, HEAD, 3 * HEAD + 17])
def test_a_room_rings_on_across_blocks_of_any_length(lengths: list[int], taps: int):
    random = np.random.default_rng(0)
    dry, response = random.normal(size=sum(lengths)).astype(np.float32), random.normal(size=taps).astype(np.float32)
    reverb = StreamedReverb(response)
    blocks = [reverb(part) for part in np.split(dry, np.cumsum(lengths)[:-1])]
    whole = scipy.signal.fftconvolve(dry.astype(np.float64), response)
    whole[: len(dry)] += dry
    assert [len(block) for block in blocks] == lengths
    np.testing.assert_allclose(np.concatenate([*blocks, reverb.tail()]), whole, atol=1e-5 * np.abs(whole).max())


def test_without_a_room_the_sound_stays_dry():
    reverb, dry = StreamedReverb(np.zeros(0, np.float32)), np.ones(5, np.float32)
    np.testing.assert_array_equal(reverb(dry), dry)
    assert not len(reverb.tail())


def test_a_tail_is_returned_once():
    reverb = StreamedReverb(np.array([0.0, 1.0, 0.5], np.float32))
    reverb(np.ones(4, np.float32))
    np.testing.assert_allclose(reverb.tail(), [1.5, 0.5], atol=1e-6)
    np.testing.assert_array_equal(reverb.tail(), [0.0, 0.0])
