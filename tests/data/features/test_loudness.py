"""Loudness and RMS energy are what ddsp defines, at any sample rate and however a recording is read."""

import numpy as np
import pytest

from common.audio import AudioConfig
from data.features.loudness import loudness_and_rms
from tests.data.sounds import melody, reader, tone

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=4.0)


def measure(audio: np.ndarray, config: AudioConfig = AUDIO) -> tuple[np.ndarray, np.ndarray]:
    return loudness_and_rms(reader(audio), len(audio), config)


def test_golden_loudness(golden):
    fixture = golden("loudness")
    for audio, expected in zip(fixture["audio"], fixture["loudness_center"], strict=True):
        np.testing.assert_allclose(measure(audio)[0], expected[: len(audio) // 64], atol=1e-3)
    sine = fixture["sine_1k"][0]
    np.testing.assert_allclose(measure(sine)[0], fixture["loudness_sine_1k"][0][: len(sine) // 64], atol=1e-3)
    silence = fixture["silence"][0]
    np.testing.assert_array_equal(measure(silence)[0], fixture["loudness_silence"][0][: len(silence) // 64])


def test_golden_rms_energy(golden):
    fixture = golden("loudness")
    for audio, expected in zip(fixture["audio"], fixture["rms_center"], strict=True):
        np.testing.assert_allclose(measure(audio)[1], expected[: len(audio) // 64], atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
def test_frames_are_samples_over_hop_and_the_window_is_32_ms_at_every_rate(rate):
    config = AudioConfig(sample_rate=rate, frame_rate=250, window_seconds=4.0)
    click = np.zeros(rate + config.hop - 1, np.float32)
    click[rate // 2] = 1.0
    loudness, rms = measure(click, config)
    assert len(loudness) == len(rms) == len(click) // config.hop == 250
    assert np.flatnonzero(rms).tolist() == list(range(122, 130))  # 125 is centred on it; 32 ms are 8 frames of 4 ms
    np.testing.assert_allclose(rms[125], np.sqrt(1 / (0.032 * rate)), rtol=1e-6)


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
def test_a_tone_has_the_rms_of_its_waveform_at_every_rate(rate):
    config = AudioConfig(sample_rate=rate, frame_rate=250, window_seconds=4.0)
    _, rms = measure(tone(500.0, 1.0, rate, harmonics=1), config)
    np.testing.assert_allclose(rms[10:-10], 0.2 / np.sqrt(2), rtol=1e-3)


def test_blocks_leave_no_seam():
    audio = melody(25.0)
    whole = measure(audio)
    part = measure(audio[10 * 16000 : 12 * 16000])  # one block ends in frame 2500, at 10 s
    for of_all, of_part in zip(whole, part, strict=True):
        np.testing.assert_allclose(of_all[2510:2990], of_part[10:490], atol=1e-3)


def test_loudness_never_lies_below_its_floor_nor_is_infinite():
    loudness, rms = measure(np.concatenate([np.zeros(8000), 1e-7 * melody(0.5)]).astype(np.float32))
    assert loudness.min() == -80.0
    assert np.isfinite(loudness).all()
    assert np.isfinite(rms).all()
