"""A sung scale is written as notes, and played back they are the same notes at the same times."""

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from common.errors import UserError
from data.features.tracker import Tracker
from models.instrument import Instrument
from pipeline.configuration.loading import load as load_config
from player.midi.render import render_midi
from player.midi.transcribe import transcribe
from player.midi.tune import read_tune
from tests.player.playable_bundle import write_playable_bundle

SCALE = (57, 59, 61, 62, 64, 66, 68, 69, 57)
STEP, NOTE = 0.6, 0.5  # s
RATE = 44100


def sung(path: Path) -> np.ndarray:
    """A scale with vibrato, a slide into every note, and breath between; returns its f0 in Hz at 250 Hz."""
    time = np.arange(round((len(SCALE) * STEP + 0.3) * RATE)) / RATE
    index = np.minimum((np.maximum(time - 0.2, 0) // STEP).astype(int), len(SCALE) - 1)
    within = time - 0.2 - index * STEP
    midi = np.array(SCALE)[index] - 0.5 * np.exp(-np.maximum(within, 0) / 0.02) + 0.25 * np.sin(2 * np.pi * 5.5 * time)
    f0_hz = 440 * 2 ** ((midi - 69) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    envelope = np.clip(np.minimum(within, NOTE - within) / 0.02, 0, 1)
    sound = 0.2 * envelope * sum(np.sin(k * phase) / k for k in range(1, 12))
    noise = np.random.default_rng(0).normal(0, 1e-4, len(sound))
    soundfile.write(path, sound + noise, RATE)
    return f0_hz[:: RATE // 250]


def quietly(*_: object) -> None:
    """No progress."""


def test_a_sung_scale_goes_out_as_notes_and_comes_back_as_them(tmp_path: Path):
    f0_hz = sung(tmp_path / "voice.wav")
    figures = transcribe(tmp_path / "voice.wav", tmp_path / "sung.mid", quietly)
    [line] = read_tune(tmp_path / "sung.mid")
    assert [note.midi for note in line.notes] == list(SCALE)
    assert figures["notes"] == len(SCALE)
    onsets = 0.2 + STEP * np.arange(len(SCALE))
    assert np.abs([note.start for note in line.notes] - onsets).max() < 0.03

    config = load_config("violin", ["model.decoder.channels=16", "model.processors.reverb.seconds=0.25"])
    write_playable_bundle(tmp_path / "bundle", Instrument(config.model, config.audio), config)  # untrained: in tune
    played = render_midi(tmp_path / "bundle", tmp_path / "sung.mid", tmp_path / "played.wav", quietly)
    assert played["played_notes"] == len(SCALE)
    sound, rate = soundfile.read(tmp_path / "played.wav", dtype="float32")
    got_hz, confidence = Tracker("swift_f0", rate, 250)(sound)
    bends = []
    for note in line.notes:
        steady = np.arange(round((note.start + 0.1) * 250), round((note.end - 0.1) * 250))
        trusted = steady[confidence[steady] > 0.8]
        assert len(trusted) > 0.7 * len(steady)
        bends.append(1200 * np.log2(got_hz[trusted] / f0_hz[trusted]))
    assert np.median(np.abs(np.concatenate(bends))) < 20

    transcribe(tmp_path / "played.wav", tmp_path / "again.mid", quietly)
    [again] = read_tune(tmp_path / "again.mid")
    assert [note.midi for note in again.notes] == list(SCALE)
    assert np.abs([note.start for note in again.notes] - onsets).max() < 0.03


def test_loudness_goes_out_as_expression(tmp_path: Path):
    time = np.arange(RATE) / RATE
    swell = 10 ** (-1 + np.minimum(time, 1 - time) * 1.6)
    soundfile.write(tmp_path / "voice.wav", swell * np.sin(2 * np.pi * 440 * time), RATE)
    transcribe(tmp_path / "voice.wav", tmp_path / "sung.mid", quietly)
    [line] = read_tune(tmp_path / "sung.mid")
    values = np.array([value for _, value in line.controllers[11]])
    assert values.max() == 1
    assert 45 < np.argmax(values) < 60  # 10 ms each
    assert values[5] == pytest.approx(10 ** (-0.72 / 2), abs=0.08)  # 40 log10 of it is the level in dB


def test_a_note_that_is_struck_again_is_two_and_a_swell_is_none(tmp_path: Path):
    time = np.arange(2 * RATE) / RATE
    dip = 1 - 0.85 * np.clip(2 - np.abs(time - 1) / 0.03, 0, 1)  # -16 dB from 0.97 to 1.03 s
    tremolo = 1 - 0.3 * np.sin(2 * np.pi * 5 * time)
    sound = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, 12))
    soundfile.write(tmp_path / "voice.wav", 0.2 * dip * tremolo * sound, RATE)
    transcribe(tmp_path / "voice.wav", tmp_path / "sung.mid", quietly)
    [line] = read_tune(tmp_path / "sung.mid")
    assert [note.midi for note in line.notes] == [57, 57]
    assert line.notes[1].start == pytest.approx(1.04, abs=0.03)


def test_mistakes_are_one_clear_error(tmp_path: Path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    for source, target, named in (
        ("silence.wav", "out.mid", "no note was found"),
        ("absent.wav", "out.mid", "no such recording"),
        ("silence.wav", "out.wav", "name a .mid file"),
        ("silence.wav", "absent/out.mid", "there is no folder"),
    ):
        with pytest.raises(UserError, match=named):
            transcribe(tmp_path / source, tmp_path / target, quietly)
    assert not list(tmp_path.glob("*.mid"))


def test_a_file_has_one_track_with_its_tempo_and_bend_range(tmp_path: Path):
    sung(tmp_path / "voice.wav")
    transcribe(tmp_path / "voice.wav", tmp_path / "sung.mid", quietly)
    [track] = mido.MidiFile(tmp_path / "sung.mid").tracks
    values = [message.value for message in track if message.type == "control_change"][:4]
    assert values == [0, 0, 12, 0]
