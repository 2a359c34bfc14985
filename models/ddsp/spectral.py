"""Spectra, loudness and power of audio, defined as in ddsp.spectral_ops so that figures compare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.loudness import a_weighting_db, window_samples
from models.ddsp import core, filters


def stft(audio: tf.Tensor, size: int, hop: int, pad_end: bool = True) -> tf.Tensor:
    """Compute the short-time Fourier transform with a Hann window.

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
    """Return the absolute values of a complex tensor. Any shape.

    tf.abs guards against overflow, at three times the cost.
    """
    return tf.sqrt(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)))


def stft_gradient(magnitudes_gradient: tf.Tensor, spectrum: tf.Tensor, absolute: tf.Tensor, size: int) -> tf.Tensor:
    """Convert the gradient with respect to magnitudes to that with respect to the spectrum.

    Args:
      magnitudes_gradient: shape [batch, frames, bins].
      spectrum: complex64, same shape, as `stft` returns it.
      absolute: same shape, the magnitudes of the spectrum.
      size: samples of the FFT.

    Returns:
      complex64, same shape; 0 where the magnitude is 0.
    """
    direction = tf.math.divide_no_nan(magnitudes_gradient * _mirrored(size), absolute)
    return tf.complex(tf.math.real(spectrum) * direction, tf.math.imag(spectrum) * direction)


def stft_power_gradient(power_gradient: tf.Tensor, spectrum: tf.Tensor, size: int) -> tf.Tensor:
    """Convert the gradient with respect to power, the squared magnitudes, to that with respect to the spectrum.

    Args:
      power_gradient: shape [batch, frames, bins].
      spectrum: complex64, same shape, as `stft` returns it.
      size: samples of the FFT.

    Returns:
      complex64, same shape.
    """
    direction = power_gradient * (2.0 * _mirrored(size))
    return tf.complex(tf.math.real(spectrum) * direction, tf.math.imag(spectrum) * direction)


def _mirrored(size: int) -> npt.NDArray[np.float32]:
    """Return what irfft divides each bin by: one between 0 Hz and Nyquist stands for its mirror image too."""
    mirrored = np.full(size // 2 + 1, size / 2, np.float32)
    mirrored[0] = size
    if size % 2 == 0:
        mirrored[-1] = size
    return mirrored


def audio_gradient(spectrum_gradient: tf.Tensor, size: int, hop: int, samples: tf.Tensor | int) -> tf.Tensor:
    """Convert the gradient with respect to a spectrum to that with respect to the audio.

    Args:
      spectrum_gradient: complex64, shape [batch, frames, bins], as `stft_gradient` returns it.
      size: samples of the FFT.
      hop: samples from one frame to the next.
      samples: length of the audio.

    Returns:
      Shape [batch, samples].
    """
    gradient = _compiled_overlap_add(tf.signal.irfft(spectrum_gradient, [size]), tf.signal.hann_window(size), hop)
    missing = tf.maximum(samples - tf.shape(gradient)[1], 0)  # samples that were in no frame
    return tf.pad(gradient, [[0, 0], [0, missing]])[:, :samples]


@tf.function(autograph=False, jit_compile=True)
def _compiled_overlap_add(frames: tf.Tensor, window: tf.Tensor, hop: int) -> tf.Tensor:
    return filters.overlap_and_add(frames * window, hop)


def stft_magnitude(audio: tf.Tensor, size: int, overlap: float = 0.75, pad_end: bool = True) -> tf.Tensor:
    """Compute magnitudes of the short-time Fourier transform, with a gradient that is 0 where they are 0.

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
            spectrum_gradient = stft_gradient(upstream, spectrum, absolute, size)
            return audio_gradient(spectrum_gradient, size, hop, tf.shape(audio)[1])

        return absolute, gradient

    return magnitude(audio)


def _pad(audio: tf.Tensor, size: int, hop: int, padding: str) -> tf.Tensor:
    """Pad audio [batch, samples] with zeros so that frames of `size` lie as `padding` requires."""
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
    """Compute A-weighted loudness in dB (ddsp.spectral_ops.compute_loudness).

    It is 10 log10 of the mean over bins of |S|^2 * 10^(A / 10), where S is the spectrum and A the weighting in dB.

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
    """Compute the root mean square of each frame (ddsp.spectral_ops.compute_rms_energy).

    Args:
      audio: shape [batch, samples].
      sample_rate: Hz; frame_rate must divide it.
      frame_rate: Hz.
      frame_size: samples a frame; 32 ms where it is None.
      padding: see `loudness_db`.

    Returns:
      Shape [batch, frames], linear.
    """
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
    """Compute the power of each frame in dB, 20 log10 of `rms_energy` (ddsp.spectral_ops.compute_power).

    Args:
      audio, sample_rate, frame_rate, frame_size, padding: see `rms_energy`.

    Returns:
      Shape [batch, frames], dB, at least -80.
    """
    return core.amplitude_to_db(rms_energy(audio, sample_rate, frame_rate, frame_size, padding))


def mel(audio: tf.Tensor, size: int, bands: int, low_hz: float, high_hz: float, sample_rate: int = 16000) -> tf.Tensor:
    """Compute a mel spectrogram of linear magnitudes (ddsp.spectral_ops.compute_mel).

    Args:
      audio: shape [batch, samples].
      size: samples of the FFT; the hop is a quarter of it.
      bands: number of mel bands.
      low_hz: Hz, lower edge of the lowest band.
      high_hz: Hz, upper edge of the highest band.
      sample_rate: Hz.

    Returns:
      Shape [batch, frames, bands].
    """
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
    """Compute the natural logarithm of `mel` (ddsp.spectral_ops.compute_logmel). Shape [batch, frames, bands]."""
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
    """Compute mel-frequency cepstral coefficients (ddsp.spectral_ops.compute_mfcc).

    Args:
      audio, size, bands, low_hz, high_hz, sample_rate: see `mel`.
      coefficients: how many of the lowest coefficients to return.

    Returns:
      Shape [batch, frames, coefficients].
    """
    logmel = log_mel(audio, size, bands, low_hz, high_hz, sample_rate)
    return tf.signal.mfccs_from_log_mel_spectrograms(logmel)[..., :coefficients]
