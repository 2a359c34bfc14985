"""The network-free baseline that any network must beat: one timbre for all notes, with the loudness of the features.

It is measured on training windows, without learning: the mean harmonic distribution (complex demodulation along f0),
the mean noise spectrum (of the residual without the harmonics) and its level as a line over loudness. The amplitude is
that which has the given loudness at every pitch. Played by the model's own synthesiser, it sounds like a crude but
right version of the instrument. The Evaluator requires a model to be better than it by a share, which means the same
for any recordings; a model that is silent, noisy or lost is not.

Means are of logarithms: the spectral loss compares log magnitudes too, and geometric means gave the stronger baseline
on violin, oboe and saxophone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.features import AUDIO, F0_CONFIDENCE, F0_HZ, LOUDNESS_DB, PITCH_AND_LOUDNESS
from common.loudness import a_weighting_db, window_samples
from common.pitch import is_voiced, midi_to_hz
from models.ddsp.core import hz_to_midi
from models.ddsp.graph import ProcessorGraph
from models.ddsp.synths import FilteredNoise, normalise_harmonics

Array = npt.NDArray[np.float64]

BASELINE_FEATURES = PITCH_AND_LOUDNESS  # of the windows that it is fitted to
BASELINE_WINDOWS = 32
FITTED_RANGE_DB = 40.0  # frames further below the 95th percentile of their window's loudness are not fitted to
ANALYSIS_SECONDS = 0.064  # of the window that separates harmonics: down to f0 of 62 Hz
PITCHES_PER_SEMITONE = 8
_PITCHES = np.arange(128 * PITCHES_PER_SEMITONE) / PITCHES_PER_SEMITONE  # MIDI
_TINY = 1e-7
_NOISE_POWER = 1.0 / 3.0  # of uniform noise in [-1, 1)


@dataclass(frozen=True)
class Baseline:
    """The constants of the network-free baseline.

    Attributes:
      distribution: shape [harmonics], sums to 1; empty for a synthesiser without harmonics.
      level_db: shape [1024], amplitude in dB at a loudness of 0 dB, for MIDI pitches an eighth of a semitone apart.
      noise_magnitudes: shape [bands], of noise whose power is 1; empty for a synthesiser without noise.
      noise_level_db: level of the noise in dB at a loudness of 0 dB, and its slope in dB per dB.
    """

    distribution: npt.NDArray[np.float32]
    level_db: npt.NDArray[np.float32]
    noise_magnitudes: npt.NDArray[np.float32]
    noise_level_db: tuple[float, float]

    def controls(self, graph: ProcessorGraph, f0_hz: tf.Tensor, loudness_db: tf.Tensor) -> dict[str, tf.Tensor]:
        """Convert features to synthesiser controls.

        Where the chain has several synthesisers of a kind, the first plays and the others are silent.

        Args:
          graph: the processor graph that plays them.
          f0_hz: fundamental frequency in Hz, [B, T].
          loudness_db: loudness in dB, [B, T].

        Returns:
          All controls, each [B, T, channels], linear; and `f0_hz` in Hz, [B, T, 1].
        """
        f0_hz, loudness_db = f0_hz[..., tf.newaxis], loudness_db[..., tf.newaxis]  # [B, T, 1]
        pitch = tf.cast(tf.round(hz_to_midi(f0_hz) * PITCHES_PER_SEMITONE), tf.int32)
        level_db = tf.gather(self.level_db, tf.clip_by_value(pitch, 0, len(_PITCHES) - 1))
        offset_db, slope = self.noise_level_db
        ones = tf.ones_like(f0_hz)
        played = {
            "amplitude": _amplitude(loudness_db + level_db),
            "harmonic_distribution": normalise_harmonics(ones * self.distribution, f0_hz, graph.sample_rate),
            "noise_magnitudes": _amplitude(offset_db + slope * loudness_db) * self.noise_magnitudes,
        }
        controls = {F0_HZ: f0_hz}
        for name, channels in graph.raw_outputs.items():
            kind = next(kind for kind in _KINDS if name.endswith(kind))
            controls[name] = played.pop(kind, ones * tf.zeros([channels]))
        return controls

    def audio(
        self, graph: ProcessorGraph, f0_hz: tf.Tensor, loudness_db: tf.Tensor, noise: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Synthesise audio from features.

        Args:
          graph: the processor graph.
          f0_hz: fundamental frequency in Hz, [B, T].
          loudness_db: loudness in dB, [B, T].
          noise: uniform in [-1, 1), [B, samples].

        Returns:
          The dry signal; and the same with the chain's own reverb, as loud as the dry signal (the level was measured on
          recordings, which include their room). Each [B, samples]. An impulse response with NaN gives NaN.
        """
        signals = graph.get_signal(self.controls(graph, f0_hz, loudness_db), noise=noise)
        dry, wet = signals[graph.dry_name], signals[graph.audio_name]
        power, wet_power = (tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) for x in (dry, wet))
        return dry, wet * tf.sqrt(power / tf.maximum(wet_power, 1e-20))


