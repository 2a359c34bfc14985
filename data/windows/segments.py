"""Segments of sound in a recording, and the windows in them: none reaches across a silence that was dropped.

Times are frame indices; a range is (start, stop), stop excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from common.audio import AudioConfig
from data.config import ExamplesConfig, ScreeningConfig

Range = tuple[int, int]
Ranges = tuple[Range, ...]

LOUD_PERCENTILE = 95.0
LOUD_RANGE_DB = 40.0  # frames further below the loudest one do not count for how loud an instrument plays
SHORTEST_SOUND_SECONDS = 0.2  # shorter ones between silences are clicks and knocks


def loud_level(loudness_db: npt.NDArray[np.float32]) -> float:
    """Measure how loud the loud parts are, in dB, of loudness [frames]: silences, however long, do not count."""
    sounding = loudness_db[loudness_db >= loudness_db.max() - LOUD_RANGE_DB]
    return float(np.percentile(sounding, LOUD_PERCENTILE))


def sounding(loudness_db: npt.NDArray[np.float32], screening: ScreeningConfig) -> npt.NDArray[np.bool_]:
    """Find the frames that are no silence, by loudness [frames] in dB: a mask [frames]."""
    mask: npt.NDArray[np.bool_] = loudness_db >= loud_level(loudness_db) + screening.silence_db
    return mask


def segments(is_sound: npt.NDArray[np.bool_], audio: AudioConfig, screening: ScreeningConfig) -> Ranges:
    """Find a recording's segments: silences longer than `max_silence_seconds` are cut down to that.

    Args:
      is_sound: [frames], bool, of `sounding`.
      audio: rates and window.
      screening: how long a silence may be.

    Returns:
      Ranges in order that do not overlap, none shorter than a window as long as the recording is not: a shorter one
      keeps more of the silence around it. No silence within one is as long as a window, unless such silences are
      allowed.
    """
    frames = len(is_sound)
    allowed = round(screening.max_silence_seconds * audio.frame_rate)
    shortest = min(frames, audio.window_frames)
    joined = merged(runs(is_sound), gap=allowed)
    audible = [
        (start, stop)
        for start, stop in joined
        if is_sound[start:stop].sum() >= SHORTEST_SOUND_SECONDS * audio.frame_rate
    ]
    kept = merged((max(0, start - allowed // 2), min(frames, stop + allowed // 2)) for start, stop in audible)
    return _grown(kept, is_sound, shortest, max(allowed, audio.window_frames - 1))


def runs(mask: npt.NDArray[np.bool_]) -> Ranges:
    """Find the ranges in which a mask [frames] is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return tuple((int(start), int(stop)) for start, stop in edges.reshape(-1, 2))


def merged(ranges: Iterable[Range], gap: int = 0) -> Ranges:
    """Join those of ordered ranges that lie at most `gap` frames apart."""
    result: list[Range] = []
    for start, stop in ranges:
        if result and start - result[-1][1] <= gap:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return tuple(result)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """Subtract the ranges `taken` (ordered, apart) from `ranges`."""
    left: list[Range] = []
    for start, stop in ranges:
        for first, last in taken:
            if last <= start or first >= stop:
                continue
            if first > start:
                left.append((start, first))
            start = max(start, last)
        if start < stop:
            left.append((start, stop))
    return tuple(left)


def _grown(ranges: Ranges, is_sound: npt.NDArray[np.bool_], shortest: int, longest_silence: int) -> Ranges:
    """Grow ranges shorter than `shortest` into the silence around them, or join them to the nearer one.

    Two that have no room to grow, with a silence over `longest_silence` between them, are not joined: a window could
    lie in that silence. The one with less sound is left out.
    """

    def sound(part: Range) -> int:
        return int(is_sound[slice(*part)].sum())

    def can_join(first: Range, second: Range) -> bool:
        silences = runs(~is_sound[first[0] : second[1]])
        return all(stop - start <= longest_silence for start, stop in silences)

    waiting, done = list(ranges), list[Range]()
    while waiting:
        start, stop = waiting.pop(0)
        before = start - (done[-1][1] if done else 0)
        after = (waiting[0][0] if waiting else len(is_sound)) - stop
        short = max(0, shortest - (stop - start))
        if short <= before + after:
            earlier = min(before, max(short // 2, short - after))
            done.append((start - earlier, stop + short - earlier))
        elif waiting and (not done or after <= before):
            following = waiting[0]
            joined = can_join((start, stop), following)
            waiting[0] = (start, following[1]) if joined else max((start, stop), following, key=sound)
        elif can_join(done[-1], (start, stop)):
            waiting.insert(0, (done.pop()[0], stop))
    return tuple(done)


def train_starts(ranges: Sequence[Range], audio: AudioConfig, examples: ExamplesConfig) -> list[int]:
    """List the starts of training windows in frames, `train_hop_seconds` apart within every range."""
    hop = max(1, round(examples.train_hop_seconds * audio.frame_rate))
    return _starts(ranges, audio.window_frames, hop)


def eval_starts(ranges: Sequence[Range], audio: AudioConfig) -> list[int]:
    """List the starts of eval windows in frames, side by side within every range."""
    return _starts(ranges, audio.window_frames, audio.window_frames)


def _starts(ranges: Sequence[Range], window: int, hop: int) -> list[int]:
    return [start for first, last in ranges for start in range(first, last - window + 1, hop)]
