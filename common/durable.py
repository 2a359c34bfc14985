"""File system operations that a crash cannot leave half done."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".incoming-"  # begins the names of what is being written or removed, by a process that may have died

# Errors of renaming a folder in a bucket that is mounted as one (gcsfuse): it would have to rename every object in it.
NO_RENAMING = {errno.EMFILE, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, after waiting for its holder. The system frees the lock of a dead process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing would not do while a forked child still holds the file


def write(path: Path, stored: bytes) -> None:
    """Write a file as a whole or not at all: readers see the old bytes or the new ones."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    with temporary.open("wb") as file:
        file.write(stored)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync(path.parent)


def copy(source: Path, target: Path) -> None:
    """Copy a folder of plain files, to be renamed with `move` once it is complete."""
    target.mkdir()
    for path in sorted(source.rglob("*")):
        copied = target / path.relative_to(source)
        if path.is_dir():
            copied.mkdir()
        else:
            shutil.copyfile(path, copied)


def move(source: Path, target: Path) -> None:
    """Rename a folder within one file system, after all that it holds has reached the disk.

    A bucket that is mounted as a folder may not be able to: there the folder is copied, and a crash leaves a part.
    """
    for path in [*source.rglob("*"), source]:
        sync(path)
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in NO_RENAMING:
            raise
        copy(source, target)
        shutil.rmtree(source)
    sync(target.parent)


def remove(folder: Path) -> None:
    """Remove a folder: for other processes it exists as a whole or not at all. `clean` removes what a crash leaves."""
    doomed = folder.with_name(f"{TEMPORARY}{folder.name}")
    try:
        os.rename(folder, doomed)
    except OSError as error:
        if error.errno not in NO_RENAMING:
            raise
        doomed = folder
    sync(folder.parent)
    shutil.rmtree(doomed)


def sync(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clean(folder: Path) -> None:
    """Remove what a process that was killed at work in the folder left behind. Call it with the lock held."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
