"""One command is for one instrument, or for all that have recordings; the others are named with the reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import kubeflow_runner
from common.errors import UserError
from pipeline.cluster.fleet import all_with_recordings, one_instrument
from pipeline.configuration.loading import instruments

ROOT = Path(__file__).resolve().parents[3]
COMMON = ("submit", "--instrument", "violin", "--pipeline-root", "gs://b", "--image", "i")


def recording(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")


def test_all_takes_the_instruments_that_have_recordings_each_laid_out_in_its_way(tmp_path: Path):
    recording(tmp_path / "violin" / "a.wav")
    recording(tmp_path / "oboe" / "span-1" / "a.wav")
    recording(tmp_path / "saxophone" / "span-1" / "version-1" / "a.wav")
    (tmp_path / "demo").mkdir()
    (tmp_path / "kazoo").mkdir()  # no configuration, and nothing in it
    fleet = all_with_recordings(str(tmp_path), ["trainer.steps=7"])
    assert {name: chosen.layout for name, chosen in fleet.chosen.items()} == {
        "oboe": "span-{SPAN}/*",
        "saxophone": "span-{SPAN}/version-{VERSION}/*",
        "violin": "*",
    }
    assert fleet.chosen["oboe"].recordings == str(tmp_path / "oboe")
    assert {chosen.config.trainer.steps for chosen in fleet.chosen.values()} == {7}
    assert set(fleet.left_out) == {"bansuri", "demo", "sarangi", "shehnai"}
    assert "no recordings there" in fleet.left_out["demo"]


def test_a_storage_uri_without_a_folder_for_some_instruments_leaves_those_out(tmp_path: Path):
    recording(tmp_path / "violin" / "a.wav")
    recording(tmp_path / "oboe" / "span-1" / "a.wav")
    fleet = all_with_recordings(tmp_path.as_uri(), [])
    assert {name: chosen.layout for name, chosen in fleet.chosen.items()} == {"oboe": "span-{SPAN}/*", "violin": "*"}
    assert "sarangi: no such folder of recordings" in fleet.left_out["sarangi"]


@pytest.mark.parametrize("as_uri", [False, True])
def test_recordings_without_a_configuration_are_left_out_by_name(tmp_path: Path, as_uri: bool):
    for name in ("violin", "Voilin", "kazoo"):
        recording(tmp_path / name / "span-1" / "a.wav")
    recording(tmp_path / "notes" / "span-1.txt")
    recording(tmp_path / ".trash" / "a.wav")
    base = tmp_path.as_uri() if as_uri else str(tmp_path)
    fleet = all_with_recordings(base, [])
    assert set(fleet.chosen) == {"violin"}
    assert {"Voilin", "kazoo"} == set(fleet.left_out) - set(instruments())
    assert fleet.left_out["Voilin"].startswith(
        f"{base}/Voilin holds recordings, but no instrument has that name: did you mean 'violin'? Rename the folder"
    )
    assert "that name: rename the folder, write configs/instruments/kazoo.yaml" in fleet.left_out["kazoo"]


def test_where_no_recordings_have_a_configuration_those_that_have_none_are_named(tmp_path: Path):
    recording(tmp_path / "kazoo" / "a.wav")
    with pytest.raises(UserError, match=r"no recordings of any instrument there: .*; kazoo: .*kazoo holds recordings"):
        all_with_recordings(str(tmp_path), [])


def test_a_storage_that_cannot_be_listed_is_one_clear_error(monkeypatch: pytest.MonkeyPatch):
    def denied(*_: object) -> str:
        raise tf.errors.PermissionDeniedError(None, None, "403:\nno rights")

    monkeypatch.setattr("pipeline.cluster.fleet.input_pattern", denied)
    with pytest.raises(UserError, match=r"gs://bucket/bansuri: cannot be listed: 403: no rights: see"):
        all_with_recordings("gs://bucket", [])


def test_without_any_recordings_there_is_nothing_to_do(tmp_path: Path):
    with pytest.raises(UserError, match="no recordings of any instrument there"):
        all_with_recordings(str(tmp_path), [])


def test_a_storage_uri_is_not_listed_for_one_instrument_and_has_spans():
    chosen = one_instrument("violin", "gs://bucket/violin", None, []).chosen["violin"]
    assert (chosen.recordings, chosen.layout) == ("gs://bucket/violin", "span-{SPAN}/*")
    assert one_instrument("violin", "gs://bucket/violin", "files", []).chosen["violin"].layout == "*"


@pytest.mark.parametrize("verb", [["compile"], ["submit", "--endpoint", "http://127.0.0.1:1"]])
def test_a_layout_for_all_is_refused_and_not_ignored(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    output = ["--output", str(tmp_path / "jobs")] if verb == ["compile"] else []
    recording(tmp_path / "recordings" / "violin" / "a.wav")
    common = ["--all", "--pipeline-root", str(tmp_path), "--image", "i", "--layout", "files"]
    assert kubeflow_runner.main([*verb, *output, *common]) == 2
    assert capsys.readouterr().err == (
        "error: --layout: with --all every instrument's recordings are listed: leave it out, or name one --instrument\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--project and --region send the run to Vertex, --endpoint to Kubeflow Pipelines"),
        (["--project", "p"], "--region: Vertex runs pipelines in one region"),
        (["--endpoint", "http://127.0.0.1:1", "--token-file", "none"], "--token-file none: No such file"),
    ],
)
def test_a_submission_to_nowhere_is_one_clear_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert kubeflow_runner.main([*COMMON, *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("held", [b"s3cret\nmore", b"s3cret\xff", b"s3 cret", b"\n"])
def test_a_file_without_a_token_is_one_clear_error_that_does_not_show_it(
    tmp_path: Path, held: bytes, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "token").write_bytes(held)
    target = ("--endpoint", "http://127.0.0.1:1", "--token-file", str(tmp_path / "token"))
    assert kubeflow_runner.main([*COMMON, *target]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --token-file {tmp_path / 'token'}: holds no ")
    assert "cret" not in error


def test_the_command_line_starts_without_tfx_and_names_its_verbs():
    program = (
        "import sys, kubeflow_runner; kubeflow_runner.parser(); sys.exit('tfx' in sys.modules or 'kfp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
