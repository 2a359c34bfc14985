"""The loss over bands: what it averages, that it means the same at every rate, and that its gradients are right."""

import numpy as np
import pytest
import tensorflow as tf

from models.ddsp.band_loss import BandLoss, band_means

SIZES = (2048, 256, 64)
RATES = (16000, 32000, 48000)


def make_loss(rate: int, **settings: float) -> BandLoss:
    given = {"fft_sizes": SIZES, "bands_per_octave": 16, "mag_weight": 1.0, "logmag_weight": 1.0, **settings}
    return BandLoss(**given, sample_rate=rate)


def tones(rate: int, *partials: tuple[float, float], seed: int = 0) -> np.ndarray:
    """Half a second of sines, each of (Hz, amplitude), over noise at -60 dB. Shape [1, samples]."""
    time = np.arange(rate // 2) / rate
    floor = 1e-3 * np.random.default_rng(seed).standard_normal(len(time))
    audio = floor + sum(amplitude * np.sin(2 * np.pi * hz * time) for hz, amplitude in partials)
    return audio[np.newaxis].astype(np.float32)


def distance(loss: BandLoss, target: np.ndarray, audio: np.ndarray) -> float:
    return float(loss(loss.target(tf.constant(target)), tf.constant(audio)))


def test_low_bins_are_bands_by_themselves_and_each_octave_above_has_the_same_number() -> None:
    power = np.arange(1025, dtype=np.float32)[np.newaxis, np.newaxis]  # the mean of a band is its centre
    centres = band_means(tf.constant(power), 16).numpy()[0, 0]
    np.testing.assert_array_equal(centres[:32], np.arange(32))
    assert len(centres) == 32 + 5 * 16
    for octave in range(5):
        width = 2 ** (octave + 1)
        first = 32 + 16 * octave
        np.testing.assert_allclose(centres[first : first + 16], 16 * width + width * np.arange(16) + (width - 1) / 2)


def test_spectra_without_a_power_of_two_of_bins_lose_less_than_a_band() -> None:
    for size in (6144, 3072, 1536, 768, 384, 192, 100):
        bins = size // 2 + 1
        means = band_means(tf.ones([1, 1, bins]), 16).numpy()
        assert np.all(means == 1)
        widths = 2.0 ** np.floor(np.log2(np.maximum(np.arange(bins), 16) / 16))
        assert bins - 1 - widths[-1] <= sum(_widths(means.shape[-1], 16)) <= bins - 1


def _widths(bands: int, per_octave: int) -> list[int]:
    return [max(1, 2 ** (band // per_octave - 1)) for band in range(bands)]


@pytest.mark.parametrize("rate", RATES)
def test_the_mean_loss_is_the_mean_of_the_losses_of_its_windows(rate: int) -> None:
    loss = make_loss(rate)
    target = np.concatenate([tones(rate, (440, 0.2)), tones(rate, (330, 0.1))])
    audio = np.concatenate([tones(rate, (440, 0.1)), tones(rate, (660, 0.1))])
    each = loss.per_example(loss.target(tf.constant(target)), tf.constant(audio)).numpy()
    assert distance(loss, target, audio) == pytest.approx(each.mean(), rel=1e-5)
    assert distance(loss, target, target) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_its_gradient_is_that_of_the_losses_of_its_windows(rate: int) -> None:
    """The quick gradient, found together with the loss, is TensorFlow's own."""
    loss, audio = make_loss(rate), tf.constant(tones(rate, (450, 0.15), (900, 0.05), seed=1))
    targets = loss.target(tf.constant(tones(rate, (440, 0.2))))
    gradients = []
    for compute in (loss, loss.per_example):
        with tf.GradientTape() as tape:
            tape.watch(audio)
            value = tf.reduce_mean(compute(targets, audio))
        gradients.append(tape.gradient(value, audio).numpy())
    quick, exact = gradients
    assert np.abs(quick - exact).max() < 1e-3 * np.abs(exact).max()


def test_an_error_of_one_partial_costs_about_as_much_at_every_rate() -> None:
    """What is below 8 kHz is not drowned by what lies above it, which made models at 48 kHz 17 dB too soft there."""
    of = {}
    for rate in RATES:
        partials = [(440.0 * number, 0.1 / number) for number in range(1, 18)]
        softer = [(440.0, 0.01), *partials[1:]]
        loss = make_loss(rate)
        of[rate] = distance(loss, tones(rate, *partials), tones(rate, *softer))
    assert of[48000] > 0.7 * of[16000]
    assert of[32000] > 0.8 * of[16000]


@pytest.mark.parametrize("rate", RATES)
def test_gradients_are_finite_on_silence(rate: int) -> None:
    loss = make_loss(rate)
    silence = tf.zeros([1, rate // 4])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        value = loss(loss.target(tones(rate, (440, 0.1))[:, : rate // 4]), silence)
    assert np.isfinite(tape.gradient(value, silence)).all()
    assert np.isfinite(value)