_KINDS = ("amplitude", "harmonic_distribution", "noise_magnitudes")


def fit_baseline(windows: Iterable[Mapping[str, np.ndarray]], graph: ProcessorGraph) -> Baseline:
    """Fit the network-free baseline to training windows.

    Args:
      windows: training examples, of the first 256 of which 32, evenly spaced, are used: `audio` [samples], and `f0_hz`
        (Hz), `f0_confidence` (0 to 1), `loudness_db` (dB) [frames].
      graph: the processor graph that will play it.

    Raises:
      ValueError: there are no windows.
    """
    chosen = list(islice(windows, 256))
    if not chosen:
        raise ValueError("a baseline needs at least one training window")
    indices = np.unique(np.linspace(0, len(chosen) - 1, BASELINE_WINDOWS).round().astype(int))
    widths = [width for name, width in graph.raw_outputs.items() if name.endswith("harmonic_distribution")]
    noise = next((synth for synth in graph.synths.values() if isinstance(synth, FilteredNoise)), None)
    measured = [_measure(chosen[index], graph, widths[0] if widths else 0, noise) for index in indices]
    frames = {key: np.concatenate([m[key] for m in measured]) for key in measured[0]}
    distribution = _mean_distribution(frames, graph.sample_rate)
    return Baseline(
        distribution=distribution.astype(np.float32),
        level_db=_level_db(distribution, graph.sample_rate).astype(np.float32),
        noise_magnitudes=_mean_noise(frames).astype(np.float32),
        noise_level_db=_noise_line(frames),
    )


