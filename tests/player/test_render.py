"""A voice becomes the instrument: its pitch octaves away, in time, without clicks; and users' mistakes are reported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.errors import UserError
from data.features.statistics import detect_notes
from data.features.tracker import Tracker
from data.files.decode import Spool, decode
from models.instrument import Instrument
from pipeline.configuration.loading import load as load_config
from player.render import adjust_to_instrument, analyse, render
from tests.player.playable_bundle import write_playable_bundle

CONFIG = load_config(
    "violin",
    [
        *("audio.sample_rate=16000", "model.decoder.channels=16"),
        *("model.processors.reverb.type=reverb_free", "model.processors.reverb.seconds=0.25"),
    ],
)
RATE, HOP = CONFIG.audio.sample_rate, CONFIG.audio.hop
QUIETLY: Callable[..., None] = lambda *_: None  # noqa: E731


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an untrained instrument with a short reverb: pitch and timing do not have to be learned."""
    folder = tmp_path_factory.mktemp("pushed") / "bundle"
    instrument, random = Instrument(CONFIG.model, CONFIG.audio), np.random.default_rng(0)
    weights = instrument.weights()
    taps = len(weights["reverb/ir"])
    weights["reverb/ir"] = (random.normal(0, 0.01, taps) * np.exp(-np.arange(taps) / 400.0)).astype(np.float32)
    instrument.set_weights(weights)
    write_playable_bundle(folder, instrument, CONFIG)
    return folder


def _voice(seconds: float, rate: int = 44100) -> np.ndarray:
    """A synthetic singer: notes of 0.6 s with vibrato around A3, pauses between them."""
    time = np.arange(round(seconds * rate)) / rate
    f0_hz = 220.0 * 2.0 ** (np.floor(time / 0.8) % 5 / 12.0 + 0.02 * np.sin(2 * np.pi * 5.5 * time))
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    envelope = np.clip(np.minimum(time % 0.8, 0.6 - time % 0.8) / 0.05, 0.0, 1.0)
    return 0.2 * envelope * sum(np.sin(k * phase) / k for k in range(1, 12))


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "voice.wav", _voice(5.0), 44100)
    return tmp_path / "voice.wav"


@pytest.mark.parametrize("clip", ["vocadito_10", "vocadito_14", "smstools_singing_female"])
def test_the_instrument_follows_a_real_voice(bundle: Path, recordings: Path, tmp_path: Path, clip: str):
    source, output = recordings / "voice" / f"{clip}.flac", tmp_path / "out.wav"
    figures = render(bundle, source, output, QUIETLY)
    played, rate = soundfile.read(output, dtype="float32")
    assert rate == RATE
    tracker = Tracker("swift_f0", RATE, CONFIG.audio.frame_rate)
    with Spool() as spool:
        decode(source, RATE, spool)
        f0_hz, confidence = tracker.track(spool.read, spool.samples)
    got_hz, got_confidence = tracker(played)
    trusted = (confidence > 0.9) & (got_confidence[: len(f0_hz)] > 0.9)
    cents = 1200.0 * np.abs(np.log2(got_hz[: len(f0_hz)] / f0_hz) - figures["octave_shift"])
    assert trusted.mean() > 0.2
    assert np.median(cents[trusted]) < 30.0
    assert np.sqrt(np.square(played).mean()) > 0.01


def test_the_sound_is_as_long_as_the_recording_and_the_room(bundle: Path, voice: Path, tmp_path: Path):
    figures = render(bundle, voice, tmp_path / "out.flac", QUIETLY)
    played, _ = soundfile.read(tmp_path / "out.flac")
    assert figures["seconds"] == pytest.approx(len(played) / RATE)
    assert 5.0 < figures["seconds"] <= 5.25


@pytest.mark.parametrize(
    "overrides",
    [["audio.sample_rate=48000"], ["model=gru", "model.decoder.units=16"], ["model.inputs=[rms]"]],
    ids=lambda overrides: overrides[0],
)
def test_every_kind_of_instrument_plays(overrides: list[str], voice: Path, tmp_path: Path):
    config = load_config("violin", overrides)
    write_playable_bundle(tmp_path / "bundle", Instrument(config.model, config.audio), config)
    figures = render(tmp_path / "bundle", voice, tmp_path / "out.wav", QUIETLY)
    played, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == config.audio.sample_rate
    assert figures["seconds"] == pytest.approx(len(played) / rate)
    assert 0.01 < np.sqrt(np.square(played).mean()) < 0.5


