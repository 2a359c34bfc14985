"""The process that measures: its cores and its memory, on Linux and macOS."""

from __future__ import annotations

import os
import resource
import sys


def keep_to_one_core() -> None:
    """Keep this process, and the threads that it starts, to one core, on a system that can (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def peak_megabytes() -> int:
    """Measure the most memory that this process has held so far, MB."""
    in_a_megabyte = 1024**2 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // in_a_megabyte
