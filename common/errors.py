"""What ends a command besides a gate: a mistake that the user can mend, or a fault."""

from pathlib import Path


class UserError(Exception):
    """Bad arguments, configuration or data: the message says what, where, why and what to do. Exit code 2."""


class Stopped(Exception):
    """A stage failed for a reason that is neither the user's nor a gate's. Exit code 1."""

    def __init__(self, error: Exception, log: Path):
        super().__init__(f"{type(error).__name__}: {' '.join(str(error).split())[:300]} (the whole story: {log})")
