"""What the last stages of a run need is checked before its first one, in a fraction of a second."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import local_runner
from common.errors import UserError
from components.browser_validator import tfjs
from pipeline.configuration.loading import load
from pipeline.local import readiness
from pipeline.local.readiness import check_ready, least_bytes, recorded_seconds
from pipeline.store.folders import RunFolders
from tests.disks import on_disk

WITHOUT_WEBGL = load("demo", ["browser_validator.require_webgl=false"])


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    """Ten recordings of a second."""
    made = RunFolders(tmp_path / "recordings", tmp_path / "out", "demo")
    made.recordings.mkdir()
    for number in range(10):
        soundfile.write(made.recordings / f"{number}.wav", np.zeros(16000), 16000)
    return made


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that was built just now, whatever was edited beside it."""
    (tmp_path / "cli.mjs").touch()
    monkeypatch.setattr(tfjs, "COMMAND", tmp_path / "cli.mjs")


def arguments(folders: RunFolders, *settings: str) -> list[str]:
    command = ["run", "--instrument", "demo", "--recordings", str(folders.recordings), "--output", str(folders.output)]
    return [*command, *(argument for setting in settings for argument in ("--set", setting))]


def use_node(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "node").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / "node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


def test_a_run_that_has_all_it_needs_is_ready_within_a_third_of_a_second(folders: RunFolders):
    took = []
    for _ in range(5):
        began = time.perf_counter()
        check_ready(WITHOUT_WEBGL, folders)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.3
    assert not folders.output.exists()


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo v18.20.4", "is Node 18.20.4. "),
        ("echo v20.18.3", "is Node 20.18.3. "),
        ("exit 1", "is no Node that starts. "),
        ("echo hello", "is no Node that starts. "),
    ],
)
def test_a_node_that_is_too_old_ends_a_run_before_its_first_stage(
    folders: RunFolders,
    script: str,
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    use_node(tmp_path, script, monkeypatch)
    assert local_runner.main(arguments(folders)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert what in line
    assert "needs Node 20.19 or newer: install it" in line
    assert not folders.pipeline_root.exists()


@pytest.mark.parametrize("version", ["v20.19.0", "v22.1.0", "v100.0.0"])
def test_newer_ones_are_taken(folders: RunFolders, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    use_node(tmp_path, f"echo {version}", monkeypatch)
    check_ready(WITHOUT_WEBGL, folders)


def test_the_version_is_the_one_that_the_packages_of_web_need():
    package = (tfjs.WEB / "package.json").read_text(encoding="utf-8")
    assert f'"node": ">={tfjs.NODE_MAJOR}.{tfjs.NODE_MINOR}"' in package


def test_a_validator_that_was_never_built_ends_a_run_before_its_first_stage(
    folders: RunFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(tfjs, "COMMAND", tmp_path / "absent.mjs")
    assert local_runner.main(arguments(folders)) == 2
    assert "absent.mjs: missing. The bundle is checked on TensorFlow.js: run `make setup`" in capsys.readouterr().err
    assert not folders.pipeline_root.exists()


def test_a_chromium_that_is_required_and_missing_ends_a_run_before_its_first_stage(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SWARA_CHROMIUM", "none")
    assert local_runner.main(arguments(folders, "browser_validator.require_webgl=true")) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: browser_validator.require_webgl: a bundle is checked on WebGL before it is pushed")
    assert "--set browser_validator.require_webgl=false" in line
    assert not folders.pipeline_root.exists()
    check_ready(WITHOUT_WEBGL, folders)


def test_a_pushed_folder_that_is_read_only_ends_a_run_before_its_first_stage(folders: RunFolders, tmp_path: Path):
    folders.output.mkdir()
    program = (
        "import sys; from pathlib import Path; from pipeline.local import readiness as r\n"
        "try: r._check_writable(Path(sys.argv[1]))\n"
        "except r.UserError as error: print(error)"
    )
    ended = on_disk(folders.pushed, "ro", "-c", program, str(folders.pushed / "demo"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{folders.pushed / 'demo'}: cannot be written ({folders.pushed} is read-only")


def test_a_file_where_a_folder_of_results_belongs_is_named(folders: RunFolders):
    folders.output.mkdir()
    folders.pushed.write_text("mine")
    with pytest.raises(UserError, match=r"pushed/demo: cannot be written"):
        check_ready(WITHOUT_WEBGL, folders)


def test_too_little_space_for_the_windows_is_stated_unless_they_are_there(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
):
    assert recorded_seconds(sorted(folders.recordings.iterdir())) == pytest.approx(10.0, rel=0.01)
    needed = least_bytes(10.0, WITHOUT_WEBGL)
    for free, enough in ((int(needed * 1.02), True), (int(needed * 0.98), False)):
        monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        if enough:
            check_ready(WITHOUT_WEBGL, folders)
            continue
        with pytest.raises(UserError, match=r"out: \d+ MB free, and windows of about 0 minutes of recordings take"):
            check_ready(WITHOUT_WEBGL, folders)
    (folders.pipeline_root / "RecordingExampleGen" / "examples" / "1" / "Split-train").mkdir(parents=True)
    check_ready(WITHOUT_WEBGL, folders)


def test_a_false_header_and_what_is_no_sound_add_no_hours(tmp_path: Path):
    import struct

    data = bytes(3200)
    claimed = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 2**32 - 9, b"WAVE", b"fmt ", 16, 1, 1, 8, 8, 1, 8, b"data", 2**32 - 45
    )
    (tmp_path / "false.wav").write_bytes(claimed + data)
    (tmp_path / "none.wav").write_bytes(b"no sound")
    assert recorded_seconds([tmp_path / "false.wav", tmp_path / "none.wav"]) < 5.0
    assert recorded_seconds([]) == 0.0
