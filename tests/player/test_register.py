"""The octave into which a voice is moved: that in which most of it falls where the instrument was recorded."""

import numpy as np
import pytest

from data.features.statistics import DatasetStatistics, QuantileTransformer, Spread, pitch_shares
from player.adjust import automatic_shift, octave_shift
from player.register import instrument_register, overlap_shift, register_of


def instrument(notes: np.ndarray, measured: bool) -> DatasetStatistics:
    """Statistics of an instrument with these notes, from before or after registers were measured."""
    spread = Spread.of(notes[np.newaxis], np.ones((1, len(notes)), bool))
    shares = pitch_shares(notes) if measured else None
    return DatasetStatistics(spread, spread, spread, spread, QuantileTransformer(np.arange(2.0)), pitch_shares=shares)


def notes_around(mean: float, deviation: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, 4000).clip(mean - 12, mean + 12)


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("below", [1.0, 1.2, 2.0, 0.0, -1.0, -1.2])
def test_no_other_octave_has_more_notes_in_the_instruments_range(below, measured):
    recorded = notes_around(72.0, 4.0)
    statistics = instrument(recorded, measured)
    voice = notes_around(72.0 - 12 * below, 3.0, seed=1)
    low, high = np.quantile(recorded, [0.01, 0.99])

    def inside(octaves: float) -> float:
        return float(np.mean((voice + 12 * octaves >= low) & (voice + 12 * octaves <= high)))

    chosen = inside(automatic_shift(voice, statistics))
    assert chosen >= 0.95 or chosen == max(inside(octaves) for octaves in range(-4, 5))


def test_a_voice_that_lies_1_2_octaves_below_is_moved_by_one_where_the_notebook_moves_it_by_two():
    statistics = instrument(notes_around(72.0, 4.0), measured=True)
    voice = notes_around(72.0 - 12 * 1.2, 3.0, seed=1)
    assert octave_shift(voice, statistics.pitch.mean) == 2.0
    assert automatic_shift(voice, statistics) == 1.0
    assert automatic_shift(voice, statistics, "notebook") == 2.0


def test_an_instrument_of_two_registers_takes_the_voice_into_one_of_them_and_not_between():
    statistics = instrument(np.concatenate([notes_around(48.0, 1.5), notes_around(84.0, 1.5)]), measured=True)
    assert automatic_shift(notes_around(60.0, 2.0), statistics) in (-1.0, 2.0)


def test_a_voice_far_beyond_all_octaves_falls_back_to_means():
    statistics = instrument(np.full(100, 126.0), measured=True)
    voice = np.full(100, 31.0)
    assert overlap_shift(register_of(voice), instrument_register(statistics)) is None
    assert automatic_shift(voice, statistics) == octave_shift(voice, 126.0)


def test_registers_of_statistics_read_back_are_those_that_were_written():
    statistics = instrument(notes_around(61.0, 5.0), measured=True)
    read = DatasetStatistics.from_json(statistics.to_json())
    np.testing.assert_allclose(instrument_register(read), instrument_register(statistics), atol=1e-4)
