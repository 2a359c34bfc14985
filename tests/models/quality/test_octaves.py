"""Levels by octave: an error in one band shows, whatever the loudness; bands without energy are left out."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from models.quality.octaves import bands_hz, octaves, window_levels

RATES = (16000, 32000, 48000)


def recording(rate: int, seconds: float = 4.0, f0: float = 220.0) -> np.ndarray:
    """Notes with pauses, partials up to Nyquist, over faint noise of -80 dB with a rumble below 50 Hz of -45 dB."""
    time = np.arange(round(seconds * rate)) / rate
    partials = sum(np.sin(2 * np.pi * k * f0 * time + k) / k for k in range(1, int(0.49 * rate / f0)))
    random = np.random.default_rng(0)
    rumble = sosfiltfilt(butter(2, 60, fs=rate, output="sos"), random.normal(0, 1, len(time)))
    noise = 10**-4 * random.normal(0, 1, len(time)) + 10 ** (-45 / 20) * rumble / rumble.std()
    return 0.2 * partials * (time % 1 < 0.85) + noise


def errors(original: np.ndarray, generated: np.ndarray, rate: int) -> dict[float, float | None]:
    found = octaves([window_levels("a", original, generated, rate)])
    return {hz: octave.error_db for (hz, _, _), octave in zip(bands_hz(rate), found, strict=True)}


@pytest.mark.parametrize("rate", RATES)
def test_bands_are_octaves_up_to_the_rate(rate: int):
    bands = bands_hz(rate)
    assert [hz for hz, _, _ in bands[:3]] == [62.5, 125.0, 250.0]
    assert bands[-1][2] <= 0.9 * rate / 2
    assert all(high == pytest.approx(2 * low) for _, low, high in bands[:-1])
    assert bands[-1][0] == {16000: 8000.0, 32000: 16000.0, 48000: 16000.0}[rate]


@pytest.mark.parametrize("rate", RATES)
def test_the_recording_itself_has_no_error_and_gain_is_an_error_of_its_size(rate: int):
    sound = recording(rate)
    assert all(error == pytest.approx(0) for error in errors(sound, sound, rate).values() if error is not None)
    for decibels in (-9.0, 4.0):
        found = errors(sound, 10 ** (decibels / 20) * sound, rate)
        assert [error for error in found.values() if error is not None] == pytest.approx([decibels] * 7, abs=0.01) or (
            all(error == pytest.approx(decibels, abs=0.01) for error in found.values() if error is not None)
        )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "fault",
    ["9 dB too soft below 1 kHz", "low-passed at half its reach", "silent", "white noise", "an octave too high"],
)
def test_a_fault_is_beyond_the_limit_of_3_db_in_some_band(rate: int, fault: str):
    sound = recording(rate)
    edge = 8000 if rate > 16000 else 4000  # at 16 kHz nothing is above 8 kHz that could be missing
    low = sosfiltfilt(butter(4, 1000, fs=rate, output="sos"), sound)
    faulty = {
        "9 dB too soft below 1 kHz": sound - (1 - 10 ** (-9 / 20)) * low,
        "low-passed at half its reach": sosfiltfilt(butter(6, edge, fs=rate, output="sos"), sound),
        "silent": np.zeros_like(sound),
        "white noise": np.random.default_rng(1).normal(0, sound.std(), len(sound)),
        "an octave too high": recording(rate, f0=440.0),
    }[fault]
    found = [abs(error) for error in errors(sound, faulty, rate).values() if error is not None]
    assert max(found) > 3


@pytest.mark.parametrize("rate", RATES)
def test_a_rumble_under_the_music_is_its_noise_floor_and_left_out(rate: int):
    [rumble, *_, _] = octaves([window_levels("a", recording(rate), recording(rate), rate)])
    assert (rumble.error_db, rumble.noise) == (None, 1)


def test_a_band_limited_recording_is_not_judged_above_its_band():
    full = recording(48000)
    limited = sosfiltfilt(butter(10, 5000, fs=48000, output="sos"), full)
    found = octaves([window_levels("a", limited, full, 48000)])
    assert found[-1].error_db is None
    assert (found[-1].weak, found[-1].judged) == (1, 0)


def test_a_tone_without_a_pause_has_no_noise_floor_and_is_judged():
    time = np.arange(4 * 16000) / 16000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    assert errors(tone, 0.5 * tone, 16000)[500.0] == pytest.approx(-6.02, abs=0.01)


def test_the_mean_is_signed_and_over_windows_with_energy_of_each_recordings_own():
    sound = recording(16000)
    pair = [window_levels(name, sound, gain * sound, 16000) for name, gain in (("a", 2.0), ("b", 0.5))]
    assert octaves(pair)[3].error_db == pytest.approx(0, abs=0.01)


def test_audio_that_is_no_number_gives_no_number():
    sound = recording(16000)
    assert np.isnan(errors(sound, np.full_like(sound, np.nan), 16000)[500.0])


def test_a_band_with_energy_in_fewer_than_half_of_the_windows_is_left_out():
    sound = recording(16000)
    low = sound + 0.01 * np.sin(2 * np.pi * 62.5 * np.arange(len(sound)) / 16000) * (
        np.arange(len(sound)) % 16000 < 8000
    )
    for originals, judged in (([low, sound, sound], 1), ([low, low, sound], 2)):
        lowest = octaves([window_levels("a", one, sound, 16000) for one in originals])[0]
        assert lowest.judged == judged
        assert (lowest.error_db is None) == (judged == 1)
