"""f0 is right, in time, continuous, and the same however long a recording is; a missing tracker is a helpful error."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from common.errors import UserError
from data.features import tracker as pitch
from data.features.tracker import Tracker, require
from tests.data.sounds import melody, reader, tone


def cents(measured: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
    return 1200 * np.abs(np.log2(measured / expected))


def needs_crepe() -> None:
    try:
        require("crepe", "tiny")
    except UserError as error:
        pytest.skip(f"CREPE is not here: {error}")


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
@pytest.mark.parametrize("f0", [98.0, 440.0, 1318.5])
def test_a_steady_tone_has_its_f0_in_every_frame(rate, f0):
    measured, confidence = Tracker("swift_f0", rate, 250)(tone(f0, 2.0, rate))
    assert len(measured) == len(confidence) == 500
    assert np.median(cents(measured, f0)) < 10
    assert np.median(confidence) > 0.9


@pytest.mark.parametrize(
    "name", ["swift_f0", pytest.param("crepe", marks=pytest.mark.slow), pytest.param("pyin", marks=pytest.mark.slow)]
)
def test_a_vibrato_is_followed_without_delay(name):
    if name == "crepe":
        needs_crepe()
    time = np.arange(3 * 16000) / 16000
    f0 = 440 * 2 ** (np.sin(2 * np.pi * 2.0 * time) / 12)
    measured, _ = Tracker(name, 16000, 250)(tone(f0, 3.0))
    octaves = np.log2(measured / 440)[100:650]
    delays = np.arange(-10, 11)
    truth = [np.log2(f0[::64] / 440)[100 - delay : 650 - delay] for delay in delays]
    errors = [np.sqrt(np.mean((octaves - one) ** 2)) for one in truth]
    assert abs(delays[np.argmin(errors)]) <= 1  # frames of 4 ms
    assert 1200 * min(errors) < 15


def test_f0_goes_on_through_silence_and_its_confidence_does_not():
    low, high = tone(440.0, 1.0), tone(880.0, 1.0)
    f0, confidence = Tracker("swift_f0", 16000, 250)(np.concatenate([low, np.zeros(16000, np.float32), high]))
    gap = slice(270, 480)
    assert confidence[gap].max() < 0.5
    assert (np.diff(f0[gap]) >= -1e-3).all()  # from one note to the other
    assert f0[gap].min() > 430
    assert f0[gap].max() < 900


@pytest.mark.parametrize("audio", [np.zeros(16000), np.zeros(100), np.random.default_rng(0).normal(0, 0.1, 16000)])
def test_f0_is_positive_and_finite_where_there_is_none(audio):
    f0, confidence = Tracker("swift_f0", 16000, 250)(audio.astype(np.float32))
    assert len(f0) == len(audio) // 64
    assert np.isfinite(f0).all()
    assert (f0 > 0).all()
    assert ((confidence >= 0) & (confidence <= 1)).all()


@pytest.mark.parametrize("rate", [16000, 48000])
def test_chunks_leave_no_seam(monkeypatch, rate):
    audio = melody(40.0, rate)
    tracker = Tracker("swift_f0", rate, 250)
    monkeypatch.setattr(pitch, "CHUNK_SECONDS", 48.0)
    f0, confidence = tracker(audio)
    monkeypatch.setattr(pitch, "CHUNK_SECONDS", 8.0)
    chunked_f0, chunked_confidence = tracker(audio)
    np.testing.assert_allclose(chunked_confidence, confidence, atol=0.02)
    trusted = confidence > 0.5
    assert np.percentile(cents(chunked_f0, f0)[trusted], 99.9) < 5


def test_progress_reaches_the_end():
    audio = melody(60.0)
    seconds: list[float] = []
    Tracker("swift_f0", 16000, 250).track(reader(audio), len(audio), seconds.append)
    assert seconds == sorted(seconds)
    assert seconds[-1] == 60.0
    assert len(seconds) > 1


def test_crepe_and_swift_f0_agree_on_a_real_recording(recordings):
    needs_crepe()
    path = recordings / "violin" / "garner_bwv1002_double_of_sarabande.flac"
    audio, rate = soundfile.read(path, frames=10 * 44100, dtype="float32")
    measured = {name: Tracker(name, rate, 250)(audio) for name in ("swift_f0", "crepe")}
    voiced = np.logical_and(*(confidence > 0.5 for _, confidence in measured.values()))
    difference = cents(measured["crepe"][0], measured["swift_f0"][0])[voiced]
    assert voiced.mean() > 0.5
    assert np.median(difference) < 20


def test_an_unknown_tracker_lists_those_there_are():
    with pytest.raises(UserError, match="swift_f0, crepe and pyin"):
        Tracker("yin", 16000, 250)


def test_crepe_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(pitch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="make crepe"):
        require("crepe", "tiny")


@pytest.mark.parametrize("empty", [True, False])
def test_a_capacity_of_crepe_without_weights_says_which_there_are(monkeypatch, tmp_path, empty):
    (tmp_path / "__init__.py").touch()
    (tmp_path / "model-tiny.h5").write_bytes(b"weights")
    if empty:
        (tmp_path / "model-full.h5").touch()

    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(pitch.importlib.util, "find_spec", lambda name: Spec)
    with pytest.raises(UserError, match=r"capacity full .*make crepe.*\(tiny\)"):
        require("crepe", "full")
    require("crepe", "tiny")


def test_the_default_tracker_loads_no_tensorflow():
    code = (
        "import sys; from data.check import check;"
        "from data.features.tracker import Tracker; Tracker('swift_f0', 16000, 250);"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'tfx', 'apache_beam', 'librosa')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
