"""Disks of one's own, small or read-only, for a command that runs where they are mounted and nowhere else."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRIVATE = ("unshare", "--mount", "--map-root-user")
MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'


def on_disk(folder: Path, options: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with a new file system mounted on a folder; its files are gone afterwards.

    Args:
      folder: made if it is absent.
      options: of tmpfs, such as "size=300k" or "ro".
      arguments: of Python.
      environment: variables besides those of this process.
    """
    if not _can_mount():
        pytest.skip("this system lets no one mount a file system of their own")
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [*PRIVATE, "sh", "-c", MOUNT, "sh", options, str(folder), *_with(environment), sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def _with(environment: dict[str, str]) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in environment.items())]


@functools.cache
def _can_mount() -> bool:
    command = [*PRIVATE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
