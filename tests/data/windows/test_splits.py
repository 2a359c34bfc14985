"""No eval sample is ever in a training window; the split is repeatable, two-sided and keeps its share."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.audio import AudioConfig
from data.windows.segments import (
    Ranges,
    eval_starts,
    loud_level,
    merged,
    runs,
    segments,
    train_starts,
    without,
)
from data.windows.splits import REACH_SECONDS, Sound, SplitRanges, length, split
from tests.data.sounds import CONFIG

AUDIO, EXAMPLES = CONFIG.audio, CONFIG.examples
RATE, WINDOW = AUDIO.frame_rate, AUDIO.window_frames


def sound(name: str, *ranges: tuple[float, float], seconds: float | None = None) -> Sound:
    """A recording from its sounding ranges in seconds."""
    frames = round((seconds or ranges[-1][1]) * RATE)
    return Sound(name, frames, tuple((round(start * RATE), round(stop * RATE)) for start, stop in ranges))


def seconds(ranges: Ranges) -> float:
    return length(ranges) / RATE


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """Which frames of a recording sound: stretches of sound and silence of any length."""
    stretches = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 40 * RATE)), min_size=1, max_size=12))
    mask = np.concatenate([np.full(frames, sounds) for sounds, frames in stretches])
    return np.pad(mask, (0, max(0, WINDOW - len(mask))))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(masks(), min_size=1, max_size=5),
    st.floats(0.01, 0.89),
    st.floats(0.5, 60.0),
    st.floats(0.05, 5.0),
    st.integers(0, 2**32),
)
def test_no_eval_sample_nor_what_its_features_hear_is_in_a_training_window(sounds, share, block, hop, seed):
    examples = EXAMPLES.model_copy(
        update={"eval_share": share, "block_seconds": block, "train_hop_seconds": hop}, deep=True
    )
    described = [
        Sound(f"{seed:x}-{index}", len(mask), segments(mask, AUDIO, examples.screening))
        for index, mask in enumerate(sounds)
    ]
    for one, sides in ((one, split(described, AUDIO, examples)[one.recording_id]) for one in described):
        reach = round(REACH_SECONDS * RATE)
        used = {"train": np.zeros(one.frames * AUDIO.hop, bool), "eval": np.zeros(one.frames * AUDIO.hop, bool)}
        for start in train_starts(sides.train, AUDIO, examples):
            assert 0 <= start <= one.frames - WINDOW
            used["train"][start * AUDIO.hop : (start + WINDOW) * AUDIO.hop] = True
        ends = []
        for start in eval_starts(sides.eval, AUDIO):
            assert 0 <= start <= one.frames - WINDOW
            reached = slice(max(0, start - reach) * AUDIO.hop, (start + WINDOW + reach) * AUDIO.hop)
            assert not used["train"][reached].any()
            ends.append((start, start + WINDOW))
        assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(ends))  # eval windows do not overlap


@settings(max_examples=100, deadline=None)
@given(masks())
@example(np.repeat([True, False, True], [60, WINDOW + 3, 52]))  # no room for two windows, nor for one over both sounds
@example(np.repeat([False, True, False, True], [1000, 180, WINDOW + 308, 97]))
def test_windows_lie_in_sound_and_not_in_long_silences(mask):
    screening = EXAMPLES.screening
    found = segments(mask, AUDIO, screening)
    longest = round(screening.max_silence_seconds * RATE)
    for (start, stop), after in itertools.zip_longest(found, found[1:]):
        assert 0 <= start < stop <= len(mask)
        assert stop - start >= WINDOW
        assert after is None or stop <= after[0]
        assert runs(mask[start:stop])
        if stop - start > WINDOW:  # a shorter one was grown into the silence around it
            silences = runs(~mask[start:stop])
            assert all(last - first <= max(longest, WINDOW) for first, last in silences)
        assert all(mask[one : one + WINDOW].any() for one in train_starts([(start, stop)], AUDIO, EXAMPLES))


@pytest.mark.parametrize("share", [0.1, 0.15, 0.3])
@pytest.mark.parametrize("lengths", [[61], [90], [108, 141], [93, 122, 187], [70, 20, 30], [3600], [25] * 20])
def test_eval_gets_about_its_share(share, lengths):
    examples = EXAMPLES.model_copy(update={"eval_share": share})
    sides = split([sound(f"recording {n}", (0, s)) for n, s in enumerate(lengths)], AUDIO, examples).values()
    kept = sum(seconds(side.eval) for side in sides)
    used = kept + sum(seconds(side.train) for side in sides)
    assert kept / used == pytest.approx(share, abs=0.1)
    assert used > 0.7 * sum(lengths)


@pytest.mark.parametrize("lengths", [[10, 50], [61], [4, 4], [59, 59], [30, 30, 30]])
def test_both_sides_get_something_where_that_is_possible(lengths):
    sides = split([sound(f"recording {n}", (0, s)) for n, s in enumerate(lengths)], AUDIO, EXAMPLES).values()
    assert any(train_starts(side.train, AUDIO, EXAMPLES) for side in sides)
    assert any(eval_starts(side.eval, AUDIO) for side in sides)


def test_a_recording_over_a_minute_is_split_in_blocks_and_a_shorter_one_is_not():
    short, long = (split([sound("one", (0, s))], AUDIO, EXAMPLES)["one"] for s in (60, 61))
    assert short == SplitRanges(train=((0, 60 * RATE),))
    assert long.train
    assert long.eval
    blocks = split([sound("hour", (0, 3600))], AUDIO, EXAMPLES)["hour"].eval
    assert len(blocks) == round(EXAMPLES.eval_share * 3600 / EXAMPLES.block_seconds)
    assert all(seconds((block,)) == EXAMPLES.block_seconds for block in blocks)


def test_the_guard_is_longer_than_a_window():
    sides = split([sound("hour", (0, 3600))], AUDIO, EXAMPLES)["hour"]
    for (start, stop), (first, last) in itertools.product(sides.eval, sides.train):
        assert first - stop > WINDOW or start - last > WINDOW


def test_a_long_recording_of_few_sounds_finds_its_eval_block_in_them():
    sparse = sound("sparse", (5, 25), (300, 309), (900, 912), seconds=1000)
    sides = split([sparse], AUDIO, EXAMPLES)["sparse"]
    assert train_starts(sides.train, AUDIO, EXAMPLES)
    assert eval_starts(sides.eval, AUDIO)


def test_the_order_of_recordings_does_not_matter():
    sounds = [sound(f"id {n}", (0, 10 + 17 * n)) for n in range(8)]
    assert split(sounds, AUDIO, EXAMPLES) == split(sounds[::-1], AUDIO, EXAMPLES)


def test_the_split_of_a_long_recording_does_not_depend_on_the_others():
    sounds = [sound(f"id {n}", (0, 80 + 31 * n)) for n in range(4)]
    together = split(sounds, AUDIO, EXAMPLES)
    assert all(split([one], AUDIO, EXAMPLES)[one.recording_id] == together[one.recording_id] for one in sounds)


def test_the_split_is_the_same_on_every_machine():
    sides = split([sound("a fixed name", (0, 300))], AUDIO, EXAMPLES)["a fixed name"]
    assert sides.eval == ((30000, 36000), (36000, 42000))  # seen once: a change would move eval audio into training


def test_training_windows_are_a_hop_apart_and_fill_their_range():
    starts = train_starts(((100, 100 + 10 * RATE),), AUDIO, EXAMPLES)
    assert starts == [100 + n * RATE for n in range(7)]


def test_silence_is_relative_to_the_loudness_of_the_rest_however_long_it_lasts():
    loudness = np.full(100 * RATE, -75.0, np.float32)
    loudness[: 2 * RATE] = np.linspace(-32, -28, 2 * RATE)
    assert loud_level(loudness) == pytest.approx(-28.2, abs=0.1)


def test_long_silences_are_cut_down_and_short_ones_stay():
    mask = np.zeros(60 * RATE, bool)
    for start, stop in ((5, 15), (15.8, 25), (40, 52)):
        mask[round(start * RATE) : round(stop * RATE)] = True
    found = [(start / RATE, stop / RATE) for start, stop in segments(mask, AUDIO, EXAMPLES.screening)]
    assert found == [(4.5, 25.5), (39.5, 52.5)]


def test_a_click_is_no_sound():
    mask = np.zeros(60 * RATE, bool)
    mask[20 * RATE : 20 * RATE + 10] = True
    mask[40 * RATE : 41 * RATE] = True
    assert segments(mask, AUDIO, EXAMPLES.screening) == ((round(38.5 * RATE), round(42.5 * RATE)),)


def test_ranges_are_joined_and_cut():
    assert merged([(0, 5), (5, 7), (9, 12)]) == ((0, 7), (9, 12))
    assert merged([(0, 5), (7, 8), (20, 30)], gap=2) == ((0, 8), (20, 30))
    assert without(((0, 10), (20, 30)), ((3, 5), (8, 22), (40, 50))) == ((0, 3), (5, 8), (22, 30))


def test_windows_at_other_rates_begin_on_whole_hops():
    audio = AudioConfig(sample_rate=48000, frame_rate=50, window_seconds=2.0)
    assert eval_starts(((3, 500),), audio) == [3, 103, 203, 303]
