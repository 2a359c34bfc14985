"""Splits recordings into parts for training and parts for evaluation, before any window is cut.

The split follows from the content hashes and the sound in the recordings alone, so it is the same on any machine and
in any order of files.

- A recording over a minute gives both sides: blocks of its sound go to eval, one from each of as many equal parts of
  its time, at positions that follow from its hash. Around each block a guard longer than a window, and than the reach
  of features, belongs to neither side: no eval sample is ever in a training window, nor in the features of one.
- A shorter recording goes to one side whole. Eval takes them in the order of their hashes as long as that brings its
  share nearer to what is wanted.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.audio import AudioConfig
from data.config import ExamplesConfig
from data.windows.segments import Range, Ranges, without

LONG_SECONDS = 60.0  # recordings over this are split in blocks
REACH_SECONDS = 0.5  # how far trackers, loudness and a short echo reach beyond their frame, with room to spare


@dataclass(frozen=True)
class Sound:
    """Facts about a recording that its split follows from.

    Attributes:
      recording_id: content hash.
      frames: length in frames.
      segments: ranges without long silences, none shorter than a window.
      silences: ranges in which nothing sounds, in order, those within segments too.
    """

    recording_id: str
    frames: int
    segments: Ranges
    silences: Ranges = ()


@dataclass(frozen=True)
class SplitRanges:
    """Ranges (frames) of a recording in which windows of either split may lie."""

    train: Ranges = ()
    eval: Ranges = ()


def split(sounds: Sequence[Sound], audio: AudioConfig, examples: ExamplesConfig) -> dict[str, SplitRanges]:
    """Divide recordings among training and evaluation.

    Args:
      sounds: of all usable recordings, each content once, in any order.
      audio: rates and window.
      examples: share and blocks.

    Returns:
      The sides of every recording by its id. One side may be empty in all of them, where too little was recorded.
    """
    ordered = sorted(sounds, key=lambda sound: sound.recording_id)
    sides, whole = {}, []
    for sound in ordered:
        blocks = _divide(sound, audio, examples) if sound.frames > LONG_SECONDS * audio.frame_rate else None
        if blocks:
            sides[sound.recording_id] = blocks
        else:
            whole.append(sound)
    chosen = _choose({sound.recording_id: length(sound.segments) for sound in whole}, examples.eval_share, bool(sides))
    for sound in whole:
        in_eval = sound.recording_id in chosen
        sides[sound.recording_id] = SplitRanges(eval=sound.segments) if in_eval else SplitRanges(train=sound.segments)
    return sides


def length(ranges: Ranges) -> int:
    """Count the frames in all ranges together."""
    return sum(stop - start for start, stop in ranges)


def guard_frames(audio: AudioConfig) -> int:
    """Return the least distance, in frames, between the two sides of one recording."""
    return audio.window_frames + math.ceil(REACH_SECONDS * audio.frame_rate)


def _choose(lengths: Mapping[str, int], share: float, both_there: bool) -> set[str]:
    """Choose whole recordings for eval: ids, taken in order as long as the eval share comes nearer to `share`.

    Args:
      lengths: frames of sound by id, in the order of ids.
      share: wanted.
      both_there: whether both sides have something from other recordings already.
    """
    target, taken, chosen = share * sum(lengths.values()), 0, set[str]()
    for recording_id, frames in lengths.items():
        last_of_train = not both_there and len(chosen) + 1 == len(lengths)
        if not last_of_train and abs(taken + frames - target) < abs(taken - target):
            chosen.add(recording_id)
            taken += frames
    if not chosen and not both_there and len(lengths) > 1:
        chosen.add(min(lengths, key=lambda recording_id: (lengths[recording_id], recording_id)))
    return chosen


def _divide(sound: Sound, audio: AudioConfig, examples: ExamplesConfig) -> SplitRanges | None:
    """Split one long recording; None where its sound is too little for that."""
    for blocks in _candidates(sound, audio, examples):
        guard = guard_frames(audio)
        train = without(sound.segments, tuple((start - guard, stop + guard) for start, stop in blocks))
        train = tuple(part for part in train if part[1] - part[0] >= audio.window_frames)
        if train:
            return SplitRanges(train, blocks)
    return None


def _candidates(sound: Sound, audio: AudioConfig, examples: ExamplesConfig) -> Iterator[Ranges]:
    """Yield choices of eval blocks, the best first; later ones hold one block only."""
    window = audio.window_frames
    wanted = examples.eval_share * length(sound.segments)
    count = max(1, round(wanted / (examples.block_seconds * audio.frame_rate)))
    for size in (max(1, round(wanted / count / window)) * window, window):
        slots = _slots(sound.segments, size)
        if not slots:
            continue
        if count > 1:
            parts = [_part(slots, part, min(count, len(slots))) for part in range(min(count, len(slots)))]
            yield tuple(min(part, key=lambda slot: _order(sound, slot)) for part in parts)
        for slot in sorted(slots, key=lambda slot: _order(sound, slot)):
            yield (slot,)


def _slots(segments: Ranges, size: int) -> list[Range]:
    """List slots for blocks of `size` frames, side by side within each segment."""
    return [(start, start + size) for first, last in segments for start in range(first, last - size + 1, size)]


def _part(slots: Sequence[Range], part: int, parts: int) -> Sequence[Range]:
    return slots[part * len(slots) // parts : (part + 1) * len(slots) // parts]


def _order(sound: Sound, slot: Range) -> bytes:
    """Return a key that sorts a recording's slots in a random but repeatable order."""
    return hashlib.sha256(f"{sound.recording_id} {slot[0]}".encode()).digest()
