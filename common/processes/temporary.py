"""Temporary folders that are gone once their process is, and that the next process removes where it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "swara-"
LOCK = ".in-use"  # its lock is proof of a living process: the system frees it with the process that holds it
LONGEST_BASE = 40  # of a folder with sockets in it: all of a socket's path must not exceed 104 bytes
_ATTEMPTS, _PAUSE_SECONDS = 5, 0.1  # to remove what threads of libraries still write to


@contextlib.contextmanager
def own_folder(base: Path) -> Iterator[Path]:
    """Make a folder of this process's own in `base`, which is removed with all that it holds once the block ends.

    Folders of processes that were killed are removed first.

    Raises:
      OSError: there is no space, or the base cannot be written to.
    """
    remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    lock = _locked(folder)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


@contextlib.contextmanager
def temporary_files_together() -> Iterator[None]:
    """Let this process, its libraries and all processes that it starts put temporary files into one folder of its own.

    Where no such folder can be made, there is none: whoever needs one meets the error and its cause there.
    """
    with contextlib.ExitStack() as stack:
        before = os.environ.get("TMPDIR"), tempfile.tempdir
        try:
            folder = stack.enter_context(own_folder(Path(tempfile.gettempdir())))
        except OSError:
            folder = None
        if folder is not None:
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before[1]
            os.environ.pop("TMPDIR", None)
            if before[0] is not None:
                os.environ["TMPDIR"] = before[0]


def base_for_sockets() -> Path:
    """Return the folder of temporary files; where its path is too long for sockets, the system's."""
    base = tempfile.gettempdir()
    return Path(base if len(base) <= LONGEST_BASE else "/tmp")


def remove_abandoned(base: Path) -> None:
    """Remove folders of `own_folder` whose processes are dead. Nothing that is not provably one of them is touched."""
    with contextlib.suppress(OSError):
        for folder in base.glob(f"{PREFIX}*"):
            lock = _lock_of_the_dead(folder)
            if lock is not None:
                _remove(folder)
                os.close(lock)


def _locked(folder: Path) -> int:
    """Make the lock file, locked from its first moment on. Returns its descriptor."""
    unfinished = folder / f"{LOCK}-"
    lock = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.rename(unfinished, folder / LOCK)
    return lock


def _lock_of_the_dead(folder: Path) -> int | None:
    """Take the lock of a folder of this user whose process has ended; None for every other folder."""
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return None
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _remove(folder: Path) -> None:
    """Remove a folder whose lock is held: the lock file last, so that what is left of it stays recognisable."""
    for attempt in range(_ATTEMPTS):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
            return
        time.sleep(_PAUSE_SECONDS * (attempt + 1))
