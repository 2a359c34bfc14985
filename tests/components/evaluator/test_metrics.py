"""The Evaluator's metrics measure the audio, and nothing that is silent, broken or NaN can look good."""

import json
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma

from components.evaluator.eval_config import eval_config
from components.evaluator.metrics import NO_PITCH_CENTS, LossOver, MeanOutput, MedianF0Error, f0_errors
from pipeline.configuration.loading import load

RATE, FRAMES = 16000, 500


def computed(metric: tfma.metrics.Metric, windows: list[dict[str, Any]], model: str = "candidate") -> float:
    """What TFMA's machinery would find, merging an accumulator a window."""
    [computation] = metric.computations(model_names=[model])
    combiner: beam.CombineFn = computation.combiner
    combiner.setup()
    parts = [
        combiner.add_input(
            combiner.create_accumulator(),
            tfma.metrics.StandardMetricInputs(predictions={model: window, "other": {}}),
        )
        for window in windows
    ]
    [value] = combiner.extract_output(combiner.merge_accumulators([combiner.create_accumulator(), *parts])).values()
    return value


def tone(hz: float, generated_hz: float | None = None) -> dict[str, np.ndarray]:
    """A window whose recording sounds at `hz`, and a model's answer at another pitch, or noise for None."""
    time = np.arange(FRAMES * RATE // 250) / RATE
    random = np.random.default_rng(0)
    if generated_hz is None:
        audio = random.normal(0, 0.1, len(time))
    else:
        audio = sum(0.3 / k * np.sin(2 * np.pi * k * generated_hz * time) for k in range(1, 8))
    return {
        "audio": np.asarray(audio, np.float32),
        "f0_hz": np.full(FRAMES, hz, np.float32),
        "f0_confidence": np.full(FRAMES, 0.95, np.float32),
        "spectral_loss": np.float32(5),
        "baseline_spectral_loss": np.float32(10),
    }


def test_mean_and_ratio_are_over_windows_not_of_ratios():
    windows = [
        {"spectral_loss": 2.0, "baseline_spectral_loss": 1.0},
        {"spectral_loss": 4.0, "baseline_spectral_loss": 11.0},
    ]
    assert computed(MeanOutput(output="spectral_loss"), windows) == 3.0
    assert computed(LossOver("baseline_spectral_loss"), windows) == 0.5


def test_nan_in_one_window_is_nan_in_all():
    windows = [
        {"spectral_loss": 2.0, "baseline_spectral_loss": 1.0},
        {"spectral_loss": np.nan, "baseline_spectral_loss": 1.0},
    ]
    assert np.isnan(computed(LossOver("baseline_spectral_loss"), windows))


def test_no_window_at_all_is_nan():
    assert np.isnan(computed(MeanOutput(output="spectral_loss"), []))


def test_f0_error_is_measured_on_the_generated_audio():
    detuned = 440 * 2 ** (30 / 1200)
    metric = MedianF0Error(sample_rate=RATE, frame_rate=250)
    assert computed(metric, [tone(440, 440)] * 2) < 8  # the tracker's own error
    assert computed(metric, [tone(440, detuned)] * 2) == pytest.approx(30, abs=8)


def test_f0_is_measured_with_every_setting_of_the_tracker_that_measured_the_recordings():
    pitch = load("violin", ["examples.pitch.octaves=-1"]).examples.pitch
    metric = MedianF0Error(sample_rate=RATE, frame_rate=250, **pitch.model_dump())
    assert computed(metric, [tone(1568, 1568)]) < 10


@pytest.mark.parametrize("audio", [np.zeros(FRAMES * 64), np.full(FRAMES * 64, np.nan), tone(440)["audio"]])
def test_silence_nan_and_noise_have_the_worst_f0_error(audio: np.ndarray):
    window = {**tone(440, 440), "audio": audio.astype(np.float32)}
    assert computed(MedianF0Error(sample_rate=RATE, frame_rate=250), [window]) >= NO_PITCH_CENTS


def test_only_frames_in_which_the_recording_has_a_pitch_count():
    hz, trusted = np.array([440.0, 440.0, 440.0]), np.array([0.9, 0.1, 0.9])
    errors = f0_errors(hz, trusted, np.array([440.0, 880.0, 880.0]), np.array([0.9, 0.9, 0.9]))
    assert errors.tolist() == [0.0, NO_PITCH_CENTS]


def test_no_worse_is_required_on_all_windows_and_on_every_span_and_other_limits_on_all_windows():
    config = load("violin")
    [spec] = eval_config(config.evaluator, config.audio, config.examples.pitch, "").metrics_specs
    judged = {
        json.loads(metric.config).get("output", metric.class_name): [
            list(where.feature_keys) for limit in metric.per_slice_thresholds for where in limit.slicing_specs
        ]
        for metric in spec.metrics
        if metric.per_slice_thresholds
    }
    assert judged == {
        "spectral_loss": [[], ["span"]],
        "LossOver": [[]],
        "loudness_l1_db": [[]],
        "MedianF0Error": [[]],
        "OctaveErrors": [[]],
    }


def test_an_edit_of_the_code_that_measures_changes_the_configuration():
    config = load("violin")
    made = [eval_config(config.evaluator, config.audio, config.examples.pitch, sources) for sources in ("a", "b")]
    assert made[0] != made[1]


def test_generated_audio_is_measured_as_the_recordings_were():
    config = load("violin", ["examples.pitch={tracker: crepe, crepe_capacity: full, crepe_viterbi: false}"])
    [spec] = eval_config(config.evaluator, config.audio, config.examples.pitch, "").metrics_specs
    [settings] = [json.loads(metric.config) for metric in spec.metrics if metric.class_name == "MedianF0Error"]
    assert settings.items() >= config.examples.pitch.model_dump().items()
    assert MedianF0Error(**settings).get_config().items() >= config.examples.pitch.model_dump().items()
