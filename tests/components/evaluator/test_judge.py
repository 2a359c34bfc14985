"""By ViSQOL a model is as good as the baseline, and nearly as good as the best version; a missing figure is named."""

import math
from typing import Any

import pytest

from components.evaluator.judge import Best, judge
from pipeline.configuration.loading import load

LIMITS = load("violin").evaluator
WINDOWS = "windows of today"


def figures(visqol: float, baseline: float = 2.0, windows: float = 12) -> dict[str, float]:
    return {"visqol": visqol, "baseline_visqol": baseline, "judged_windows": windows}


def test_as_good_as_the_baseline_is_enough_for_a_first_model():
    judged = judge(figures(2.0), None, None, WINDOWS, LIMITS)
    assert judged.reasons == judged.notes == ()
    assert judged.best == Best(WINDOWS, 2.0)


@pytest.mark.parametrize("score", [1.99, math.nan])
def test_worse_than_the_baseline_is_refused(score: float):
    assert len(judge(figures(score), None, None, WINDOWS, LIMITS).reasons) == 1


def test_a_tenth_may_be_lost_against_the_best_and_not_a_tenth_with_every_version():
    best, last = Best(WINDOWS, 3.5), figures(3.41)
    assert not judge(figures(3.41), last, best, WINDOWS, LIMITS).reasons
    [reason] = judge(figures(3.35), last, best, WINDOWS, LIMITS).reasons
    assert "3.50" in reason
    assert judge(figures(3.41), last, best, WINDOWS, LIMITS).best == best, "the best stays the best"


def test_a_better_model_is_the_best_from_then_on():
    assert judge(figures(3.9), figures(3.5), Best(WINDOWS, 3.6), WINDOWS, LIMITS).best == Best(WINDOWS, 3.9)


def test_on_other_windows_the_last_blessed_model_measured_anew_counts_as_the_best():
    judged = judge(figures(2.7), figures(2.75), Best("windows of before", 3.5), WINDOWS, LIMITS)
    assert not judged.reasons
    assert "changed" in judged.notes[0]
    assert judged.best == Best(WINDOWS, 2.75)
    assert judge(figures(2.6), figures(2.75), Best("windows of before", 3.5), WINDOWS, LIMITS).reasons


@pytest.mark.parametrize("last", [{}, figures(math.nan)])
def test_a_last_blessed_model_without_a_figure_is_named_and_refuses_nothing(last: dict[str, Any]):
    judged = judge(figures(2.5), last, None, WINDOWS, LIMITS)
    assert not judged.reasons
    assert "last blessed" in judged.notes[0]


@pytest.mark.parametrize("none", [{}, {"judged_windows": 0.0}])
def test_without_originals_nothing_is_judged_and_that_is_named(none: dict[str, float]):
    judged = judge(none, figures(3.0), Best(WINDOWS, 3.0), WINDOWS, LIMITS)
    assert (judged.reasons, judged.best) == ((), None)
    assert "original" in judged.notes[0]