def _measure(
    window: Mapping[str, np.ndarray], graph: ProcessorGraph, harmonics: int, noise: FilteredNoise | None
) -> dict[str, Array]:
    """Measure every frame: amplitudes [T, harmonics], noise power [T, bands], features [T], and masks [T]."""
    audio, f0 = (np.asarray(window[name], np.float64) for name in (AUDIO, F0_HZ))
    loudness = np.asarray(window[LOUDNESS_DB], np.float64)
    fitted = loudness >= np.percentile(loudness, 95) - FITTED_RANGE_DB
    voiced = fitted & is_voiced(window[F0_CONFIDENCE])
    partials, cycles = _demodulate(audio, f0, harmonics, graph)
    rest = audio - _resynthesise(partials * voiced[:, np.newaxis], cycles, graph.hop)
    return {
        "amplitudes": np.abs(partials),
        "noise_power": _noise_power(rest, noise) if noise else np.zeros((len(audio) // graph.hop, 0)),
        F0_HZ: f0,
        LOUDNESS_DB: loudness,
        "fitted": fitted,
        "voiced": voiced,
    }


def _demodulate(
    audio: Array, f0_hz: Array, harmonics: int, graph: ProcessorGraph
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Compute the harmonics' complex amplitudes [T, harmonics], and exp(-i phase of f0) [samples].

    Every harmonic is shifted to 0 Hz along the phase of f0 and averaged with a Hann window, so that glides do no harm.
    """
    rate = graph.sample_rate
    window = _hann(2 * graph.hop * max(1, round(ANALYSIS_SECONDS * rate / 2 / graph.hop)))
    time = np.arange(len(audio)) / graph.hop  # in frames
    phase = np.cumsum(np.interp(time, np.arange(len(f0_hz)), f0_hz)) / rate
    cycles = np.exp(-2j * np.pi * (phase % 1.0))
    partials = np.zeros((len(f0_hz), harmonics), np.complex128)
    shifted = audio.astype(np.complex128)
    for k in range(harmonics):
        shifted = shifted * cycles  # harmonic k + 1 is at 0 Hz now
        partials[:, k] = _averages(shifted, 2.0 * window / window.sum(), graph.hop)
    partials[np.outer(f0_hz, np.arange(1, harmonics + 1)) >= rate / 2] = 0.0
    return partials, cycles


def _resynthesise(partials: npt.NDArray[np.complex128], cycles: npt.NDArray[np.complex128], hop: int) -> Array:
    """Sum the harmonics that `_demodulate` found. Shape [samples]."""
    frames, time = np.arange(len(partials)), np.arange(len(cycles)) / hop
    audio, turns = np.zeros(len(cycles)), np.ones_like(cycles)
    for partial in partials.T:
        turns = turns * np.conj(cycles)
        audio += np.interp(time, frames, partial.real) * turns.real - np.interp(time, frames, partial.imag) * turns.imag
    return audio


def _noise_power(audio: Array, noise: FilteredNoise) -> Array:
    """Compute the power relative to white noise of power 1 around every point of the noise's magnitudes, [T, bands].

    It is the geometric mean over the grid that the magnitudes are interpolated onto, weighted as they are in it.
    """
    weights = noise.interpolation / noise.interpolation.sum(axis=1, keepdims=True)  # [bands, points]
    window = _hann(2 * (weights.shape[1] - 1))
    spectrum = np.fft.rfft(_frames(audio, len(window), noise.hop) * window)  # [T, points]
    power = np.abs(spectrum) ** 2 / np.sum(window**2)
    return np.exp(np.log(np.maximum(power, _TINY**2)) @ weights.T)


def _mean_distribution(frames: Mapping[str, Array], sample_rate: int) -> Array:
    """Average (geometric mean) voiced frames, each harmonic where it is below Nyquist. Shape [harmonics], sums to 1."""
    voiced = _mask_or_all(frames["voiced"])
    amplitudes = frames["amplitudes"][voiced]
    numbers = np.arange(1, amplitudes.shape[1] + 1)
    exists = np.outer(frames[F0_HZ][voiced], numbers) < sample_rate / 2
    shares = amplitudes / np.maximum(amplitudes.sum(axis=1, keepdims=True), _TINY)
    logs = np.log(np.maximum(shares, _TINY)) * exists
    count = exists.sum(axis=0)  # frames of each harmonic
    mean = np.where(count > 0, np.exp(logs.sum(axis=0) / np.maximum(count, 1)), 0.0)
    return np.asarray(mean / max(mean.sum(), _TINY))


def _level_db(distribution: Array, sample_rate: int) -> Array:
    """Compute the amplitude in dB that has a loudness of 0 dB, for every pitch of the grid.

    A sine of amplitude a has the loudness 10 log10(3 n a^2 / 16) + A(f): Parseval's sum over a Hann window of n
    samples, divided by the n / 2 bins of loudness's mean. The powers of harmonics add up.
    """
    f0 = midi_to_hz(_PITCHES)
    hz = np.outer(f0, np.arange(1, len(distribution) + 1))  # [pitches, harmonics]
    shares = np.where(hz < sample_rate / 2, distribution, 0.0)
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), _TINY)
    weighted_power = np.sum(shares**2 * 10.0 ** (a_weighting_db(hz) / 10.0), axis=1)
    return -10.0 * np.log10(3.0 / 16.0 * window_samples(sample_rate) * np.maximum(weighted_power, _TINY))


def _mean_noise(frames: Mapping[str, Array]) -> Array:
    """Average (geometric mean) noise magnitudes relative to the noise level, over fitted frames. Shape [bands]."""
    power = frames["noise_power"][_mask_or_all(frames["fitted"])]
    relative = np.log(np.maximum(power, _TINY**2)) - np.log(_level(power))[:, np.newaxis]
    return np.exp(0.5 * relative.mean(axis=0)) / np.sqrt(_NOISE_POWER)


def _noise_line(frames: Mapping[str, Array]) -> tuple[float, float]:
    """Fit a line to the noise level over loudness (least squares): the level in dB at 0 dB, and the slope."""
    if not frames["noise_power"].size:
        return 0.0, 0.0
    loudness, level = frames[LOUDNESS_DB], 10.0 * np.log10(_level(frames["noise_power"]))
    spread = np.var(loudness)
    slope = float(np.mean((loudness - loudness.mean()) * level) / spread) if spread > 1.0 else 1.0
    return float(level.mean() - slope * loudness.mean()), slope


def _level(power: Array) -> Array:
    """Average power over the bands. Shape [T]."""
    return np.maximum(power.mean(axis=1) if power.size else np.ones(len(power)), _TINY**2)


def _mask_or_all(mask: Array) -> npt.NDArray[np.bool_]:
    chosen = mask.astype(bool)
    return chosen if chosen.any() else np.ones_like(chosen)


def _averages(signal: npt.NDArray[np.complex128], window: Array, hop: int) -> npt.NDArray[np.complex128]:
    """Sum a windowed signal around every hop-th sample, zeros beyond the ends. Shape [samples // hop]."""
    frames, parts = len(signal) // hop, len(window) // hop  # the window is of whole hops
    blocks = np.pad(signal, len(window) // 2).reshape(-1, hop)
    sums = blocks @ window.reshape(parts, hop).T  # [frames + parts, parts]: every block under every part of the window
    return np.sum([sums[part : part + frames, part] for part in range(parts)], axis=0)


def _frames(audio: np.ndarray, size: int, hop: int) -> np.ndarray:
    """Cut frames centred on every hop-th sample, zeros beyond the ends. Shape [samples // hop, size]."""
    padded = np.pad(audio, (size // 2, size - size // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][: len(audio) // hop]


def _hann(size: int) -> Array:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)


def _amplitude(db: tf.Tensor) -> tf.Tensor:
    return tf.pow(10.0, db / 20.0)
