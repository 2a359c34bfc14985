"""The network-free baseline finds the parameters of windows, plays them as loud as given, and is no straw man."""

import numpy as np
import pytest
import tensorflow as tf

from models.baseline import Baseline, fit_baseline
from models.ddsp.graph import ProcessorGraph
from models.ddsp.losses import SpectralLoss
from models.ddsp.spectral import loudness_db
from models.ddsp.synths import white_noise

HARMONICS, BANDS, FRAMES, HOP, RATE = 12, 33, 250, 64, 16000
ENTRIES = [
    {"name": "harmonic", "type": "harmonic", "harmonics": HARMONICS},
    {"name": "noise", "type": "filtered_noise", "bands": BANDS},
    {"name": "dry", "type": "mix", "inputs": ["harmonic", "noise"]},
]
ROOM = {"name": "reverb", "type": "reverb_free", "seconds": 0.2, "inputs": ["dry"]}
DISTRIBUTION = 0.6 ** np.arange(HARMONICS) / np.sum(0.6 ** np.arange(HARMONICS))
NOISE = np.linspace(1.0, 0.1, BANDS)


def measured_loudness(audio: np.ndarray) -> np.ndarray:
    return loudness_db(tf.constant(audio), RATE, RATE // HOP)[:, :FRAMES].numpy()


def played_windows(count: int, noise_level: float = 0.003) -> list[dict[str, np.ndarray]]:
    """Play an instrument with one timbre, swelling and gliding, with breath noise."""
    graph, windows = ProcessorGraph(ENTRIES), []
    for index in range(count):
        random = np.random.default_rng(index)
        time = np.arange(FRAMES) / 250
        f0 = 300 * 2 ** (0.7 * random.uniform(-1, 1) + 0.1 * np.sin(6 * time))
        amplitude = 0.2 * (0.15 + np.sin(np.pi * time) ** 2)
        ones = np.ones((1, FRAMES, 1))
        controls = {
            "f0_hz": f0[np.newaxis, :, np.newaxis],
            "amplitude": amplitude[np.newaxis, :, np.newaxis],
            "harmonic_distribution": ones * DISTRIBUTION,
            "noise_magnitudes": ones * NOISE * noise_level,
        }
        controls = {name: tf.constant(value, tf.float32) for name, value in controls.items()}
        audio = graph.get_dry(controls, noise=white_noise(1, FRAMES * HOP, (index, 0))).numpy()
        features = {"f0_hz": f0.astype(np.float32), "f0_confidence": np.ones(FRAMES, np.float32)}
        windows.append({**features, "audio": audio[0], "loudness_db": measured_loudness(audio)[0]})
    return windows


@pytest.fixture(scope="module")
def windows() -> list[dict[str, np.ndarray]]:
    return played_windows(6)


@pytest.fixture(scope="module")
def baseline(windows) -> Baseline:
    return fit_baseline(iter(windows), ProcessorGraph(ENTRIES))


def play(baseline: Baseline, graph: ProcessorGraph, window: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    features = tf.constant(window["f0_hz"][np.newaxis]), tf.constant(window["loudness_db"][np.newaxis])
    dry, wet = baseline.audio(graph, *features, white_noise(1, FRAMES * HOP, (99, 0)))
    return dry.numpy(), wet.numpy()


def test_it_finds_the_harmonic_distribution_that_was_played(baseline) -> None:
    assert baseline.distribution.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(baseline.distribution, DISTRIBUTION, atol=0.01)


def test_it_finds_the_colour_and_the_level_of_the_noise(windows) -> None:
    graph = ProcessorGraph(ENTRIES)
    fitted = fit_baseline(played_windows(4, noise_level=0.05), graph)
    controls = fitted.controls(graph, tf.fill([1, 1], 300.0), tf.fill([1, 1], 0.0) + windows[0]["loudness_db"].mean())
    found = controls["noise_magnitudes"].numpy()[0, 0, 2:-2]
    # The geometric mean of the power of Gaussian noise lies 2.5 dB below its mean.
    np.testing.assert_allclose(20 * np.log10(found / (0.05 * NOISE[2:-2])), -2.5, atol=1.5)


def test_it_finds_the_colour_of_noise_whose_bands_are_spaced_as_ears_are() -> None:
    entries = [{**ENTRIES[1], "bands": 20, "spacing": "erb"}]
    graph = ProcessorGraph(entries, sample_rate=48000)
    played = 0.05 * 0.8 ** np.arange(20.0)
    controls = {"f0_hz": tf.ones([1, FRAMES, 1]), "noise_magnitudes": tf.constant([[played] * FRAMES], tf.float32)}
    audio = graph.get_dry(controls, noise=white_noise(1, FRAMES * graph.hop, (5, 0))).numpy()[0]
    ones = np.ones(FRAMES, np.float32)
    window = {"audio": audio, "f0_hz": 300 * ones, "f0_confidence": ones, "loudness_db": -30 * ones}
    controls = fit_baseline([window], graph).controls(graph, tf.fill([1, 1], 300.0), tf.fill([1, 1], -30.0))
    found = controls["noise_magnitudes"].numpy()[0, 0, 1:-1]
    np.testing.assert_allclose(20 * np.log10(found / played[1:-1]), -2.5, atol=1.5)


def test_its_loudness_is_that_of_the_features(baseline, windows) -> None:
    for window in windows:
        dry, _ = play(baseline, ProcessorGraph(ENTRIES), window)
        error = measured_loudness(dry)[0] - window["loudness_db"]
        assert np.mean(np.abs(error)) < 1.0


def test_it_is_closer_to_the_recording_than_silence_noise_or_another_note(baseline, windows) -> None:
    loss, window, graph = SpectralLoss(), windows[0], ProcessorGraph(ENTRIES)
    target = loss.target(window["audio"][np.newaxis])
    dry, _ = play(baseline, graph, window)
    other, _ = play(baseline, graph, {**window, "f0_hz": window["f0_hz"] * 1.3})
    rivals = [0 * dry, 0.05 * white_noise(1, FRAMES * HOP, (1, 1)).numpy(), other]
    assert all(loss(target, dry) < 0.7 * loss(target, rival) for rival in rivals)


def test_a_room_does_not_change_its_level_and_a_broken_one_does_not_touch_the_dry_signal(baseline, windows) -> None:
    graph = ProcessorGraph([*ENTRIES, ROOM])
    (ir,) = graph.trainable_variables
    ir.assign(np.random.default_rng(0).standard_normal(ir.shape).astype("f"))  # a hundred times too loud
    dry, wet = play(baseline, graph, windows[0])
    assert np.any(wet != dry)
    assert np.std(wet) == pytest.approx(np.std(dry), rel=1e-3)
    ir.assign(np.full(ir.shape, np.nan))
    broken_dry, broken_wet = play(baseline, graph, windows[0])
    np.testing.assert_array_equal(broken_dry, dry)
    assert np.isnan(broken_wet).any()


def test_it_plays_other_signal_chains_too(windows) -> None:
    two = [{**ENTRIES[0], "name": "low"}, {**ENTRIES[0], "name": "high", "harmonics": 5}]
    mix = {"name": "dry", "type": "mix", "inputs": ["low", "high"]}
    for entries in ([ENTRIES[0]], [ENTRIES[1]], [*two, mix]):
        graph = ProcessorGraph(entries)
        dry, wet = play(fit_baseline(windows, graph), graph, windows[0])
        assert np.std(dry) > 0
        np.testing.assert_array_equal(np.isfinite(dry), True)
        np.testing.assert_allclose(wet, dry, atol=1e-6)


def test_windows_without_any_pitch_or_sound_still_give_finite_constants() -> None:
    zeros = np.zeros(FRAMES, np.float32)
    silent = {
        "audio": np.zeros(FRAMES * HOP, np.float32),
        "f0_hz": zeros + 440,
        "f0_confidence": zeros,
        "loudness_db": zeros - 80,
    }
    graph = ProcessorGraph(ENTRIES)
    dry, _ = play(fit_baseline([silent], graph), graph, silent)
    assert np.all(np.isfinite(dry))
    with pytest.raises(ValueError, match="at least one"):
        fit_baseline([], graph)
