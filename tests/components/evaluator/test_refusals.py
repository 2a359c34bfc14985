"""At every rate the gates refuse a model an octave off, too soft below 1 kHz, dull, or untrained, and pass a good one.

Each fault is put into the recording itself, so that nothing else is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import butter, sosfiltfilt

from components.evaluator.metrics import MedianF0Error
from components.evaluator.octave_errors import OCTAVE_ERROR, OctaveErrors
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from pipeline.configuration.loading import load
from tests.components.evaluator.test_metrics import computed

pytestmark = pytest.mark.slow

RATES = (16000, 32000, 48000)
FRAME_RATE, SECONDS, F0 = 250, 4, 330.0
Fault = Callable[[np.ndarray, int], np.ndarray]


@cache
def recording(rate: int, f0: float = F0, seed: int = 0) -> np.ndarray:
    """Notes with pauses: partials up to Nyquist, breath, and faint noise."""
    time = np.arange(SECONDS * rate) / rate
    partials = sum(np.sin(2 * np.pi * k * f0 * time + k) / k for k in range(1, int(0.49 * rate / f0)))
    random = np.random.default_rng(seed)
    sounding = time % 1 < 0.85
    breath, hiss = (random.normal(0, 1, len(time)) for _ in range(2))
    return (0.2 * partials + 10**-2.5 * breath) * sounding + 10**-4 * hiss


def good(sound: np.ndarray, rate: int) -> np.ndarray:
    """The same with other noise, 1 dB softer: as near as a model comes."""
    del sound
    return 10 ** (-1 / 20) * recording(rate, seed=1)


def octave_off(sound: np.ndarray, rate: int) -> np.ndarray:
    del sound
    return recording(rate, 2 * F0)


def too_soft_below_1_khz(sound: np.ndarray, rate: int) -> np.ndarray:
    low = sosfiltfilt(butter(4, 1000, fs=rate, output="sos"), sound)
    return sound - (1 - 10 ** (-9 / 20)) * low


def dull(sound: np.ndarray, rate: int) -> np.ndarray:
    """Low-pass at 8 kHz; at 4 where the rate itself ends at 8, and nothing above could be missing."""
    return sosfiltfilt(butter(6, 8000 if rate > 16000 else 4000, fs=rate, output="sos"), sound)


def untrained(sound: np.ndarray, rate: int) -> np.ndarray:
    """What the network plays from random weights."""
    config = load("violin", [f"audio.sample_rate={rate}"])
    instrument = Instrument(config.model, config.audio)
    frames = SECONDS * FRAME_RATE
    features = {name: tf.zeros([1, frames]) for name in instrument.feature_names}
    controls = instrument.controls({**features, "f0_hz": tf.fill([1, frames], F0)})
    return instrument.audio_from(controls, white_noise(1, len(sound), (1, 2)))[0].numpy()


def missed(fault: Fault, rate: int) -> set[str]:
    """The limits that a model with a fault misses, of those on pitch and levels."""
    limits, sound = load("violin").evaluator, recording(rate)
    audio = np.asarray(fault(sound, rate), np.float32)
    frames = np.arange(SECONDS * FRAME_RATE) / FRAME_RATE
    window = {
        "audio": audio,
        "f0_hz": np.full(len(frames), F0, np.float32),
        "f0_confidence": np.where(frames % 1 < 0.8, 0.95, 0.0).astype(np.float32),
    }
    cents = computed(MedianF0Error(sample_rate=rate, frame_rate=FRAME_RATE), [window])
    [computation] = OctaveErrors(rate).computations(model_names=[""])
    features = {"audio": sound, "recording_id": np.array(["a"])}
    [levels] = computation.preprocessors[0].process({"features": features, "predictions": {"audio": audio}})
    found: dict[Any, float] = computation.combiner.extract_output(
        computation.combiner.add_input(computation.combiner.create_accumulator(), levels)
    )
    [octave] = [value for key, value in found.items() if key.name == OCTAVE_ERROR]
    failures = {"f0": not cents <= limits.max_f0_error_cents, "octaves": not octave <= limits.max_octave_error_db}
    return {name for name, failed in failures.items() if failed}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("fault", "refused_for"),
    [
        (good, set()),
        (octave_off, {"f0", "octaves"}),
        (too_soft_below_1_khz, {"octaves"}),
        (dull, {"octaves"}),
    ],
)
def test_a_fault_is_refused_for_what_it_is_and_a_good_model_is_not(fault: Fault, refused_for: set[str], rate: int):
    assert missed(fault, rate) == refused_for


@pytest.mark.parametrize("rate", RATES)
def test_an_untrained_model_is_refused(rate: int):
    assert "octaves" in missed(untrained, rate)


def test_nan_is_refused():
    assert missed(lambda sound, rate: np.full_like(sound, np.nan), 16000) == {"f0", "octaves"}
