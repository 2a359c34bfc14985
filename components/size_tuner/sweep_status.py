"""The status of a sweep in one line: how far it is, how good, and how long it still takes."""

from __future__ import annotations

from collections.abc import Sequence

from common.progress import clock
from components.size_tuner.config import TunerConfig
from components.size_tuner.pareto import TrialRow


def sweep_status(rows: Sequence[TrialRow], config: TunerConfig, last_steps: int) -> str:
    """Format the status of a sweep.

    Args:
      rows: of `SizeSearch.rows`, the reference not among them.
      config: of the sweep.
      last_steps: steps of trials that are trained to the end.
    """
    rounds = [*config.rungs, last_steps]
    planned = [max(1, round(config.trials * config.keep**number)) for number in range(len(rounds))]
    reached = [sum(len(row.losses or {}) > number for row in rows) for number in range(len(rounds))]
    failed = sum(row.status == "failed" for row in rows)
    words = [f"sweep: {reached[0] + sum(not row.losses for row in rows if row.error)} of {config.trials} sizes tried"]
    words += [f"{reached[n]} of {planned[n]} in round {n + 1}" for n in range(1, len(rounds)) if reached[n]]
    if failed:
        words.append(f"{failed} failed")
    latest = max((n for n, count in enumerate(reached) if count), default=None)
    if latest is not None:
        there = [(row.gzip_bytes or 0, row.loss or 0.0) for row in rows if len(row.losses or {}) > latest]
        limit = min(loss for _, loss in there) * (1 + config.tolerance)
        size, loss = min((size, loss) for size, loss in there if loss <= limit)
        words.append(f"best within {config.tolerance:.0%} {loss:.3f} at {size / 1000:.0f} kB")
    done = sum(row.steps for row in rows)
    if done:
        spans = [after - before for before, after in zip([0, *rounds], rounds, strict=False)]
        left = sum(max(0, planned[n] - reached[n]) * spans[n] for n in range(len(rounds)))
        seconds = left * sum(row.seconds or 0.0 for row in rows) / done / config.workers
        words.append(f"about {clock(seconds)} left")
    return ", ".join(words)
