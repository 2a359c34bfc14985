"""FIR filters: designed from magnitudes by frequency sampling, applied frame by frame or whole through the FFT."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def response_matrix(bands: int, window_size: int = 0) -> npt.NDArray[np.float64]:
    """Compute the matrix that maps magnitudes to the taps of a causal, linear-phase FIR filter.

    Frequency sampling (Smith, Spectral Audio Signal Processing, "Windowing a desired impulse response"): inverse real
    FFT, Hann window around lag 0, then a shift that makes the filter causal (ddsp.core.frequency_impulse_response).

    Args:
      bands: number of magnitudes, evenly spaced from 0 Hz to Nyquist.
      window_size: length of the Hann window in samples; 0, or more than the filter has, means all of it.

    Returns:
      Shape [bands, taps]; taps is 2 * (bands - 1), or window_size where that is less.
    """
    length = 2 * (bands - 1)
    lags = np.fft.fftshift(np.fft.irfft(np.eye(bands)), axes=-1)  # [bands, length], lag 0 at length // 2
    if window_size <= 0 or window_size >= length:
        return lags * _hann(length)
    # ddsp puts element `half` of a short window at lag 0 and starts the taps two elements into it: kept, so that
    # models agree
    half = (window_size + 1) // 2
    first = length // 2 - (half - 2)
    window = np.append(_hann(window_size)[2:], [0.0, 0.0])
    return lags[:, first : first + window_size] * window


def _hann(size: int) -> npt.NDArray[np.float64]:
    """Return a Hann window as tf.signal.hann_window does: periodic for an even size, symmetric for an odd one."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / (size - size % 2))


def impulse_response(magnitudes: tf.Tensor, window_size: int = 0) -> tf.Tensor:
    """Design the FIR filters with the given magnitudes (ddsp.core.frequency_impulse_response).

    Args:
      magnitudes: shape [..., bands], linear, from 0 Hz to Nyquist; bands must be known when traced.
      window_size: see `response_matrix`.

    Returns:
      Shape [..., taps].
    """
    matrix = response_matrix(int(magnitudes.shape[-1]), window_size)
    return tf.matmul(magnitudes, tf.constant(matrix, tf.float32))


def group_delay(taps: int) -> int:
    """Return the group delay in samples that ddsp compensates for after a filter of `response_matrix`.

    One short of a symmetric filter's exact delay, two of an even one's: kept, so that models agree.
    """
    return max((taps - 1) // 2 - 1, 0)


def fast_fft_size(minimum: int) -> int:
    """Return the least even size >= minimum, in samples, without a prime factor above 5: such FFTs are quick."""
    size = minimum + minimum % 2
    while not _is_five_smooth(size):
        size += 2
    return size


def _is_five_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def convolve_frames(audio: tf.Tensor, responses: tf.Tensor, hop: int) -> tf.Tensor:
    """Convolve every frame of audio with an impulse response of its own and overlap-add (ddsp.core.fft_convolve).

    Args:
      audio: shape [batch, frames * hop].
      responses: shape [batch, frames, taps]; taps must be known when traced.
      hop: samples a frame.

    Returns:
      Shape [batch, frames * hop + taps - 1].
    """
    taps, frames = int(responses.shape[-1]), tf.shape(responses)[1]
    size = fast_fft_size(hop + taps - 1)
    excitation = tf.signal.rfft(tf.reshape(audio, [-1, frames, hop]), [size])
    pieces = tf.signal.irfft(excitation * tf.signal.rfft(responses, [size]), [size])  # [batch, frames, size]
    return overlap_and_add(pieces, hop)[:, : frames * hop + taps - 1]


def overlap_and_add(pieces: tf.Tensor, hop: int) -> tf.Tensor:
    """Overlap-add pieces of a signal, each of which begins `hop` samples after the piece before.

    As tf.signal.overlap_and_add, at a fraction of the cost of that and of its gradient.

    Args:
      pieces: shape [batch, frames, size]; size must be known when traced.
      hop: samples.

    Returns:
      Shape [batch, (frames - 1) * hop + size], zeros behind it up to a multiple of hop.
    """
    size = int(pieces.shape[-1])
    hops = -(-size // hop)  # in one piece
    if size < hops * hop:
        pieces = tf.pad(pieces, [[0, 0], [0, 0], [0, hops * hop - size]])
    parts = tf.split(pieces, hops, axis=-1)  # each [batch, frames, hop]
    shifted = [tf.pad(part, [[0, 0], [late, hops - 1 - late], [0, 0]]) for late, part in enumerate(parts)]
    total = tf.add_n(shifted)  # [batch, frames + hops - 1, hop]
    length = -1 if total.shape[1] is None else total.shape[1] * hop
    return tf.reshape(total, [tf.shape(total)[0], length])


def convolve(audio: tf.Tensor, response: tf.Tensor) -> tf.Tensor:
    """Convolve audio with an impulse response; what rings on past the end of the audio is cut.

    Args:
      audio: shape [batch, samples]; samples may be unknown when traced.
      response: shape [taps], the same for the whole batch; taps must be known when traced.

    Returns:
      Shape [batch, samples].
    """
    taps, samples = int(response.shape[0]), audio.shape[1]
    if samples is not None:
        size: int | tf.Tensor = fast_fft_size(samples + taps - 1)
    else:
        samples = tf.shape(audio)[1]
        bits = tf.math.log(tf.cast(samples + taps, tf.float64)) / tf.math.log(tf.constant(2.0, tf.float64))
        size = 2 ** tf.cast(tf.math.ceil(bits), tf.int32)
    spectrum = tf.signal.rfft(audio, [size]) * tf.signal.rfft(response, [size])
    return tf.signal.irfft(spectrum, [size])[:, :samples]
