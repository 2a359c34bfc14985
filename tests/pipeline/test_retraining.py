"""Retraining goes to work only where something is new, and one instrument's trouble is not another's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from components.bundle_pusher.publish import publish, serve
from components.recording_example_gen.listing import fingerprint, list_recordings
from models.errors import UserError
from pipeline import retraining
from pipeline.config import Places, load
from pipeline.retraining import made_of_these, retrain_all, worst
from tests.components.tfjs_exporter.small_bundle import write_small_bundle
from tests.pipeline.test_lineage import NOON

STUB = """
import json, pathlib, sys
name = sys.argv[sys.argv.index("--instrument") + 1]
with open(pathlib.Path(__file__).with_name("calls"), "a") as file:
    file.write(json.dumps(sys.argv[1:]) + chr(10))
sys.exit({"demo": 0, "oboe": 3, "violin": 0}[name])
"""


def recording(path: Path, content: bytes = b"sound") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Two pushed versions, the second made of span-1 and span-2; the first is served again."""
    made = Places(tmp_path / "in", tmp_path / "out", "violin")
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
    monkeypatch.setattr(retraining, "lineage", lambda output, name, version: known[version])
    return made


def test_the_same_recordings_and_settings_are_nothing_new_even_after_a_rollback(places: Places):
    assert made_of_these(load("violin", retraining=True), places) is not None


@pytest.mark.parametrize("change", ["a new span", "a changed recording", "a span that is gone", "a setting"])
def test_whatever_changes_the_model_is_new(places: Places, change: str):
    settings = ["trainer.steps=7"] if change == "a setting" else []
    if change == "a new span":
        recording(places.recordings / "span-3" / "c.wav")
    if change == "a changed recording":
        recording(places.recordings / "span-1" / "a.wav", b"another")
    if change == "a span that is gone":
        (places.recordings / "span-1" / "a.wav").unlink()
    assert made_of_these(load("violin", settings, retraining=True), places) is None


def test_a_lost_store_and_an_instrument_never_pushed_are_new(places: Places, monkeypatch: pytest.MonkeyPatch):
    def lost(*_: object) -> None:
        raise UserError("no metadata store")

    monkeypatch.setattr(retraining, "lineage", lost)
    assert made_of_these(load("violin", retraining=True), places) is None
    assert made_of_these(load("oboe", retraining=True), Places(places.recordings, places.output, "oboe")) is None


def test_every_instrument_with_recordings_is_retrained_and_a_refusal_of_one_does_not_stop_the_next(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(STUB)
    for name in ("violin", "oboe", "kazoo"):  # the last has no configuration: nothing is asked of it
        recording(tmp_path / "in" / name / "span-1" / "a.wav")
    (tmp_path / "in" / "demo").mkdir()  # nothing in it
    ended = retrain_all(program, tmp_path / "in", tmp_path / "out", ["trainer.steps=7"])
    assert ended == {"oboe": 3, "violin": 0}
    calls = (tmp_path / "calls").read_text()
    assert calls.count('"--set", "trainer.steps=7"') == 2
    with pytest.raises(UserError, match="no recordings of any instrument there"):
        retrain_all(program, tmp_path / "nowhere", tmp_path / "out", [])


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([], 0), ([0, 3], 3), ([3, 2, 0], 2), ([2, 1, 3], 1), ([0, -9], 1)]
)
def test_the_gravest_exit_code_is_that_of_all(codes: list[int], code: int):
    assert worst(codes) == code
