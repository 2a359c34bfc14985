"""Originals keep the recording at 48 kHz, whatever the model's rate; which windows have one follows from no score."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from common.features import ORIGINAL
from data.analysis import analyse, make_tracker
from data.windows.cutting import cut
from data.windows.originals import MOST_JUDGED, ORIGINAL_RATE, choose_judged, pack, unpack
from data.windows.plan import Cuts, make_plan
from data.windows.segments import runs
from data.windows.splits import Sound
from tests.data.sounds import config, write

RATES = (16000, 32000, 48000)


@pytest.mark.parametrize("gain", [1e-4, 1.0, 15.0])
def test_a_packed_window_is_within_98_db_of_its_peak_at_any_level(gain: float):
    audio = (gain * np.random.default_rng(0).uniform(-1, 1, 4800)).astype(np.float32)
    error = np.abs(unpack(pack(audio)) - audio).max() / np.abs(audio).max()
    assert 20 * np.log10(error) < -90
    assert len(pack(audio)) == 4 + 2 * len(audio)


def test_silence_can_be_packed():
    assert not unpack(pack(np.zeros(100, np.float32))).any()


def test_as_many_are_judged_as_may_be_and_the_choice_follows_from_recording_and_time_alone():
    starts = {"aa": range(0, 5000, 500), "bb": range(0, 5000, 500)}
    chosen = choose_judged(starts, 250)
    assert sum(map(len, chosen.values())) == MOST_JUDGED
    assert chosen == choose_judged(dict(reversed(starts.items())), 250)
    assert chosen == {
        one: tuple(start // 2 for start in found)
        for one, found in choose_judged({one: [2 * start for start in of] for one, of in starts.items()}, 500).items()
    }
    fewer = choose_judged({"aa": starts["aa"]}, 250)["aa"]
    assert set(chosen["aa"]) <= set(fewer), "another recording changes which of this one's windows come first"


def test_few_windows_are_all_judged():
    assert choose_judged({"aa": [0, 500], "bb": []}, 250) == {"aa": (0, 500)}


def test_windows_in_which_less_than_half_sounds_are_not_judged(tmp_path: Path):
    extraction = config(
        "examples.min_minutes=0", "audio.window_seconds=2.0", "examples.screening.max_silence_seconds=9"
    )
    sounds = np.ones(20 * 250, bool)
    sounds[2 * 500 + 200 : 3 * 500 + 10] = False  # in the third window more than half is silent, in the fourth a little
    sound = Sound("aa", len(sounds), ((0, len(sounds)),), runs(~sounds))
    from data.ingest_report import RecordingEntry

    entries = [RecordingEntry(f"{one}.wav", "used", recording_id=one, usable_seconds=20.0) for one in ("aa", "bb")]
    other = Sound("bb", 10000, ((0, 10000),))
    plan = make_plan([(entries[0], sound), (entries[1], other)], extraction)
    cuts = plan.cuts["aa.wav"]
    assert 1000 in cuts.eval
    assert set(cuts.judged) == set(cuts.eval) - {1000}


@pytest.mark.parametrize("rate", RATES)
def test_the_original_reaches_further_than_a_model_at_16_khz_and_lies_at_the_same_time(tmp_path: Path, rate: int):
    time = np.arange(10 * 44100) / 44100
    audio = 0.3 * np.sin(2 * np.pi * 440 * time) * (time > 3.0) + 0.1 * np.sin(2 * np.pi * 12000 * time) * (time > 3.0)
    write(tmp_path / "a.wav", audio, 44100)
    extraction = config(f"audio.sample_rate={rate}", "audio.window_seconds=2.0")
    analysis = analyse(str(tmp_path), "a.wav", extraction, make_tracker(extraction))
    start = round(2.5 * 250)
    cuts = Cuts(train=(start,), eval=(start, start + 500), judged=(start,))
    made = [
        (side, tf.train.Example.FromString(one).features.feature)
        for side, one in cut(str(tmp_path), "a.wav", analysis, cuts, extraction)
    ]
    assert [(side, ORIGINAL in features) for side, features in made] == [
        ("train", False),
        ("eval", True),
        ("eval", False),
    ]
    original = unpack(made[1][1][ORIGINAL].bytes_list.value[0])
    assert len(original) == 2 * ORIGINAL_RATE
    onset = int(np.argmax(np.abs(original) > 0.1)) / ORIGINAL_RATE
    assert onset == pytest.approx(0.5, abs=0.002)
    spectrum = np.abs(np.fft.rfft(original[ORIGINAL_RATE:]))
    assert spectrum[12000] / spectrum[440] == pytest.approx(1 / 3, rel=0.05)
