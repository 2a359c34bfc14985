"""The late part of a room: its noise is white and the same everywhere, and it dies away as its decay times state."""

import numpy as np
import pytest

from common.acoustics import reverberation
from common.acoustics.reverberation import late_noise, late_tail


def test_the_phases_are_the_known_values_of_a_known_hash():
    """Published values of MurmurHash3's finaliser."""
    found = reverberation._hash(np.array([0, 1, 2, 0xFFFFFFFF], np.uint32))
    assert [hex(value) for value in found.tolist()] == ["0x0", "0x514e28b7", "0x30f4c306", "0x81f16f39"]


@pytest.mark.parametrize("rate", [16000, 48000])
@pytest.mark.parametrize("bands", [1, 2, 10])
def test_the_bands_add_up_to_white_noise_of_power_1(bands: int, rate: int):
    noise = late_noise(bands, 32768, rate).sum(axis=0)
    power = np.abs(np.fft.rfft(noise)[1:-1]) ** 2 / len(noise)
    octaves = np.array_split(power, 16)
    np.testing.assert_allclose([np.mean(part) for part in octaves], 1.0, atol=0.15)
    assert np.mean(noise**2) == pytest.approx(1.0, abs=0.02)
    assert np.mean(noise**4) / np.mean(noise**2) ** 2 == pytest.approx(3.0, abs=0.3)  # Gaussian, no crackle


def test_bands_lie_where_ears_have_them_and_are_independent():
    noise = late_noise(8, 16384, 16000)
    spectra = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.arange(spectra.shape[1]) * 16000 / 16384
    centres = (10 ** (np.arange(8) / 7 * np.log10(1 + 0.00437 * 8000)) - 1) / 0.00437
    for band in range(1, 7):
        inside = (hz > centres[band - 1]) & (hz < centres[band + 1])
        assert spectra[band][inside].sum() > 0.99 * spectra[band].sum()
    assert np.abs(np.corrcoef(noise) - np.eye(8)).max() < 0.1


@pytest.mark.parametrize("taps", [1, 7, 1000, 4097])
def test_its_length_is_that_which_is_wanted(taps: int):
    assert late_noise(3, taps, 16000).shape == (3, taps)


def test_a_band_falls_by_60_db_in_its_decay_time():
    tail = late_tail([0.0, 0.1, 0.0], [9.0, 0.5, 9.0], 16000, 16000)
    energy = np.square(tail).reshape(20, 800).mean(axis=1)
    slope = np.polyfit((np.arange(20) + 0.5) * 0.05, 10 * np.log10(energy), 1)[0]
    assert slope == pytest.approx(-60 / 0.5, rel=0.05)
    np.testing.assert_allclose(tail[0], 0.1 * late_noise(3, 16000, 16000)[1, 0])
