"""Improvised lines keep to their raga, range and time, are different for different seeds, and are played as curves."""

import itertools

import numpy as np
import pytest

from data.demo.composer import HIGHEST, LOWEST, RAGAS, TONIC_MIDI, compose
from data.demo.performance import perform

RATE = 48_000


@pytest.mark.parametrize("raga", sorted(RAGAS))
def test_a_line_keeps_to_its_raga_range_and_time(raga):
    notes = compose(np.random.default_rng(1), 60.0, raga)
    semitones = np.array([note.midi - TONIC_MIDI for note in notes])
    assert {int(s) % 12 for s in semitones} <= set(RAGAS[raga])
    assert semitones.min() >= LOWEST
    assert semitones.max() <= HIGHEST
    ends = np.array([note.start + note.duration for note in notes])
    assert np.all(np.array([note.start for note in notes])[1:] >= ends[:-1] - 1e-9)
    assert ends[-1] < 60.0
    assert all(note.duration > 0.0 and 0.0 < note.breath <= 1.0 for note in notes)


def test_a_minute_has_all_that_expression_needs():
    notes = compose(np.random.default_rng(4), 60.0, "yaman")
    assert len(notes) > 40
    assert sum(note.last for note in notes) > 5  # phrases, hence rests
    assert any(note.glide > 0.15 for note in notes)
    assert any(note.vibrato > 0.1 for note in notes)
    assert any(note.tongued for note in notes)
    assert len({note.shape for note in notes}) == 4
    breaths = [note.breath for note in notes]
    assert max(breaths) / min(breaths) > 5.0
    pitches = [note.midi for note in notes]
    assert max(pitches) - min(pitches) >= 17


def test_lines_reach_both_ends_of_two_octaves():
    pitches = [note.midi for seed in range(5) for note in compose(np.random.default_rng(seed), 60.0, "yaman")]
    assert (min(pitches), max(pitches)) == (TONIC_MIDI + LOWEST, TONIC_MIDI + HIGHEST)


def test_seeds_decide():
    lines = [compose(np.random.default_rng(seed), 20.0, "kafi") for seed in (0, 0, 1)]
    assert lines[0] == lines[1]
    assert lines[0] != lines[2]


@pytest.mark.parametrize("seed", range(20))
def test_even_the_shortest_take_has_a_note(seed):
    assert compose(np.random.default_rng(seed), 1.3, "malkauns")


def test_a_performance_holds_its_notes_rests_in_silence_and_never_jumps():
    notes = compose(np.random.default_rng(2), 20.0, "bhupali")
    played = perform(notes, 20 * RATE, RATE, np.random.default_rng(3))
    assert played.f0_hz.shape == played.breath.shape == (20 * RATE,)
    assert played.breath.min() >= 0.0
    assert played.breath.max() <= 1.0
    assert np.abs(np.diff(played.breath)).max() < 0.002
    for note in notes:
        at = int((note.start + 0.9 * note.duration) * RATE)
        assert 69.0 + 12.0 * np.log2(played.f0_hz[at] / 440.0) == pytest.approx(note.midi, abs=0.45)
    for note, following in itertools.pairwise(notes):
        if note.last:
            rest = played.breath[int((note.start + note.duration + 0.02) * RATE) : int((following.start - 0.06) * RATE)]
            assert rest.size
            assert rest.max() == 0.0
    sounding = played.breath > 0.02
    jumps = np.abs(np.diff(1200.0 * np.log2(played.f0_hz)))[sounding[1:] & sounding[:-1]]
    assert jumps.max() < 2.0  # cents in a sample


def test_silence_can_be_performed():
    played = perform([], 4800, RATE, np.random.default_rng(0))
    assert played.breath.max() == 0.0
    assert np.all(np.isfinite(played.f0_hz))
