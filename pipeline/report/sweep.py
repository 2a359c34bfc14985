"""The search over sizes, in texts and charts: loss against size, the frontier, the reference and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from components.size_tuner.pareto import REFERENCE, Point, frontier
from pipeline.report.charts import Axis, Series, line_chart
from pipeline.report.page import Table
from pipeline.report.sections import Chapter, byte_size, number

Row = Mapping[str, Any]  # of `pareto.json`


def sweep(table: Mapping[str, Any]) -> Chapter:
    """Make the chapter about a sweep.

    Args:
      table: the content of `pareto.json`.
    """
    trials, reference = table["trials"], table["reference"]
    rounds = sorted({int(steps) for trial in trials for steps in trial["losses"] or {}})
    charts = [(f"After {steps:,} steps", _chart(trials, steps, table["winner"], reference)) for steps in rounds]
    return Chapter(_summary(table), charts, _table(table))


def _summary(table: Mapping[str, Any]) -> str:
    trials, reference = table["trials"], table["reference"]
    winner = next(trial for trial in trials if trial["trial"] == table["winner"])
    failed = sum(trial["status"] == "failed" for trial in trials)
    words = f"{len(trials)} sizes were tried{f', {failed} failed' if failed else ''}. "
    chosen = (
        f"trial {int(winner['trial']) + 1}: {byte_size(winner['gzip_bytes'])} after gzip, {winner['parameters']:,} "
        f"parameters, loss {number(winner['loss'])}."
    )
    within = f"within {table['tolerance']:.0%} of the best"
    if not reference or reference["loss"] is None:
        failure = " The full-size reference failed, so nothing was compared with it." if reference else ""
        return f"{words}The smallest whose loss is {within} is {chosen}{failure}"
    more = winner["loss"] / reference["loss"] - 1
    lost = more > table["tolerance"]
    words += f"None came {within}, the reference; the closest is {chosen}" if lost else ""
    words += "" if lost else f"The smallest whose loss is {within} is {chosen}"
    return (
        f"{words} The full-size reference has {reference['parameters']:,} parameters and "
        f"{reference['gzip_bytes'] / winner['gzip_bytes']:.0f} times the size; trained on the same examples its loss "
        f"is {number(reference['loss'])}, so the choice {'loses' if more > 0 else 'gains'} {abs(more):.1%}."
    )


def _chart(trials: Sequence[Row], steps: int, winner: str, reference: Row | None) -> Markup:
    """Chart loss over size of all that reached a round, their frontier, and the choice where it is among them."""
    points = [
        Point(trial["trial"], trial["gzip_bytes"] / 1e3, trial["losses"][str(steps)])
        for trial in trials
        if str(steps) in (trial["losses"] or {})
    ]
    best = frontier(points)
    chosen = [point for point in points if point.name == winner]
    level = None
    if reference and str(steps) in (reference["losses"] or {}):
        level = (reference["losses"][str(steps)], f"reference, {byte_size(reference['gzip_bytes'])}")
    losses = [point.loss for point in points] + ([level[0]] if level else [])
    series = [
        _series("trials", sorted(points, key=lambda point: point.size), "dots"),
        _series("frontier", best, "points"),
        *([_series("the choice", chosen, "dots")] if chosen else []),
    ]
    top = float(np.quantile(losses, 0.95))  # the worst would press all others flat
    low, high = min(point.size for point in points), max(point.size for point in points)
    return line_chart(
        series,
        Axis.logarithmic(0.9 * low, 1.1 * high, "kB after gzip"),
        Axis.linear(0.99 * min(losses), 1.01 * top, "spectral loss"),
        level,
    )


def _series(label: str, points: Sequence[Point], look: Any) -> Series:
    sizes, losses = ([getattr(point, name) for point in points] for name in ("size", "loss"))
    return Series(label, np.asarray(sizes, float), np.asarray(losses, float), look)


def _table(table: Mapping[str, Any]) -> Table:
    """Make a table of the frontier and the reference, a row each."""
    named = [trial for trial in table["trials"] if trial["trial"] in table["frontier"]]
    ordered = sorted(named, key=lambda trial: trial["gzip_bytes"])
    rows = [_row(trial, table["winner"]) for trial in ordered]
    if table["reference"]:
        rows.append(_row(table["reference"], table["winner"]))
    columns = ("Size", "After gzip", "Parameters", "Multiply-adds a frame", "Loss", "ViSQOL", "Made of")
    return Table(columns, rows, frozenset(range(1, 6)))


def _row(trial: Row, winner: str) -> tuple[str, ...]:
    name = REFERENCE if trial["trial"] == REFERENCE else f"trial {int(trial['trial']) + 1}"
    return (
        f"{name}{', the choice' if trial['trial'] == winner else ''}",
        byte_size(trial["gzip_bytes"]) if trial["gzip_bytes"] else "–",
        f"{trial['parameters']:,}" if trial["parameters"] else "–",
        f"{trial['multiply_adds_per_frame']:,.0f}" if trial["multiply_adds_per_frame"] else "–",
        number(trial["loss"]) if trial["loss"] is not None else "–",
        number(trial["visqol"]) if trial.get("visqol") is not None else "–",
        ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in trial["hyperparameters"].items()),
    )
