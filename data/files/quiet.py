"""Keeps what C libraries print off the terminal: mpg123 has a line for every damaged frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_ERROR = 2

_lock = threading.Lock()
_depth = 0
_kept = -1


@contextmanager
def quiet() -> Iterator[None]:
    """Send the file descriptor of standard error nowhere in the meantime: C libraries know no other way out.

    Several threads may be within it at once: it is put back when the last one leaves.
    """
    global _depth, _kept
    with _lock:
        _depth += 1
        if _depth == 1:
            _kept = os.dup(STANDARD_ERROR)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, STANDARD_ERROR)
            os.close(nowhere)
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                os.dup2(_kept, STANDARD_ERROR)
                os.close(_kept)
