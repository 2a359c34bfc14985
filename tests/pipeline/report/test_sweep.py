"""The chapter about a sweep: the choice, the frontier and the reference are on the page."""

import pytest

from pipeline.report.charts import Axis
from pipeline.report.sweep import sweep


def trial(number: int, size: int, losses: dict[str, float], status: str = "finished") -> dict:
    return {
        "trial": f"{number:04d}",
        "status": status,
        "hyperparameters": {"architecture": "cnn", "channels": 8},
        "losses": losses,
        "loss": list(losses.values())[-1] if losses else None,
        "gzip_bytes": size,
        "parameters": size // 2,
        "multiply_adds_per_frame": 1234.5,
    }


def table(reference_loss: float) -> dict:
    return {
        "trials": [
            trial(0, 90_000, {"60": 7.0, "400": 6.0}),
            trial(1, 12_000, {"60": 7.5, "400": 6.1}),
            trial(2, 5_000, {"60": 9.0}, "stopped"),
            trial(3, 1, {}, "failed"),
        ],
        "reference": {**trial(0, 9_000_000, {"400": reference_loss}), "trial": "reference"},
        "winner": "0001",
        "frontier": ["0001", "0000"],
        "tolerance": 0.02,
    }


def test_the_choice_is_held_against_the_reference_in_words() -> None:
    words = sweep(table(6.05)).summary
    assert "4 sizes were tried, 1 failed" in words
    assert "within 2% of the best is trial 2: 12.0 kB after gzip" in words
    assert "750 times the size" in words
    assert "loses 0.8%" in words
    assert "None came within" not in words


def test_a_reference_that_wins_by_more_is_admitted() -> None:
    assert "None came within 2% of the best, the reference" in sweep(table(5.0)).summary


def test_there_is_a_chart_a_round_and_a_row_for_the_frontier_and_the_reference() -> None:
    chapter = sweep(table(6.05))
    assert [name for name, _ in chapter.charts] == ["After 60 steps", "After 400 steps"]
    assert chapter.charts[0][1].count(" h0") == 3 + 3 + 1  # all that got there, their frontier, the choice
    assert "reference, 9.00 MB" in chapter.charts[1][1]
    assert chapter.table is not None
    assert [row[0] for row in chapter.table.rows] == ["trial 2, the choice", "trial 1", "reference"]


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_axis() -> None:
    axis = Axis.logarithmic(1.0, 100.0, "kB")
    assert axis.position(10.0) == pytest.approx(50.0)
    assert [text for _, text in axis.ticks] == ["1", "2", "5", "10", "20", "50", "100"]