def test_there_are_no_clicks_where_blocks_join(bundle: Path, voice: Path, tmp_path: Path):
    """A step reaches up to the highest frequencies, which are quiet in this sound: there it would stand out."""
    render(bundle, voice, tmp_path / "out.wav", QUIETLY)
    played, _ = soundfile.read(tmp_path / "out.wav")
    bend = np.abs(np.diff(played, 3))
    seam = 4 * RATE
    around = bend[seam - 800 : seam + 800]
    assert around[796:804].max() <= np.quantile(around, 0.999)


def test_progress_is_reported_to_the_end(bundle: Path, voice: Path, tmp_path: Path):
    steps: list[tuple[str, float, float]] = []
    render(bundle, voice, tmp_path / "out.wav", lambda *step: steps.append(step))
    assert [what for what, done, total in steps if done >= total] == ["analysing", "playing"]


def test_the_same_recording_gives_the_same_sound(bundle: Path, voice: Path, tmp_path: Path):
    for name in ("a.wav", "b.wav"):
        render(bundle, voice, tmp_path / name, QUIETLY)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_silence_between_notes_stays_quiet(bundle: Path, voice: Path):
    measured = analyse(voice, CONFIG.audio, CONFIG.examples.pitch, QUIETLY)
    statistics = _statistics(bundle)
    adjusted = adjust_to_instrument(voice, measured, statistics)
    on, _ = detect_notes(measured.loudness_db, measured.f0_confidence)
    assert adjusted.loudness_db[on].min() >= statistics.loudness_quantiles.quantiles[0] - 1e-6
    assert adjusted.loudness_db[~on].mean() < adjusted.loudness_db[on].mean() - 20.0


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (np.zeros(RATE), "no note was found"),
        (np.random.default_rng(0).normal(0, 0.1, RATE), "no note was found"),
        (np.zeros(10), "0.6 ms long"),
        (np.full(RATE, np.nan), "not numbers"),
    ],
)
def test_a_recording_without_a_note_is_refused(bundle: Path, tmp_path: Path, samples: np.ndarray, named: str):
    soundfile.write(tmp_path / "in.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=named) as refusal:
        render(bundle, tmp_path / "in.wav", tmp_path / "out.wav", QUIETLY)
    assert "in.wav" in str(refusal.value)
    assert not (tmp_path / "out.wav").exists()


def test_channels_that_cancel_and_what_is_no_sound_are_named_as_in_check(bundle: Path, tmp_path: Path):
    one = _voice(2.0)
    soundfile.write(tmp_path / "cancels.wav", np.stack([one, -one], axis=1), 44100)
    (tmp_path / "phone.wav").write_bytes(b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(50))
    for name, named in (("cancels", "its channels cancel"), ("phone", "is MPEG-4, whatever its name says: convert it")):
        with pytest.raises(UserError, match=named):
            render(bundle, tmp_path / f"{name}.wav", tmp_path / "out.wav", QUIETLY)


def test_mistakes_in_arguments_are_reported_before_any_work(bundle: Path, voice: Path, tmp_path: Path):
    (tmp_path / "text.wav").write_text("not a sound")
    for arguments, named in (
        ((bundle, tmp_path / "absent.wav", tmp_path / "out.wav"), "absent.wav: no such recording"),
        ((bundle, tmp_path / "text.wav", tmp_path / "out.wav"), "text.wav: is not audio"),
        ((bundle, voice, tmp_path / "out.mp3"), "out.mp3"),
        ((bundle, voice, voice.parent / "." / voice.name), "is the recording itself"),
        ((tmp_path / "nothing", voice, tmp_path / "out.wav"), "neither a bundle"),
    ):
        with pytest.raises(UserError, match=named):
            render(*arguments, QUIETLY)


def _statistics(bundle: Path):
    from player.bundle import load

    return load(bundle).statistics
