"""The frontier, the trials that are promoted from a rung, and which of the finished ones ships."""

import itertools

import numpy as np
import pytest

from common.errors import UserError
from components.size_tuner.pareto import Point, TrialRow, frontier, promising, smallest_within


def row(name: str, size: int, loss: float, status: str = "finished") -> TrialRow:
    return TrialRow(name, status, {}, 100, {40: loss + 1, 100: loss}, gzip_bytes=size)


def points(*values: tuple[str, float, float]) -> list[Point]:
    return [Point(*value) for value in values]


def test_no_point_of_the_frontier_is_beaten_and_every_other_is() -> None:
    random = np.random.default_rng(0)
    cloud = [Point(str(i), *random.integers(0, 30, 2).tolist()) for i in range(200)]
    kept = frontier(cloud)
    for point in cloud:
        beaten = any(o.size <= point.size and o.loss <= point.loss and o != point for o in kept)
        assert beaten or point in kept, point
    assert [p.size for p in kept] == sorted(p.size for p in kept)
    assert all(a.loss > b.loss for a, b in itertools.pairwise(kept))


def test_the_frontier_goes_on_first_and_the_hopeless_last() -> None:
    field = points(("good", 50, 5.0), ("small", 10, 5.2), ("beaten", 60, 5.3), ("tiny", 1, 9.0))
    assert [p.name for p in promising(field, 2, 0.02)] == ["good", "small"]
    assert [p.name for p in promising(field, 3, 0.02)] == ["good", "small", "beaten"]
    assert {p.name for p in promising(field, 4, 0.02)} == {"good", "small", "beaten", "tiny"}
    assert promising([], 3, 0.02) == []


def test_a_small_loss_is_given_up_for_size_but_not_a_large_one() -> None:
    rows = [row("best", 1000, 5.0), row("within", 100, 5.09), row("beyond", 10, 5.11)]
    assert smallest_within(rows, None, 0.02).trial == "within"
    assert smallest_within(rows, None, 0.0).trial == "best"


def test_the_reference_counts_as_the_best_where_it_is() -> None:
    rows = [row("near", 1000, 5.0), row("far", 100, 5.09)]
    assert smallest_within(rows, row("reference", 10**7, 4.95), 0.02).trial == "near"
    assert smallest_within(rows, row("reference", 10**7, 4.0), 0.02).trial == "near"  # none is within: the best


def test_of_equal_sizes_the_better_is_chosen() -> None:
    assert smallest_within([row("a", 100, 5.01), row("b", 100, 5.0)], None, 0.02).trial == "b"


def test_only_finished_trials_are_chosen_and_nothing_to_choose_is_an_error() -> None:
    failed = TrialRow("a", "failed", {}, error="Traceback ...\nTrainingDiverged: the loss stopped being a number")
    assert smallest_within([failed, row("c", 1, 4.0, "stopped"), row("b", 100, 5.0)], None, 0.02).trial == "b"
    with pytest.raises(UserError, match=r"no size can be chosen.*TrainingDiverged: the loss stopped"):
        smallest_within([failed], None, 0.02)
