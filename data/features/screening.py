"""Checks that set a recording aside once it is decoded and measured: each raises `Unusable` with its reason."""

from __future__ import annotations

import math

from common.loudness import FLOOR_AMPLITUDE, FLOOR_DB
from data.config import PitchConfig, ScreeningConfig
from data.features.beyond import Beyond
from data.features.polyphony import Polyphony
from data.files.decode import Source, Unusable

SHORTEST_SECONDS = 0.5
SILENT_PEAK = FLOOR_AMPLITUDE  # of full scale; below it no frame has a loudness, and 16 bits hold three steps
MOST_BEYOND = 0.5  # of the sound may be beyond the tracker's range
SLACK = 1.06  # a semitone, since tones waver
DENSEST = 4  # times as much polyphony may be in any ten seconds of a recording as in all of it
CANCELLED = 0.2  # of the energy of channels that are not correlated; two of one level at -0.8 come to this


def screen_sound(source: Source, screening: ScreeningConfig) -> None:
    """Check what the samples alone show.

    Raises:
      Unusable: too short, silent, or clipped through.
    """
    if source.seconds < SHORTEST_SECONDS:
        raise Unusable(f"is shorter than {SHORTEST_SECONDS} s ({source.seconds:.2f} s)")
    screen_mix(source)
    if source.peak < SILENT_PEAK:
        raise Unusable(f"is silent: nothing in it is louder than {FLOOR_DB:g} dB of full scale")
    if source.clipped_fraction > screening.max_clipped_fraction:
        raise Unusable(
            f"is clipped: {100 * source.clipped_fraction:.1f} % of its samples are cut off "
            f"(at most {100 * screening.max_clipped_fraction:g} % may be); record it quieter",
            source.clipped_at_seconds,
        )


def screen_mix(source: Source) -> None:
    """Check that the sound is left where all channels are mixed.

    Raises:
      Unusable: they cancel each other.
    """
    if source.mix_energy < CANCELLED:
        raise Unusable("is nearly silent when mixed to mono: its channels cancel each other (is one inverted?)")


def screen_pitch(voiced_fraction: float, screening: ScreeningConfig) -> None:
    """Check that there is a pitch to learn.

    Args:
      voiced_fraction: share of sounding frames that have a trusted f0.
      screening: limits.

    Raises:
      Unusable: there is not enough.
    """
    if voiced_fraction < screening.min_voiced_fraction:
        raise Unusable(
            f"has no pitch to learn: only {100 * voiced_fraction:.0f} % of its sound has a clear one "
            f"(at least {100 * screening.min_voiced_fraction:g} % must)"
        )


def screen_range(beyond: Beyond, fraction: float, range_hz: tuple[float, float], pitch: PitchConfig) -> None:
    """Check that the tracker's range holds most of what sounds.

    Args:
      beyond: pitched sound that is beyond it.
      fraction: share of sounding frames that are.
      range_hz: of the tracker, lowest and highest f0 in Hz.
      pitch: settings of the tracker.

    Raises:
      Unusable: it does not.
    """
    if fraction <= MOST_BEYOND:
        return
    above = beyond.above.sum() > beyond.below.sum()
    if above and beyond.highest_hz:
        octaves = pitch.octaves - math.ceil(math.log2(SLACK * beyond.highest_hz / range_hz[1]))
    elif beyond.lowest_hz:
        octaves = pitch.octaves + math.ceil(math.log2(SLACK * range_hz[0] / beyond.lowest_hz))
    else:
        octaves = pitch.octaves
    raise Unusable(
        f"is mostly {'above' if above else 'below'} the range of {pitch.tracker} ({range_hz[0]:.0f} to "
        f"{range_hz[1]:.0f} Hz): {100 * fraction:.0f} % of its sound is; move it there with "
        f"--set examples.pitch.octaves={octaves}"
    )


def screen_polyphony(polyphony: Polyphony, screening: ScreeningConfig) -> None:
    """Check that one instrument plays alone.

    Raises:
      Unusable: a second pitch sounds beside the first too often, over all or for some seconds.
    """
    limit = screening.max_polyphony
    if polyphony.share > limit:
        found, allowed = f"{100 * polyphony.share:.0f} % of its frames, most of them", limit
    elif polyphony.densest > DENSEST * limit:
        found, allowed = f"{100 * polyphony.densest:.0f} % of the frames", DENSEST * limit
    else:
        return
    raise Unusable(
        f"is not solo: a second pitch sounds in {found} from here on (at most {100 * allowed:g} % may have one)",
        polyphony.at_seconds,
    )
