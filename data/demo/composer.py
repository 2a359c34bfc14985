"""Improvises a solo line in a raga: phrases of notes, rests between them, every choice from one seeded generator.

Three kinds of phrase alternate, as they do in a concert: alap (slow, with long slides), gat (a tune in time) and taan
(runs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

TONIC_MIDI = 64  # E4, the Sa of a bansuri in E
LOWEST, HIGHEST = -5, 19  # semitones above Sa: from the Pa below it to the Pa two octaves higher

RAGAS: dict[str, tuple[int, ...]] = {
    "yaman": (0, 2, 4, 6, 7, 9, 11),
    "bhairav": (0, 1, 4, 5, 7, 8, 11),
    "bhupali": (0, 2, 4, 7, 9),
    "malkauns": (0, 3, 5, 8, 10),
    "kafi": (0, 2, 3, 5, 7, 9, 10),
    "bhairavi": (0, 1, 3, 5, 7, 8, 10),
}

Shape = Literal["even", "swell", "fade", "accent"]
SHAPES: tuple[Shape, ...] = ("even", "swell", "fade", "accent")


@dataclass(frozen=True)
class Note:
    """One note.

    Attributes:
      start: seconds.
      duration: seconds; the next note of a phrase starts where this one ends.
      midi: pitch in semitones.
      breath: 0 (none) to 1 (full).
      shape: of the breath over the note.
      tongued: whether the tongue parts it from the note before, instead of a slur.
      glide: seconds that the pitch takes to come from the note before (meend); has no meaning where there is none.
      vibrato: depth of the pitch's swing, in semitones to either side.
      vibrato_hz: its rate.
      last: whether the phrase ends with it, and a rest follows.
    """

    start: float
    duration: float
    midi: float
    breath: float
    shape: Shape
    tongued: bool
    glide: float
    vibrato: float
    vibrato_hz: float
    last: bool


@dataclass(frozen=True)
class Style:
    """The style of a kind of phrase. Pairs are bounds between which each note's or phrase's value is drawn.

    Attributes:
      share: of the phrases.
      notes: how many a phrase has.
      beats: durations to choose from, in seconds at the middle tempo.
      leaps: the chance that a step goes further than to the next note of the scale.
      tongued: the chance that a note is tongued.
      glide: seconds.
      vibrato: the chance that a note has it.
      grace: the chance that a note comes by way of its neighbour.
    """

    share: float
    notes: tuple[int, int]
    beats: tuple[float, ...]
    leaps: float
    tongued: float
    glide: tuple[float, float]
    vibrato: float
    grace: float


STYLES = (
    Style(0.45, (3, 7), (0.5, 0.8, 1.2, 1.8), leaps=0.3, tongued=0.1, glide=(0.1, 0.45), vibrato=0.6, grace=0.15),
    Style(0.35, (6, 13), (0.25, 0.25, 0.5, 0.75), leaps=0.25, tongued=0.6, glide=(0.03, 0.1), vibrato=0.2, grace=0.2),
    Style(0.2, (12, 25), (0.13, 0.13, 0.16), leaps=0.1, tongued=0.25, glide=(0.02, 0.04), vibrato=0.0, grace=0.0),
)
GRACE_SECONDS = 0.08
FIRST_REST = 0.25  # s
SHORTEST_PHRASE = 0.6  # s


def compose(rng: np.random.Generator, seconds: float, raga: str) -> list[Note]:
    """Improvise for a time.

    Args:
      rng: decides everything.
      seconds: s; the last note ends a little before this.
      raga: a key of RAGAS.

    Returns:
      Notes in order of time, none overlapping; at least one where there is more than a second and a quarter.
    """
    scale = np.array([s for s in range(LOWEST, HIGHEST + 1) if s % 12 in RAGAS[raga]])
    tempo = rng.uniform(0.85, 1.2)
    degree = int(np.flatnonzero(scale == 0)[0])
    notes: list[Note] = []
    time = FIRST_REST
    while seconds - time > SHORTEST_PHRASE + 0.3:
        style = STYLES[rng.choice(len(STYLES), p=[style.share for style in STYLES])]
        phrase, degree = _phrase(rng, style, scale, degree, tempo, time, seconds - 0.3)
        notes += phrase
        time = phrase[-1].start + phrase[-1].duration + rng.uniform(0.25, 0.9)
    return notes


def _phrase(
    rng: np.random.Generator, style: Style, scale: np.ndarray, degree: int, tempo: float, start: float, end: float
) -> tuple[list[Note], int]:
    """Improvise a phrase between two times from a degree of the scale; return the degree on which it ends too."""
    count = int(rng.integers(*style.notes))
    goal = int(rng.integers(len(scale)))
    loudness = 0.1 * 9.0 ** rng.random()  # from pianissimo to forte, evenly in dB
    notes: list[Note] = []
    time = start
    for index in range(count):
        degree = _step(rng, degree, goal, len(scale), style.leaps)
        beat = float(rng.choice(style.beats)) * tempo * rng.uniform(0.95, 1.05)
        if index == count - 1:
            beat = max(beat, 0.5) * rng.uniform(1.0, 1.6)
        last = index == count - 1 or time + beat > end - SHORTEST_PHRASE
        beat = min(beat, end - time)
        arch = 0.75 + 0.5 * min(index + 1, count - index) / count
        breath = min(1.0, loudness * arch * rng.uniform(0.85, 1.2))
        graced = beat > 4 * GRACE_SECONDS and rng.random() < style.grace
        if graced:
            neighbour = scale[min(degree + 1, len(scale) - 1)]
            notes.append(_note(rng, style, time, GRACE_SECONDS, neighbour, breath, last=False))
            time, beat = time + GRACE_SECONDS, beat - GRACE_SECONDS
        notes.append(_note(rng, style, time, beat, scale[degree], breath, last, slurred=graced))
        time += beat
        if last:
            break
    return notes, degree


def _step(rng: np.random.Generator, degree: int, goal: int, size: int, leaps: float) -> int:
    """Choose the next degree of a scale of some size: mostly a neighbour, mostly towards the goal."""
    towards = 1 if goal > degree or (goal == degree and rng.random() < 0.5) else -1
    direction = towards if rng.random() < 0.7 else -towards
    distance = int(rng.integers(2, 5)) if rng.random() < leaps else 1
    arrived = degree + direction * distance
    return arrived if 0 <= arrived < size else degree - direction


def _note(
    rng: np.random.Generator,
    style: Style,
    start: float,
    duration: float,
    semitones: int,
    breath: float,
    last: bool,
    slurred: bool = False,
) -> Note:
    glide = min(rng.uniform(*style.glide), 0.7 * duration)
    tongued = rng.random() < style.tongued and not slurred
    vibrato = rng.uniform(0.1, 0.35) if duration > 0.35 and rng.random() < style.vibrato else 0.0
    return Note(
        start=start,
        duration=duration,
        midi=float(TONIC_MIDI + semitones),
        breath=breath,
        shape=SHAPES[rng.integers(len(SHAPES))] if duration > 0.3 else "even",
        tongued=tongued,
        glide=glide,
        vibrato=vibrato,
        vibrato_hz=rng.uniform(4.5, 6.2),
        last=last,
    )
