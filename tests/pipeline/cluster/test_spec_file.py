"""A compiled pipeline reaches the file, link or device that --output names."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline.cluster.spec_file import write_spec


def test_folders_on_the_way_are_made(tmp_path: Path):
    write_spec(tmp_path / "a" / "b.json", {"x": 1})
    assert json.loads((tmp_path / "a" / "b.json").read_text()) == {"x": 1}


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "target.json").write_text("old")
    (tmp_path / "link.json").symlink_to("target.json")
    write_spec(tmp_path / "link.json", {"x": 1})
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text()) == {"x": 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a device, so root")
def test_a_device_stays_a_device(tmp_path: Path):
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    write_spec(tmp_path / "null", {"x": 1})
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)


def test_a_disk_that_is_full_and_a_folder_are_one_clear_error(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be written: No space left on device: choose another --output"):
        write_spec(Path("/dev/full"), {"x": 1})
    with pytest.raises(UserError, match="cannot be written: Is a directory"):
        write_spec(tmp_path, {"x": 1})
