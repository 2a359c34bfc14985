"""What can end a run besides a user's mistake and a gate."""

from pathlib import Path


class Stopped(Exception):
    """A stage failed for a reason that is neither the user's nor a gate's. Exit code 1."""

    def __init__(self, error: Exception, log: Path):
        super().__init__(f"{type(error).__name__}: {' '.join(str(error).split())[:300]} (the whole story: {log})")
