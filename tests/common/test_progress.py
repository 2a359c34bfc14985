"""Progress moves on one line of a terminal and stays readable in a file."""

import io

import pytest

from common import progress
from common.progress import RecordingProgress, StepProgress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def now(monkeypatch):
    seconds = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def test_on_a_terminal_one_line_moves(now) -> None:
    stream = _Terminal()
    line = StepProgress(100, stream=stream)
    for step in (10, 20):
        now[0] += 2.0
        line.update(step, "loss 5.0")
    line.print_line("done")
    assert stream.getvalue().split("\r") == [
        "",
        "training 10/100  loss 5.0  5.0 steps/s  0:18 left",
        "training 20/100  loss 5.0  5.0 steps/s  0:16 left\ndone\n",
    ]


def test_elsewhere_a_line_now_and_then(now) -> None:
    stream = io.StringIO()
    line = StepProgress(100, stream=stream)
    for step in range(1, 101):
        now[0] += 0.5
        line.update(step)
    line.close()
    shown = stream.getvalue().splitlines()
    assert [text.split()[1] for text in shown] == ["1/100", "21/100", "41/100", "61/100", "81/100", "100/100"]
    assert "\r" not in stream.getvalue()


def test_a_shorter_line_leaves_no_rest_of_a_longer_one(now) -> None:
    stream = _Terminal()
    line = StepProgress(10, stream=stream)
    for note in ("a long note beside it", "short"):
        now[0] += 1.0
        line.update(1, note)
    first, second = stream.getvalue().split("\r")[1:]
    assert len(second) >= len(first)


def test_time_left_counts_from_where_a_training_went_on(now) -> None:
    stream = io.StringIO()
    line = StepProgress(10000, start=4000, stream=stream)
    now[0] += 10.0
    line.update(4010)
    assert stream.getvalue() == "training 4010/10000  1.0 steps/s  1:39:50 left\n"


def test_recordings_move_on_a_terminal_and_leave_nothing_in_a_file() -> None:
    screen, file = _Terminal(), io.StringIO()
    for stream in (screen, file):
        line = RecordingProgress(stream, interval_seconds=0)
        line("a.wav", 5.0, 10.0)
        line("", 10.0, 10.0)
    assert "0:05 of 0:10  a.wav" in screen.getvalue()
    assert screen.getvalue().endswith("\r\033[K")
    assert file.getvalue() == ""


def test_clock_shows_minutes_and_seconds_and_hours_where_there_are_any() -> None:
    assert progress.clock(59.6) == "1:00"
    assert progress.clock(187.0) == "3:07"
    assert progress.clock(119.97, tenths=True) == "1:59.9"
    assert progress.clock(3723.0) == "1:02:03"
    assert progress.clock(3723.49, tenths=True) == "1:02:03.4"
