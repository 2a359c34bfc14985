"""Where windows are cut: frames of sound, never across a silence that was dropped.

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
LOUD_RANGE_DB = 40.0  # frames further below the loudest one say nothing about how loud an instrument plays
SHORTEST_SOUND_SECONDS = 0.2  # shorter ones between silences are clicks and knocks


def loud_level(loudness_db: npt.NDArray[np.float32]) -> float:
    """How loud a recording's loud parts are, in dB: its silences, however long, do not count."""
    sounding = loudness_db[loudness_db >= loudness_db.max() - LOUD_RANGE_DB]
    return float(np.percentile(sounding, LOUD_PERCENTILE))


def sounding(loudness_db: npt.NDArray[np.float32], screening: ScreeningConfig) -> npt.NDArray[np.bool_]:
    """Which frames are no silence. Shape [frames]."""
    mask: npt.NDArray[np.bool_] = loudness_db >= loud_level(loudness_db) + screening.silence_db
    return mask


def segments(sound: npt.NDArray[np.bool_], audio: AudioConfig, screening: ScreeningConfig) -> Ranges:
    """The recording without its long silences: silences longer than `max_silence_seconds` are cut down to that.

    Args:
      sound: [frames], which frames are no silence.
      audio: rates and window.
      screening: how long a silence may be.

    Returns:
      Ranges in order that do not overlap, none shorter than a window as long as the recording is not: a shorter one
      keeps more of the silence around it. No silence within one is as long as a window.
    """
    frames = len(sound)
    allowed = round(screening.max_silence_seconds * audio.frame_rate)
    shortest = min(frames, audio.window_frames)
    joined = merged(runs(sound), gap=allowed)
    heard = [
        (start, stop) for start, stop in joined if sound[start:stop].sum() >= SHORTEST_SOUND_SECONDS * audio.frame_rate
    ]
    kept = merged((max(0, start - allowed // 2), min(frames, stop + allowed // 2)) for start, stop in heard)
    return _grown(kept, shortest, frames)


def runs(mask: npt.NDArray[np.bool_]) -> Ranges:
    """The ranges in which a mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return tuple((int(start), int(stop)) for start, stop in edges.reshape(-1, 2))


def merged(ranges: Iterable[Range], gap: int = 0) -> Ranges:
    """Ordered ranges, with those joined that lie at most `gap` apart."""
    result: list[Range] = []
    for start, stop in ranges:
        if result and start - result[-1][1] <= gap:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return tuple(result)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """What is left of `ranges` where `taken` (ordered, apart) is not."""
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


def _grown(ranges: Ranges, shortest: int, frames: int) -> Ranges:
    """Grow ranges that are shorter than `shortest` into the silence around them, or joins them to the nearer one."""
    waiting, done = list(ranges), list[Range]()
    while waiting:
        start, stop = waiting.pop(0)
        before = start - (done[-1][1] if done else 0)
        after = (waiting[0][0] if waiting else frames) - stop
        short = max(0, shortest - (stop - start))
        if short <= before + after:
            earlier = min(before, max(short // 2, short - after))
            done.append((start - earlier, stop + short - earlier))
        elif waiting and (not done or after <= before):
            waiting[0] = (start, waiting[0][1])
        else:
            waiting.insert(0, (done.pop()[0], stop))
    return tuple(done)


def train_starts(ranges: Sequence[Range], audio: AudioConfig, examples: ExamplesConfig) -> list[int]:
    """Start of training windows, `train_hop_seconds` apart within every range."""
    hop = max(1, round(examples.train_hop_seconds * audio.frame_rate))
    return _starts(ranges, audio.window_frames, hop)


def eval_starts(ranges: Sequence[Range], audio: AudioConfig) -> list[int]:
    """Start of eval windows, side by side within every range."""
    return _starts(ranges, audio.window_frames, audio.window_frames)


def _starts(ranges: Sequence[Range], window: int, hop: int) -> list[int]:
    return [start for first, last in ranges for start in range(first, last - window + 1, hop)]
