"""A file that a user named is written through links and into devices, and replaces nothing but a plain file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from common.output_file import written
from tests.disks import ROOT


def write(path: Path, text: str = "new") -> None:
    with written(path) as part:
        part.write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_or_replaced_and_nothing_is_left_beside_it(tmp_path: Path):
    write(tmp_path / "a", "first")
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert names(tmp_path) == ["a"]


def test_what_fails_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), written(tmp_path / "a") as part:
        part.write_text(str(1 / 0))
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path: Path, there: bool):
    (tmp_path / "far").mkdir()
    if there:
        (tmp_path / "far" / "target").write_text("old")
    (tmp_path / "second").symlink_to("far/target")
    (tmp_path / "first").symlink_to("second")
    write(tmp_path / "first")
    assert os.readlink(tmp_path / "first") == "second"
    assert os.readlink(tmp_path / "second") == "far/target"
    assert (tmp_path / "far" / "target").read_text() == "new"
    assert names(tmp_path / "far") == ["target"]


def test_a_link_to_a_device_stays_and_the_device_too(tmp_path: Path):
    (tmp_path / "link").symlink_to("/dev/null")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a device, so root")
def test_a_device_is_written_to_and_not_replaced(tmp_path: Path):
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    write(tmp_path / "null")
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)
    assert names(tmp_path) == ["null"]


def test_a_pipe_gets_the_content(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write(tmp_path / "pipe")
    reader.join(10)
    assert read == ["new"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_the_open_standard_output_is_written_to_and_not_replaced(tmp_path: Path):
    program = (
        "from pathlib import Path; from common.output_file import written\n"
        "with written(Path('/dev/stdout')) as part: part.write_text('content;')\n"
        "print('later')"
    )
    with (tmp_path / "out").open("wb") as out:
        node = os.fstat(out.fileno()).st_ino
        subprocess.run([sys.executable, "-c", program], stdout=out, cwd=ROOT, check=True)
    assert (tmp_path / "out").stat().st_ino == node
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to(path.name)])
def test_a_folder_and_a_ring_of_links_are_errors_that_change_nothing(tmp_path: Path, make):
    make(tmp_path / "a")
    with pytest.raises(OSError, match=r"Is a directory|Too many levels"):
        write(tmp_path / "a")
    assert names(tmp_path) == ["a"]
