"""Write a file that a user named: it may be a symbolic link or a device, which stay what they are."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import durable

DESCRIPTORS = ("/dev/", "/proc/")  # a file that is open already, by whatever path it is reached through these


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, of which `path` has the content once the block ends, whole or not at all.

    A symbolic link goes on leading to its target, which is replaced. A device or a pipe is written to: for these alone
    a failure may come in the middle.

    Raises:
      OSError: the path is a folder, or cannot be written.
    """
    target = replaceable(path)
    if target is None:
        with tempfile.TemporaryDirectory(prefix="swara-") as folder:
            part = Path(folder) / path.name
            yield part
            with part.open("rb") as made, path.open("wb") as named:
                shutil.copyfileobj(made, named)
        return
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        durable.sync(part)
        os.replace(part, target)
        durable.sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def replaceable(path: Path) -> Path | None:
    """Return the file that may be replaced so that `path` has another content; None for what is written to instead.

    Raises:
      OSError: the path is a folder, or a ring of links.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:  # absent, or a link to what is absent
        return Path(os.path.realpath(path))
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode) or os.path.abspath(path).startswith(DESCRIPTORS):
        return None
    return Path(os.path.realpath(path))
