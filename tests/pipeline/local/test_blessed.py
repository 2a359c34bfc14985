"""What follows from the last blessed model: the next one's sample rate, and whether the two can be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline.configuration.loading import load
from pipeline.local.blessed import compared, last_blessed, load_continuing
from pipeline.store.folders import RunFolders
from tests.pipeline.store.recorded import Recorder

CONFIG = load("demo", [])
DEFAULT = CONFIG.audio.sample_rate
OTHER = 16000


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    return RunFolders(tmp_path / "recordings", tmp_path, "demo")


@pytest.fixture
def recorder(folders: RunFolders) -> Recorder:
    folders.metadata.parent.mkdir()
    return Recorder(folders.metadata)


def model(recorder: Recorder, folder: Path, *, blessed: bool = True, loss: object = None, **audio: object) -> Path:
    """A model that was judged, at the rates and by the loss of `CONFIG` by default."""
    (folder / "Format-Serving").mkdir(parents=True)
    described = {
        "config": {
            "audio": {**CONFIG.audio.model_dump(mode="json"), **audio},
            "loss": loss or CONFIG.loss.model_dump(mode="json"),
        }
    }
    (folder / "Format-Serving" / "instrument.json").write_text(json.dumps(described))
    number = recorder.artifact("Model", folder)
    recorder.artifact("ModelBlessing", folder / "blessing", blessed=int(blessed), current_model_id=number)
    return folder / "Format-Serving" / "instrument.json"


def is_compared(folders: RunFolders) -> bool:
    return compared(CONFIG, folders).evaluator.against_last_blessed


def test_where_nothing_was_blessed_the_default_rate_holds(tmp_path, folders, recorder):
    assert last_blessed(RunFolders(tmp_path, tmp_path, "absent")) is None
    model(recorder, tmp_path / "refused", blessed=False, sample_rate=OTHER).unlink()
    assert load_continuing(folders, []).audio.sample_rate == DEFAULT
    assert is_compared(folders)


def test_an_instrument_goes_on_at_the_rate_at_which_it_was_blessed(tmp_path, folders, recorder, capsys):
    model(recorder, tmp_path / "1", sample_rate=OTHER)
    assert load_continuing(folders, []).audio.sample_rate == OTHER
    assert load_continuing(folders, [], retraining=True).audio.sample_rate == OTHER
    first, second = capsys.readouterr().err.splitlines()
    assert first == second
    assert f"demo: goes on at {OTHER} Hz" in first
    assert f"--set audio.sample_rate={DEFAULT} begins a new line" in first


def test_a_rate_that_is_given_begins_a_new_line(tmp_path, folders, recorder, capsys):
    model(recorder, tmp_path / "1", sample_rate=OTHER)
    config = load_continuing(folders, [f"audio.sample_rate={DEFAULT}"])
    assert config.audio.sample_rate == DEFAULT
    assert not compared(config, folders).evaluator.against_last_blessed
    (line,) = capsys.readouterr().err.splitlines()
    assert f"audio.sample_rate is {DEFAULT} Hz, and the last blessed model has {OTHER} Hz" in line
    assert "absolute limits alone" in line


def test_windows_of_another_length_can_be_compared(tmp_path, folders, recorder):
    model(recorder, tmp_path / "1", window_seconds=2.0)
    assert is_compared(folders)


@pytest.mark.parametrize("other", [{"frame_rate": 125}, {"loss": {"fft_sizes": [64], "mag_weight": 1.0}}])
def test_other_frames_or_another_loss_cannot(tmp_path, folders, recorder, other):
    model(recorder, tmp_path / "1", **other)
    assert not is_compared(folders)


def test_the_newest_blessed_one_counts_and_has_to_be_there(tmp_path, folders, recorder):
    model(recorder, tmp_path / "1", frame_rate=125)
    newest = model(recorder, tmp_path / "2")
    model(recorder, tmp_path / "3", blessed=False, frame_rate=125)
    assert is_compared(folders)
    newest.unlink()
    with pytest.raises(UserError, match=r"/2/.*cannot be read.*put it back"):
        is_compared(folders)


def test_it_is_found_where_the_output_folder_is_now(tmp_path, folders, recorder):
    """Before a run has brought the store's paths up to date."""
    made = folders.pipeline_root / "Trainer" / "model" / "1"
    model(recorder, made, sample_rate=OTHER)
    (tmp_path / "elsewhere").mkdir()
    moved = RunFolders(folders.recordings, tmp_path / "elsewhere", folders.name)
    (tmp_path / folders.name).rename(moved.metadata.parent)
    assert load_continuing(moved, []).audio.sample_rate == OTHER
