"""Paths that Beam and TensorFlow take for patterns: they would write files there, and not find them."""

from __future__ import annotations

import re

from common.errors import UserError
from common.text import shown

PATTERN = re.compile(r"[*?\[\\]")  # `]`, `{` and `}` alone are plain characters to both


def check_no_pattern(option: str, path: str, resolved: str | None = None) -> None:
    """Check that a path for results is no pattern.

    Args:
      option: that gave the path, for the message.
      path: as it was given.
      resolved: the absolute path without symbolic links, which Beam and TensorFlow are given; None: the same.

    Raises:
      UserError: it holds a character of patterns.
    """
    used = path if resolved is None else resolved
    if not (found := PATTERN.search(used)):
        return
    leads = "" if PATTERN.search(path) else f", which leads to {shown(used)}"
    raise UserError(
        f"{option} {shown(path)}{leads}: the path holds {found[0]!r}. Beam and TensorFlow take a path with *, ?, [ or "
        "\\ for a pattern, and would not find the files that they write there: choose or rename a folder without them"
    )
