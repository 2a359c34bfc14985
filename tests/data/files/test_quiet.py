"""What C libraries print while they decode does not reach the terminal, and what Python prints afterwards does."""

import os
import sys
import threading
from contextlib import suppress

import numpy as np
import soundfile

from data.files.decode import Spool, Unusable, decode
from data.files.quiet import quiet
from tests.data.sounds import melody


def shout(line: str) -> None:
    os.write(2, line.encode())  # as a C library does


def test_nothing_is_printed_while_a_damaged_mp3_is_decoded(tmp_path, capfd):
    path = tmp_path / "line.mp3"
    soundfile.write(path, melody(6.0, 44100), 44100)
    stored = np.frombuffer(path.read_bytes(), np.uint8).copy()
    draw = np.random.default_rng(0)
    at = draw.integers(2000, len(stored), 40)
    stored[at] = draw.integers(0, 256, len(at))
    path.write_bytes(stored.tobytes())
    with Spool() as spool, suppress(Unusable):
        decode(path, 16000, spool)
    assert capfd.readouterr().err == ""


def test_standard_error_is_back_afterwards_whatever_happens(capfd):
    with suppress(ValueError), quiet():
        shout("hidden")
        raise ValueError
    shout("shown")
    print("and this", file=sys.stderr)
    assert capfd.readouterr().err == "shownand this\n"


def test_it_comes_back_when_the_last_of_several_threads_leaves(capfd):
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    with quiet():
        pass
    shout("hidden")
    leave.set()
    thread.join()
    shout("shown")
    assert capfd.readouterr().err == "shown"
