"""A path of results that Beam or TensorFlow would take for a pattern is refused before anything is done there."""

from __future__ import annotations

from pathlib import Path

import pytest

import local_runner
from common.errors import UserError
from common.patterns import check_no_pattern
from pipeline.cluster.compile import Job, compile_job
from pipeline.configuration.loading import load


@pytest.mark.parametrize("name", ["o[3]", "o*", "o?", "o\\4", "[a-z]/below"])
@pytest.mark.parametrize("verb", ["run", "retrain", "sweep"])
def test_an_output_that_is_a_pattern_is_one_line_and_nothing_is_made(
    name: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "recordings" / "demo").mkdir(parents=True)
    recordings = tmp_path / "recordings" / ("demo" if verb != "retrain" else "")
    command = [verb, "--instrument", "demo", "--recordings", str(recordings), "--output", str(tmp_path / name)]
    assert local_runner.main(command) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --output ")
    assert "Beam and TensorFlow take a path with *, ?, [ or \\ for a pattern" in line
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]


def test_a_link_or_a_folder_above_that_is_a_pattern_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a[b]").mkdir()
    (tmp_path / "link").symlink_to("a[b]")
    monkeypatch.chdir(tmp_path / "a[b]")
    (tmp_path / "recordings").mkdir()
    for output in (str(tmp_path / "link"), "out"):
        assert (
            local_runner.main(["run", "--instrument", "demo", "--recordings", "../recordings", "--output", output]) == 2
        )
    with pytest.raises(UserError, match=r"^--output 'link', which leads to '/x/a\[b\]': the path holds '\['"):
        check_no_pattern("--output", "link", "/x/a[b]")


def test_other_characters_of_shells_and_urls_are_plain():
    check_no_pattern("--output", "/o {5}]%20#,;$&é\n")


@pytest.mark.parametrize("root", ["gs://bucket/a[b]", "/mnt/*"])
def test_a_pipeline_root_that_is_a_pattern_is_refused(root: str):
    with pytest.raises(UserError, match=r"^--pipeline-root .*: the path holds"):
        compile_job(load("violin"), Job("gs://bucket/recordings", root, "image", "span-{SPAN}/*"))
