"""A bansuri: an air jet that drives a bamboo bore, as a digital waveguide.

The bore is a loop of delay, one period of the note long. On its way round a wave loses a share to the walls and, the
more the higher its frequency, to the air outside. It bends the jet at the mouth hole, and half a period later the bend
reaches the far edge, where the jet blows into the bore or past it: that switch saturates, which makes the harmonics and
sets how loud and how bright a breath sounds. The jet is turbulent: noise that grows with the breath.

All filters that matter to the pitch turn the fundamental by an exact, known amount, so the loop's length alone is the
pitch, at any breath, and no tuning table is needed.

Sources: McIntyre, Schumacher and Woodhouse, On the oscillations of musical instruments (1983); Fletcher and Rossing,
The physics of musical instruments (1998), chapter 16; Välimäki, Karjalainen, Jánosy and Laine, A real-time DSP
implementation of a flute model (1992).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SAMPLE_RATE = 48_000
LOWEST_HZ, HIGHEST_HZ = 100.0, 3000.0

SPEED_OF_SOUND = 345.0  # m/s
BORE_RADIUS = 0.011  # m, of a bansuri in E
WALL_REFLECTION = 0.92  # of a wave's amplitude, once round
RADIATION_TAPS = 17

JET_GAIN = 2.0  # swings of the jet, in jet widths, per wave in the bore at full breath
LIP_OFFSET = 0.5  # how far past the edge the jet is aimed, in its own mean swings: the source of even harmonics
LIP_LAG = 1.0 / (0.05 * SAMPLE_RATE)  # the lips take 50 ms to find that aim; the note sounds before that
TURBULENCE = 0.5  # of the breath
TURBULENCE_LAG = 0.5  # a share per sample: less noise above 5 kHz
DRIFT_LAG = 2.0 * np.pi * 10.0 / SAMPLE_RATE  # below 10 Hz air flows round the jet and does not bend it
OUTSIDE_POLE = 1.0 - 2.0 * np.pi * 1000.0 / SAMPLE_RATE  # holes radiate low frequencies badly, 6 dB an octave
REST = 1e-4  # a breath so small that no sound comes of it keeps the division by it finite

_RING = 1024  # samples that the bore remembers; a power of two


def play(f0_hz: Array, breath: Array, rng: np.random.Generator) -> Array:
    """Synthesise the sound of the flute.

    Args:
      f0_hz: the pitch that is fingered, at every sample, from LOWEST_HZ to HIGHEST_HZ. Shape [samples].
      breath: pressure in the mouth, from 0 (none) to 1 (full), at every sample. Shape [samples].
      rng: the source of turbulence.

    Returns:
      The sound pressure outside at SAMPLE_RATE, of arbitrary level. Shape [samples].

    Raises:
      ValueError: the shapes differ, or a pitch is out of range.
    """
    if f0_hz.shape != breath.shape or f0_hz.ndim != 1:
        raise ValueError(f"f0_hz and breath must have one shape [samples], not {f0_hz.shape} and {breath.shape}")
    if f0_hz.size and not (f0_hz.min() >= LOWEST_HZ and f0_hz.max() <= HIGHEST_HZ):
        raise ValueError(f"f0_hz must lie between {LOWEST_HZ:g} and {HIGHEST_HZ:g} Hz")
    turbulence = 2.0 * rng.random(f0_hz.size) - 1.0
    return _waveguide(SAMPLE_RATE / f0_hz, breath.astype(np.float64), turbulence, _bore_losses())


def _bore_losses() -> Array:
    """Compute the response to a pulse after one trip round the bore. Shape [RADIATION_TAPS], symmetric.

    An open end reflects 1 - (k a)^2 / 2 of a wave of wave number k, a being the radius (Levine and Schwinger, 1948).
    Two ends are to second order a Gaussian of frequency, hence one of time, sqrt(2) a / c wide.
    """
    width = np.sqrt(2.0) * BORE_RADIUS / SPEED_OF_SOUND * SAMPLE_RATE
    taps = np.arange(RADIATION_TAPS) - RADIATION_TAPS // 2
    kernel = np.exp(-0.5 * (taps / width) ** 2)
    return WALL_REFLECTION * kernel / kernel.sum()


@numba.njit
def _delayed(ring: Any, now: int, delay: float) -> Any:
    """Read the ring `delay` (1 or more) samples before index `now`, by third-order Lagrange interpolation."""
    whole = int(delay)
    d = delay - whole + 1.0  # from 1 to 2: between the middle two of four points
    at = now - whole
    return (
        ring[(at + 1) % _RING] * (d - 1.0) * (d - 2.0) * (3.0 - d) / 6.0
        + ring[at % _RING] * d * (d - 2.0) * (d - 3.0) / 2.0
        + ring[(at - 1) % _RING] * d * (d - 1.0) * (3.0 - d) / 2.0
        + ring[(at - 2) % _RING] * d * (d - 1.0) * (d - 2.0) / 6.0
    )


@numba.njit
def _waveguide(period: Any, breath: Any, turbulence: Any, losses: Any) -> Any:
    """Run the loop sample by sample. All but `losses` [RADIATION_TAPS] of shape [samples]; period in samples."""
    sent = np.zeros(_RING)  # waves that enter the bore,
    lost = np.zeros(_RING)  # the same with the losses of a whole trip,
    back = np.zeros(_RING)  # and what comes back
    outside = np.empty(len(period))
    pole1 = pole2 = drift = aim = hiss = previous = radiated = 0.0
    for n in range(len(period)):
        back[n % _RING] = _delayed(lost, n - 1, period[n] - 1.0 - RADIATION_TAPS // 2)

        # The jet responds to slow waves best: two poles at the pitch, each an eighth of a period late there
        # (trapezoidal rule, tan(w / 2) by its series). With a quarter of a period of travel the bend is half a period
        # late.
        half = np.pi / period[n]
        warped = half * (1.0 + half * half / 3.0)
        share = warped / (1.0 + warped)
        step = share * (_delayed(back, n, 0.25 * period[n]) - pole1)
        wave = pole1 + step
        pole1 = wave + step
        step = share * (wave - pole2)
        bend = pole2 + step
        pole2 = bend + step

        # The player turns the flute until the jet swings about a point a little past the edge.
        drift += DRIFT_LAG * (bend - drift)
        aim += LIP_LAG * (LIP_OFFSET * abs(bend - drift) - aim)

        # A jet is as fast as the root of the pressure that drives it (Bernoulli), and bends the less the faster it is.
        swing = JET_GAIN * (bend - drift - aim) / np.sqrt(breath[n] + REST)
        hiss += TURBULENCE_LAG * (turbulence[n] - hiss)
        flow = breath[n] * (TURBULENCE * hiss - swing / np.sqrt(1.0 + swing * swing))

        sent[n % _RING] = back[n % _RING] + flow
        total = 0.0
        for tap in range(RADIATION_TAPS):
            total += losses[tap] * sent[(n - tap) % _RING]
        lost[n % _RING] = total

        radiated = OUTSIDE_POLE * radiated + sent[n % _RING] - previous
        previous = sent[n % _RING]
        outside[n] = radiated
    return outside
