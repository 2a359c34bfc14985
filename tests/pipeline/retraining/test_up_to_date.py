"""Retraining goes to work only where recordings or settings are new since the last push."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bundles.publish import publish, serve
from common.errors import UserError
from data.files.listing import fingerprint, list_recordings
from pipeline.configuration.loading import load
from pipeline.retraining import up_to_date
from pipeline.retraining.up_to_date import up_to_date_version
from pipeline.store.folders import RunFolders
from tests.bundles.small_bundle import write_small_bundle
from tests.pipeline.store.test_lineage import NOON


def recording(path: Path, content: bytes = b"sound") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolders:
    """Two pushed versions, the second made of span-1 and span-2; the first is served again."""
    made = RunFolders(tmp_path / "in", tmp_path / "out", "violin")
    recording(made.recordings / "span-1" / "a.wav")
    recording(made.recordings / "span-2" / "b.wav")
    pushed = []
    for hour, gain in ((1, 0.5), (2, 0.75)):
        bundle = tmp_path / f"bundle-{hour}"
        write_small_bundle(bundle, gain=gain)
        pushed.append(publish(bundle, made.pushed, NOON.replace(hour=hour)).version)
    serve(made.pushed, "violin", pushed[0])
    base = str(made.recordings)
    known = {
        pushed[1]: SimpleNamespace(
            data=SimpleNamespace(fingerprint=fingerprint(base, list_recordings(base, "span-2/*", 4))),
            configuration_hash=load("violin", retraining=True).hash(),
        )
    }
    monkeypatch.setattr(up_to_date, "lineage", lambda output, name, version: known[version])
    return made


def test_the_same_recordings_and_settings_are_nothing_new_even_after_a_rollback(folders: RunFolders):
    assert up_to_date_version(load("violin", retraining=True), folders) is not None


@pytest.mark.parametrize("change", ["a new span", "a changed recording", "a span that is gone", "a setting"])
def test_whatever_changes_the_model_is_new(folders: RunFolders, change: str):
    settings = ["trainer.steps=7"] if change == "a setting" else []
    if change == "a new span":
        recording(folders.recordings / "span-3" / "c.wav")
    if change == "a changed recording":
        recording(folders.recordings / "span-1" / "a.wav", b"another")
    if change == "a span that is gone":
        (folders.recordings / "span-1" / "a.wav").unlink()
    assert up_to_date_version(load("violin", settings, retraining=True), folders) is None


def test_a_lost_store_and_an_instrument_never_pushed_are_new(folders: RunFolders, monkeypatch: pytest.MonkeyPatch):
    def lost(*_: object) -> None:
        raise UserError("no metadata store")

    monkeypatch.setattr(up_to_date, "lineage", lost)
    assert up_to_date_version(load("violin", retraining=True), folders) is None
    assert (
        up_to_date_version(load("oboe", retraining=True), RunFolders(folders.recordings, folders.output, "oboe"))
        is None
    )
