"""Which part of which recording is for training and which for evaluation: decided before any window is cut.

The decision follows from the content hashes and the sound in the recordings alone, so it is the same on any machine and
in any order of files.

- A recording over a minute gives both sides: blocks of its sound go to eval, one from each of as many equal parts of
  its time, placed by its hash. Around each block a guard longer than a window, and than what features look at, belongs
  to neither side: no eval sample is ever in a training window, nor in the features of one.
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
REACH_SECONDS = 0.5  # what trackers, loudness and a short echo look at beyond their frame, with room to spare


@dataclass(frozen=True)
class Sound:
    """What the split needs to know of a recording.

    Attributes:
      recording_id: content hash.
      frames: length.
      segments: its sound without long silences, no range shorter than a window.
    """

    recording_id: str
    frames: int
    segments: Ranges


@dataclass(frozen=True)
class Sides:
    """Ranges of a recording in which windows may lie."""

    train: Ranges = ()
    eval: Ranges = ()


def split(sounds: Sequence[Sound], audio: AudioConfig, examples: ExamplesConfig) -> dict[str, Sides]:
    """Divide recordings among training and evaluation.

    Args:
      sounds: of all usable recordings, each content once, in any order.
      audio: rates and window.
      examples: share and blocks.

    Returns:
      The sides of every recording by its id. One of the sides may be empty over all: too little was recorded.
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
        sides[sound.recording_id] = Sides(eval=sound.segments) if in_eval else Sides(train=sound.segments)
    return sides


def length(ranges: Ranges) -> int:
    """Frames in all."""
    return sum(stop - start for start, stop in ranges)


def guard_frames(audio: AudioConfig) -> int:
    """What lies between the two sides of one recording, at least."""
    return audio.window_frames + math.ceil(REACH_SECONDS * audio.frame_rate)


def _choose(lengths: Mapping[str, int], share: float, both_there: bool) -> set[str]:
    """Whole recordings for eval: ids, taken in order as long as the eval share comes nearer to `share`.

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


def _divide(sound: Sound, audio: AudioConfig, examples: ExamplesConfig) -> Sides | None:
    """Both sides of one long recording; None where its sound is too little for that."""
    for blocks in _candidates(sound, audio, examples):
        guard = guard_frames(audio)
        train = without(sound.segments, tuple((start - guard, stop + guard) for start, stop in blocks))
        train = tuple(one for one in train if one[1] - one[0] >= audio.window_frames)
        if train:
            return Sides(train, blocks)
    return None


def _candidates(sound: Sound, audio: AudioConfig, examples: ExamplesConfig) -> Iterator[Ranges]:
    """Choices of eval blocks, the best first; later ones hold one block only."""
    window = audio.window_frames
    wanted = examples.eval_share * length(sound.segments)
    count = max(1, round(wanted / (examples.block_seconds * audio.frame_rate)))
    for size in (max(1, round(wanted / count / window)) * window, window):
        places = _places(sound.segments, size)
        if not places:
            continue
        if count > 1:
            parts = [_part(places, part, min(count, len(places))) for part in range(min(count, len(places)))]
            yield tuple(min(part, key=lambda place: _order(sound, place)) for part in parts)
        for place in sorted(places, key=lambda place: _order(sound, place)):
            yield (place,)


def _places(segments: Ranges, size: int) -> list[Range]:
    """Where blocks of `size` frames can lie, side by side within each segment."""
    return [(start, start + size) for first, last in segments for start in range(first, last - size + 1, size)]


def _part(places: Sequence[Range], part: int, parts: int) -> Sequence[Range]:
    return places[part * len(places) // parts : (part + 1) * len(places) // parts]


def _order(sound: Sound, place: Range) -> bytes:
    """A random but repeatable order of a recording's places."""
    return hashlib.sha256(f"{sound.recording_id} {place[0]}".encode()).digest()
