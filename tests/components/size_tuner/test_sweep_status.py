"""The line shows what was tried, how many go on, what is best and how long it takes."""

from components.size_tuner.pareto import TrialRow
from components.size_tuner.sweep_status import sweep_status
from pipeline.configuration.loading import load

CONFIG = load("violin", ["tuner.trials=8", "tuner.rungs=[40]", "tuner.keep=0.25", "tuner.workers=2"]).tuner


def test_a_sweep_that_has_just_begun() -> None:
    running = TrialRow("0000", "running", {})
    assert sweep_status([running], CONFIG, 100) == "sweep: 0 of 8 sizes tried"


def test_what_is_left_follows_from_what_steps_took() -> None:
    stopped = [TrialRow(str(i), "stopped", {}, 40, {40: 7.0 + i}, gzip_bytes=20_000, seconds=20.0) for i in range(4)]
    failed = TrialRow("4", "failed", {}, error="no")
    line = sweep_status([*stopped, failed], CONFIG, 100)
    # 4 more of 40 steps, and 2 of 60, at 0.5 s a step, by 2 workers: 70 s
    assert line == "sweep: 5 of 8 sizes tried, 1 failed, best within 2% 7.000 at 20 kB, about 1:10 left"


def test_the_best_is_taken_from_the_latest_round() -> None:
    early = TrialRow("0", "stopped", {}, 40, {40: 6.0}, gzip_bytes=9_000, seconds=1.0)
    late = TrialRow("1", "finished", {}, 100, {40: 6.5, 100: 6.1}, gzip_bytes=30_000, seconds=3.0)
    assert "1 of 2 in round 2, best within 2% 6.100 at 30 kB" in sweep_status([early, late], CONFIG, 100)
