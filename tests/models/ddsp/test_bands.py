"""Where the magnitudes of filtered noise lie, and the spectrum that they give."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal as scipy_signal

from models.ddsp import bands, synths

RATES = [16000, 32000, 44000, 48000]


def positions_hz(count: int, rate: int) -> np.ndarray:
    """Find the points: what is interpolated from the points' own numbers is a line between neighbours."""
    hop = rate // 250
    matrix = bands.interpolation(count, "erb", hop, rate)
    grid = np.linspace(0, rate / 2, hop + 1)
    rising = np.arange(count) @ matrix  # number of the magnitude, along the grid
    return np.interp(np.arange(count), rising, grid)


def test_the_scale_is_that_of_glasberg_and_moore():
    """At 1 kHz a step of the scale is an equivalent rectangular bandwidth wide: 24.7 (4.37 f / kHz + 1) = 132.6 Hz."""
    assert bands.erb_number(1000.0) == pytest.approx(15.62, abs=0.01)
    width = bands.erb_number_to_hz(bands.erb_number(1000.0) + np.array([-0.5, 0.5]))
    assert np.diff(width) == pytest.approx(132.6, rel=0.005)
    np.testing.assert_allclose(bands.erb_number_to_hz(bands.erb_number([0.0, 50.0, 2e4])), [0.0, 50.0, 2e4], atol=1e-9)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [3, 9, 17, 33, 65])
def test_every_magnitude_shapes_the_filter_and_equal_ones_give_a_flat_one(rate: int, count: int):
    matrix = bands.interpolation(count, "erb", rate // 250, rate)
    assert matrix.shape == (count, rate // 250 + 1)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0)
    assert matrix.max(axis=1).min() > 0.4
    assert matrix[0, 0] == matrix[-1, -1] == 1.0


def test_points_are_even_on_the_scale_where_the_grid_is_fine_enough_and_on_the_grid_below():
    hz = positions_hz(40, 48000)
    even = np.arange(40) / 39 * bands.erb_number(24000.0)
    upper = hz > 4000
    assert upper.sum() > 10
    np.testing.assert_allclose(bands.erb_number(hz)[upper], even[upper], atol=0.05)
    np.testing.assert_allclose(hz[:5], np.arange(5) * 125.0)


@pytest.mark.parametrize("rate", RATES)
def test_as_many_magnitudes_as_the_grid_has_points_are_the_grid(rate: int):
    for count in (rate // 250 + 1, rate // 250 + 20):
        np.testing.assert_allclose(bands.interpolation(count, "erb", rate // 250, rate), np.eye(count), atol=1e-9)


def test_linear_magnitudes_are_the_grid_and_another_spacing_is_an_error():
    np.testing.assert_array_equal(bands.interpolation(9, "linear", 64, 16000), np.eye(9))
    with pytest.raises(ValueError, match="no spacing 'bark' of noise bands; known: linear, erb"):
        bands.interpolation(9, "bark", 64, 16000)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_noise_has_the_spectrum_of_its_magnitudes(rate: int):
    count, hop = 25, rate // 250
    wanted = np.linspace(1.0, 0.1, count)
    magnitudes = np.tile(wanted, (1, 1000, 1)).astype(np.float32)
    synth = synths.FilteredNoise(count, hop, -5.0, "erb", rate)
    audio = synth.get_signal(tf.constant(magnitudes), synths.white_noise(1, 1000 * hop, (3, 4)))
    hz, power = scipy_signal.welch(audio.numpy()[0], rate, nperseg=8 * hop)
    expected = np.interp(hz, positions_hz(count, rate), wanted) ** 2 * (1 / 3) / (rate / 2)
    inside = slice(10, -10)
    assert np.abs(10 * np.log10(power[inside] / expected[inside])).max() < 2.0
