"""Hashes of source code: TFX's cache looks at inputs and properties only, so the code must be one of them."""

from __future__ import annotations

import hashlib
import subprocess

from common import sources


def source_fingerprint(*entries: str) -> str:
    """Hash all sources of the project that the entries depend on. SHA-256, hex.

    Args:
      entries: modules by dotted name, or files by path from the root of the project.

    Raises:
      FileNotFoundError: an entry does not exist.
    """
    digest = hashlib.sha256()
    for path in sources.source_files(*entries):
        digest.update(path.relative_to(sources.ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def source_revision() -> str:
    """Name the last commit that changed code or configuration: `-dirty` after later changes, `unknown` without git."""
    folders = [
        "bundles",
        "common",
        "components",
        "configs",
        "data",
        "models",
        "pipeline",
        "player",
        "web",
        "requirements",
    ]
    try:
        commit = _git("log", "-1", "--format=%H", "--", *folders)
        if not commit:  # another project's repository, which ignores this one
            return "unknown"
        return commit + ("-dirty" if _git("status", "--porcelain", "--", *folders) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(sources.ROOT), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
