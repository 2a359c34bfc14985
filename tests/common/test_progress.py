"""The progress line: moves on a terminal, stays readable in a file."""

import io

import pytest

from common import progress
from common.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_moves(clock) -> None:
    stream = _Terminal()
    line = Progress(100, stream=stream)
    for step in (10, 20):
        clock[0] += 2.0
        line.update(step, "loss 5.0")
    line.say("done")
    assert stream.getvalue().split("\r") == [
        "",
        "training 10/100  loss 5.0  5.0 steps/s  0:18 left",
        "training 20/100  loss 5.0  5.0 steps/s  0:16 left\ndone\n",
    ]


def test_elsewhere_a_line_now_and_then(clock) -> None:
    stream = io.StringIO()
    line = Progress(100, stream=stream)
    for step in range(1, 101):
        clock[0] += 0.5
        line.update(step)
    line.close()
    shown = stream.getvalue().splitlines()
    assert [text.split()[1] for text in shown] == ["1/100", "21/100", "41/100", "61/100", "81/100", "100/100"]
    assert "\r" not in stream.getvalue()


def test_a_shorter_line_leaves_no_rest_of_a_longer_one(clock) -> None:
    stream = _Terminal()
    line = Progress(10, stream=stream)
    for note in ("a long note beside it", "short"):
        clock[0] += 1.0
        line.update(1, note)
    first, second = stream.getvalue().split("\r")[1:]
    assert len(second) >= len(first)


def test_time_left_counts_from_where_a_training_went_on(clock) -> None:
    stream = io.StringIO()
    line = Progress(10000, start=4000, stream=stream)
    clock[0] += 10.0
    line.update(4010)
    assert stream.getvalue() == "training 4010/10000  1.0 steps/s  1:39:50 left\n"
