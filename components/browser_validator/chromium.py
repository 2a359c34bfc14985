"""Finds the machine's Chromium.

`python -m components.browser_validator.chromium` prints its path; where there is none it prints why and exits with 1.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "SWARA_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Chromium:
    """The browser of this machine, if there is one.

    Attributes:
      program: the browser to start, or None.
      missing: why there is none; empty where there is one.
    """

    program: Path | None
    missing: str = ""


def find_chromium(env: Mapping[str, str] = os.environ) -> Chromium:
    """Find SWARA_CHROMIUM where it is set (`none` turns the browser off), otherwise the usual names on PATH."""
    path = env.get("PATH", "")
    named = env.get(VARIABLE)
    for name in NAMES if named is None else (named,):
        found = shutil.which(name, path=path) if name else None
        if found:
            return Chromium(Path(found))
    if named is not None:
        return Chromium(None, f"{VARIABLE}={named} is not a program")
    return Chromium(None, f"none of {', '.join(NAMES)} is on PATH and {VARIABLE} is not set")


if __name__ == "__main__":
    chromium = find_chromium()
    print(chromium.program or chromium.missing)
    sys.exit(0 if chromium.program else 1)
