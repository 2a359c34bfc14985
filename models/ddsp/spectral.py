"""Spectra, loudness and power of audio, defined as in ddsp.spectral_ops so that figures compare."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from common.loudness import a_weighting_db, window_samples
from models.ddsp import core, filters


def stft(audio: tf.Tensor, size: int, hop: int, pad_end: bool = True) -> tf.Tensor:
    """Short-time Fourier transform under a Hann window.

    Args:
      audio: shape [batch, samples].
      size: samples of the FFT and of its window.
      hop: samples from one frame to the next.
      pad_end: pad with zeros so that the last sample is in a frame; else frames that would run over are left out.

    Returns:
      complex64, shape [batch, frames, size / 2 + 1].
    """
    frames = tf.signal.frame(audio, size, hop, pad_end=pad_end)  # [batch, frames, size]
    return tf.signal.rfft(frames * tf.signal.hann_window(size))


def magnitudes(spectrum: tf.Tensor) -> tf.Tensor:
    """The absolute values of a complex tensor of any shape: tf.abs guards against overflow at three times the cost."""
    return tf.sqrt(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)))


def stft_gradient(of_magnitudes: tf.Tensor, spectrum: tf.Tensor, absolute: tf.Tensor, size: int) -> tf.Tensor:
    """The gradient by a spectrum from the gradient by its magnitudes, all [batch, frames, bins]; 0 where they are 0."""
    # a bin between 0 Hz and Nyquist stands for its mirror image too
    mirrored = np.full(size // 2 + 1, size / 2, np.float32)
    mirrored[0] = size
    if size % 2 == 0:
        mirrored[-1] = size
    direction = tf.math.divide_no_nan(of_magnitudes * mirrored, absolute)
    return tf.complex(tf.math.real(spectrum) * direction, tf.math.imag(spectrum) * direction)


def audio_gradient(of_spectrum: tf.Tensor, size: int, hop: int, samples: tf.Tensor | int) -> tf.Tensor:
    """The gradient by audio [batch, samples] from that by its `stft`, as `stft_gradient` gives it."""
    of_audio = _compiled_overlap(tf.signal.irfft(of_spectrum, [size]), tf.signal.hann_window(size), hop)
    missing = tf.maximum(samples - tf.shape(of_audio)[1], 0)  # samples that were in no frame
    return tf.pad(of_audio, [[0, 0], [0, missing]])[:, :samples]


@tf.function(autograph=False, jit_compile=True)
def _compiled_overlap(frames: tf.Tensor, window: tf.Tensor, hop: int) -> tf.Tensor:
    return filters.overlap_and_add(frames * window, hop)


def stft_magnitude(audio: tf.Tensor, size: int, overlap: float = 0.75, pad_end: bool = True) -> tf.Tensor:
    """Magnitudes of the short-time Fourier transform, with a gradient that is 0 where the magnitude is 0.

    Args:
      audio: shape [batch, samples].
      size: samples of the FFT and of its Hann window.
      overlap: of neighbouring frames; the hop is size * (1 - overlap).
      pad_end: see `stft`.

    Returns:
      Shape [batch, frames, size / 2 + 1].
    """
    hop = round(size * (1.0 - overlap))

    @tf.custom_gradient
    def magnitude(audio: tf.Tensor) -> tuple[tf.Tensor, object]:
        spectrum = stft(audio, size, hop, pad_end)
        absolute = magnitudes(spectrum)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            of_spectrum = stft_gradient(upstream, spectrum, absolute, size)
            return audio_gradient(of_spectrum, size, hop, tf.shape(audio)[1])

        return absolute, gradient

    return magnitude(audio)


def _pad(audio: tf.Tensor, size: int, hop: int, padding: str) -> tf.Tensor:
    """Zeros around audio [batch, samples] so that frames of `size` fall where `padding` says."""
    samples = tf.shape(audio)[1]
    if padding == "center":  # frame t is centred on sample t * hop
        before, after = size // 2, size // 2
    elif padding == "same":  # frame t starts at sample t * hop; ceil(samples / hop) frames
        before, after = 0, tf.maximum(((samples - 1) // hop) * hop + size - samples, 0)
    elif padding == "valid":
        return audio
    else:
        raise ValueError(f"padding {padding!r} is not one of center, same, valid")
    return tf.pad(audio, [[0, 0], [before, after]])


def loudness_db(
    audio: tf.Tensor,
    sample_rate: int = 16000,
    frame_rate: int = 250,
    padding: str = "center",
    n_fft: int | None = None,
) -> tf.Tensor:
    """A-weighted loudness: 10 log10 of the mean over bins of |S|^2 * 10^(A / 10) (ddsp.spectral_ops.compute_loudness).

    Args:
      audio: shape [batch, samples].
      sample_rate: Hz; frame_rate must divide it.
      frame_rate: Hz.
      padding: "center" gives one frame more than "same"; "valid" only whole frames.
      n_fft: samples a frame; 32 ms where it is None.

    Returns:
      Shape [batch, frames], dB, at least -80.
    """
    size = window_samples(sample_rate) if n_fft is None else n_fft
    hop = sample_rate // frame_rate
    padded = _pad(audio, size, hop, padding)
    magnitudes = stft_magnitude(padded, size, overlap=1.0 - hop / size, pad_end=False)
    weights = 10.0 ** (a_weighting_db(np.fft.rfftfreq(size, 1.0 / sample_rate)) / 10.0)
    return core.power_to_db(tf.reduce_mean(magnitudes**2 * tf.constant(weights, tf.float32), axis=-1))


def rms_energy(
    audio: tf.Tensor,
    sample_rate: int = 16000,
    frame_rate: int = 250,
    frame_size: int | None = None,
    padding: str = "center",
) -> tf.Tensor:
    """Root mean square of each frame, linear (ddsp.spectral_ops.compute_rms_energy). Shapes as in `loudness_db`."""
    size = window_samples(sample_rate) if frame_size is None else frame_size
    hop = sample_rate // frame_rate
    frames = tf.signal.frame(_pad(audio, size, hop, padding), size, hop, pad_end=False)
    return tf.sqrt(tf.reduce_mean(frames**2, axis=-1))


def power_db(
    audio: tf.Tensor,
    sample_rate: int = 16000,
    frame_rate: int = 250,
    frame_size: int | None = None,
    padding: str = "center",
) -> tf.Tensor:
    """20 log10 of `rms_energy`, at least -80 dB (ddsp.spectral_ops.compute_power)."""
    return core.amplitude_to_db(rms_energy(audio, sample_rate, frame_rate, frame_size, padding))


def mel(audio: tf.Tensor, size: int, bands: int, low_hz: float, high_hz: float, sample_rate: int = 16000) -> tf.Tensor:
    """Magnitudes summed in mel bands (ddsp.spectral_ops.compute_mel). Shape [batch, frames, bands]; hop is size / 4."""
    matrix = tf.signal.linear_to_mel_weight_matrix(bands, size // 2 + 1, sample_rate, low_hz, high_hz)
    return tf.matmul(stft_magnitude(audio, size), matrix)


def log_mel(
    audio: tf.Tensor,
    size: int = 2048,
    bands: int = 64,
    low_hz: float = 80.0,
    high_hz: float = 7600.0,
    sample_rate: int = 16000,
) -> tf.Tensor:
    """Natural logarithm of `mel` (ddsp.spectral_ops.compute_logmel). Shape [batch, frames, bands]."""
    return core.safe_log(mel(audio, size, bands, low_hz, high_hz, sample_rate))


def mfcc(
    audio: tf.Tensor,
    size: int = 1024,
    bands: int = 128,
    coefficients: int = 13,
    low_hz: float = 20.0,
    high_hz: float = 8000.0,
    sample_rate: int = 16000,
) -> tf.Tensor:
    """Mel-frequency cepstral coefficients (ddsp.spectral_ops.compute_mfcc). Shape [batch, frames, coefficients]."""
    logmel = log_mel(audio, size, bands, low_hz, high_hz, sample_rate)
    return tf.signal.mfccs_from_log_mel_spectrograms(logmel)[..., :coefficients]
