"""A run whose model could not be compared with the last blessed one does not begin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline.configuration.loading import load
from pipeline.local.blessed import check_last_blessed
from tests.pipeline.store.recorded import Recorder

AUDIO = load("demo", []).audio


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "metadata.sqlite")


def model(recorder: Recorder, folder: Path, *, blessed: bool, **audio: object) -> Path:
    """A model that was judged, at the rates of `AUDIO` by default."""
    (folder / "Format-Serving").mkdir(parents=True)
    described = {"config": {"audio": {**AUDIO.model_dump(mode="json"), **audio}}}
    (folder / "Format-Serving" / "instrument.json").write_text(json.dumps(described))
    number = recorder.artifact("Model", folder)
    recorder.artifact("ModelBlessing", folder / "blessing", blessed=int(blessed), current_model_id=number)
    return folder / "Format-Serving" / "instrument.json"


def check(folder: Path) -> None:
    check_last_blessed(folder / "metadata.sqlite", AUDIO)


def test_where_nothing_was_blessed_there_is_nothing_to_compare_with(tmp_path, recorder):
    check_last_blessed(tmp_path / "absent.sqlite", AUDIO)
    check(tmp_path)
    model(recorder, tmp_path / "refused", blessed=False, sample_rate=48000).unlink()
    check(tmp_path)


def test_windows_of_another_length_can_be_compared(tmp_path, recorder):
    model(recorder, tmp_path / "1", blessed=True, window_seconds=2.0)
    check(tmp_path)


@pytest.mark.parametrize(("name", "hertz"), [("sample_rate", 48000), ("frame_rate", 125)])
def test_a_model_at_other_rates_cannot(tmp_path, recorder, name, hertz):
    model(recorder, tmp_path / "1", blessed=True, **{name: hertz})
    with pytest.raises(UserError, match=rf"audio\.{name}: .*/1\) has {hertz} Hz.*--output"):
        check(tmp_path)


def test_the_newest_blessed_one_counts_and_has_to_be_there(tmp_path, recorder):
    model(recorder, tmp_path / "1", blessed=True, sample_rate=48000)
    newest = model(recorder, tmp_path / "2", blessed=True)
    model(recorder, tmp_path / "3", blessed=False, sample_rate=48000)
    check(tmp_path)
    newest.unlink()
    with pytest.raises(UserError, match=r"/2/.*cannot be read.*put it back"):
        check(tmp_path)
