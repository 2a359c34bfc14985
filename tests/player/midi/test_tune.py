"""Tunes are read as lines of notes with controllers; what is no tune is one clear error."""

from pathlib import Path

import mido
import numpy as np
import pytest

from common.errors import UserError
from data.features.statistics import DatasetStatistics, dataset_statistics
from player.midi.expression import features_of
from player.midi.tune import Line, read_tune

RATE = 250


@pytest.fixture
def tune(tmp_path: Path):
    """Writes messages (s, type, values) to a file and reads its lines."""

    def write(*messages: tuple, kind: int = 1) -> list[Line]:
        file, track, before = mido.MidiFile(type=kind), mido.MidiTrack(), 0.0
        for time, name, values in messages:
            ticks = round(mido.second2tick(time - before, file.ticks_per_beat, 500_000))
            track.append(mido.Message(name, time=ticks, **values))
            before = time
        file.tracks.append(track)
        file.save(tmp_path / "tune.mid")
        return read_tune(tmp_path / "tune.mid")

    return write


def on(time: float, note: int, velocity: int = 80, channel: int = 0) -> tuple:
    return time, "note_on", {"note": note, "velocity": velocity, "channel": channel}


def off(time: float, note: int, channel: int = 0) -> tuple:
    return time, "note_off", {"note": note, "channel": channel}


def control(time: float, number: int, value: int, channel: int = 0) -> tuple:
    return time, "control_change", {"control": number, "value": value, "channel": channel}


@pytest.fixture(scope="module")
def statistics() -> DatasetStatistics:
    random = np.random.default_rng(0)
    f0_hz, loudness_db = random.uniform(220, 880, (4, 1000)), random.uniform(-50, -15, (4, 1000))
    return dataset_statistics(f0_hz, loudness_db, np.ones((4, 1000)), loudness_db)


def test_a_melody_is_one_line_and_a_chord_several(tune):
    [melody] = tune(on(0, 60), off(0.5, 60), on(0.5, 62), off(1, 62))
    assert [(note.midi, note.start, note.end) for note in melody.notes] == [(60, 0, 0.5), (62, 0.5, 1)]
    chord = tune(on(0, 60), on(0, 64), on(0, 67), off(1, 60), off(1, 64), off(1, 67))
    assert [line.notes[0].midi for line in chord] == [60, 64, 67]


def test_notes_that_hardly_overlap_are_tied(tune):
    [line] = tune(on(0, 60), on(0.5, 62), off(0.53, 60), off(1, 62))
    assert [round(note.end, 2) for note in line.notes] == [0.5, 1]


def test_the_pedal_holds_notes_until_it_is_lifted(tune):
    [line] = tune(control(0, 64, 127), on(0, 60), off(0.2, 60), control(0.8, 64, 0), on(1, 60), off(1.2, 60))
    assert [round(note.end, 2) for note in line.notes] == [0.8, 1.2]


def test_bends_have_the_range_that_the_file_gives_them(tune):
    bend = (0.5, "pitchwheel", {"pitch": 4096})
    assert tune(on(0, 60), bend, off(1, 60))[0].bend == [(0.5, 1.0)]
    wide = [control(0, 101, 0), control(0, 100, 0), control(0, 6, 12), control(0, 38, 0)]
    assert tune(*wide, on(0, 60), bend, off(1, 60))[0].bend == [(0.5, 6.0)]


def test_each_note_of_mpe_has_its_own_bend(tune):
    zone = [control(0, 101, 0), control(0, 100, 6), control(0, 6, 2)]
    bends = [(0.5, "pitchwheel", {"pitch": pitch, "channel": channel}) for channel, pitch in ((1, 512), (2, -512))]
    keys = [on(0, 60, channel=1), on(0, 64, channel=2)]
    lines = tune(*zone, *keys, *bends, off(1, 60, channel=1), off(1, 64, channel=2))
    assert [line.bend[0][1] for line in lines] == [3.0, -3.0]


def test_expression_and_breath_make_a_sounding_note_softer_and_volume_turns_it_down(tune, statistics):
    def played(number: int, value: int) -> dict[str, np.ndarray]:
        [line] = tune(on(0, 69), control(0.5, number, value), off(1, 69))
        return features_of(line, statistics, RATE, 1.2)

    for number in (2, 11):
        features = played(number, 64)
        assert features["loudness_db"][200] - features["loudness_db"][100] == pytest.approx(40 * np.log10(64 / 127))
        np.testing.assert_allclose(features["gain"][[100, 200]], 1)
    features = played(7, 50)
    assert features["loudness_db"][200] == pytest.approx(features["loudness_db"][100])
    assert features["gain"][200] / features["gain"][100] == pytest.approx(0.25)


def test_the_modulation_wheel_is_vibrato(tune, statistics):
    [line] = tune(on(0, 69), control(0.5, 1, 127), off(2, 69))
    cents = 1200 * np.log2(features_of(line, statistics, RATE, 2.0)["f0_hz"] / 440)
    assert np.abs(cents[20:120]).max() < 1e-6
    assert cents[150:450].max() == pytest.approx(50, abs=1)


def test_louder_keys_are_louder_and_a_note_begins_and_ends_in_silence(tune, statistics):
    soft, loud = (features_of(tune(on(0.2, 60, v), off(1, 60))[0], statistics, RATE, 1.6) for v in (20, 120))
    assert loud["loudness_db"][150] > soft["loudness_db"][150] + 10
    assert not loud["gain"][:50].any()
    assert loud["gain"][150] == pytest.approx(1)
    assert loud["gain"][-1] < 0.05


def test_what_is_no_tune_is_one_clear_error(tune, tmp_path: Path):
    (tmp_path / "text.mid").write_text("not a tune at all")
    (tmp_path / "cut.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\x20\0\x90")
    for name, named in (("text.mid", "is not a MIDI file"), ("cut.mid", "is not a MIDI file"), ("no.mid", "no such")):
        with pytest.raises(UserError, match=f"{name}: {named}") as refusal:
            read_tune(tmp_path / name)
        assert "\n" not in str(refusal.value)
    with pytest.raises(UserError, match="there is no note"):
        tune(on(0, 36, channel=9), off(1, 36, channel=9))
    with pytest.raises(UserError, match="type 2"):
        tune(on(0, 60), off(1, 60), kind=2)
