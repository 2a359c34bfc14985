"""Errors that end a command: a mistake that the user can correct, or a fault. (A gate that refuses is no error.)"""

from pathlib import Path


class UserError(Exception):
    """Bad arguments, configuration or data: the message states what, where, why and what to do. Exit code 2."""


class Stopped(Exception):
    """A stage failed for a reason that is neither the user's nor a gate's. Exit code 1."""

    def __init__(self, error: Exception, log: Path):
        super().__init__(f"{type(error).__name__}: {' '.join(str(error).split())[:300]} (the whole log: {log})")
