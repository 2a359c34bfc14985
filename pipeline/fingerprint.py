"""Hashes of source code: TFX's cache looks at inputs and properties only, so the code must be one of them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {".py", ".pbtxt", ".json", ".ts", ".html"}


def source_fingerprint(*places: str) -> str:
    """SHA-256, hex, over the sources of packages or files of the project, named relative to its root.

    Raises:
      FileNotFoundError: one of `places` does not exist, so that a renamed package cannot go unnoticed.
    """
    digest = hashlib.sha256()
    for place in sorted(places):
        root = ROOT / place
        if not root.exists():
            raise FileNotFoundError(f"no sources at {root}")
        files = [root] if root.is_file() else sorted(_sources(root))
        for path in files:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in SOURCES and not {"__pycache__", "node_modules", "dist"} & set(path.parts)
    ]


def source_revision() -> str:
    """The last commit that changed code or configuration, `-dirty` after later changes, `unknown` without git."""
    places = ["models", "components", "pipeline", "configs", "data", "web", "requirements"]
    try:
        commit = _git("log", "-1", "--format=%H", "--", *places)
        if not commit:  # another project's repository, which ignores this one
            return "unknown"
        return commit + ("-dirty" if _git("status", "--porcelain", "--", *places) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
