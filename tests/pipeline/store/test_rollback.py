"""An earlier version can be served again by its name, and a mistake changes nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import local_runner
from bundles.publish import publish, served_version, versions
from tests.bundles.small_bundle import write_small_bundle
from tests.bundles.test_publish import tamper

NOON = datetime(2025, 4, 5, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two versions of a violin, the second one served."""
    for number, gain in enumerate((0.5, 0.75)):
        write_small_bundle(tmp_path / str(number), gain=gain)
        publish(tmp_path / str(number), tmp_path / "out" / "pushed", NOON + timedelta(hours=number))
    return tmp_path / "out"


def test_rollback_serves_the_named_version_and_keeps_every_other(output: Path, capsys: pytest.CaptureFixture[str]):
    violin = output / "pushed" / "violin"
    first, second = versions(violin)
    assert local_runner.main(["rollback", "violin", first, "--output", str(output), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"violin: {first} is served"
    assert "starts from the model that was blessed last" in lines[1]
    assert json.loads(lines[2]) == {"exit_code": 0, "name": "violin", "version": first, "changed": True}
    assert served_version(violin) == first
    assert json.loads((output / "pushed" / "index.json").read_text())["instruments"][0]["version"] == first
    assert versions(violin) == [first, second]
    assert local_runner.main(["rollback", "violin", second, "--output", str(output)]) == 0
    assert served_version(violin) == second


def test_a_version_that_is_served_already_changes_no_file(output: Path, capsys: pytest.CaptureFixture[str]):
    stamps = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    assert (
        local_runner.main(["rollback", "violin", versions(output / "pushed" / "violin")[1], "--output", str(output)])
        == 0
    )
    assert "is served already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == stamps


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("violn", "x", "no instrument 'violn' has been published there. Did you mean 'violin'? Published: violin"),
        ("../pushed/violin", "x", "no instrument '../pushed/violin' has been published there"),
        ("violin", "x", "no version 'x'; published versions: 2025"),
        ("violin", "../violin", "no version '../violin'"),
    ],
)
def test_an_unknown_instrument_or_version_is_named_and_nothing_changes(
    output: Path, name: str, version: str, message: str, capsys: pytest.CaptureFixture[str]
):
    stamps = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.name != ".lock"}
    assert local_runner.main(["rollback", name, version, "--output", str(output)]) == 2
    assert message in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.name != ".lock"} == stamps


def test_nothing_published_is_one_clear_error_and_no_folder_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert local_runner.main(["rollback", "violin", "x", "--output", str(tmp_path / "none")]) == 2
    assert "no instrument has been published there" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_damaged_version_is_not_served(output: Path, capsys: pytest.CaptureFixture[str]):
    first, second = versions(output / "pushed" / "violin")
    (output / "pushed" / "violin" / first / "reverb.bin").write_bytes(b"")
    assert local_runner.main(["rollback", "violin", first, "--output", str(output)]) == 2
    assert f"violin {first} cannot be served, it is damaged" in capsys.readouterr().err
    assert served_version(output / "pushed" / "violin") == second


def test_a_version_that_was_changed_by_one_digit_is_not_served(output: Path, capsys: pytest.CaptureFixture[str]):
    first, second = versions(output / "pushed" / "violin")
    tamper(output / "pushed" / "violin" / first)
    assert local_runner.main(["rollback", "violin", first, "--output", str(output)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "it is damaged" in line
    assert f"{first}/manifest.json: was changed after it was published" in line
    assert served_version(output / "pushed" / "violin") == second
