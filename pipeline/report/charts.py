"""Charts as HTML and SVG that follow the page: its colours in light and dark, its width, and text that never shrinks.

The lines are SVG stretched over the plot, with strokes that do not stretch; words are HTML laid over it by percentages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

MOST_POINTS = 600  # a line of more has more points than the page has pixels
Tick = tuple[float, str]  # value on the axis, its text


@dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
      label: in the legend.
      x, y: shape [points]; x rises.
      look: `line`, `faint` (behind the others), `points` (a line with its points), or `dots` (these alone).
    """

    label: str
    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.floating]
    look: Literal["line", "faint", "points", "dots"] = "line"


@dataclass(frozen=True)
class Axis:
    """A range of values, and the texts along it."""

    low: float
    high: float
    ticks: Sequence[Tick]
    label: str
    log: bool = False

    @classmethod
    def logarithmic(cls, low: float, high: float, label: str) -> Axis:
        """Make a logarithmic axis, low > 0, with marks at 1, 2 and 5 times powers of ten."""
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        marks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        return cls(low, high, [(mark, f"{mark:g}") for mark in marks if low <= mark <= high], label, log=True)

    @classmethod
    def linear(cls, low: float, high: float, label: str) -> Axis:
        """Make a linear axis with marks at round numbers. An empty range is widened."""
        if high <= low:
            low, high = low - 0.5, high + 0.5
        return cls(low, high, [(value, f"{value:g}".replace("-", "−")) for value in round_numbers(low, high)], label)

    def position(self, value: float | npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Compute the position of values, any shape, in percent from low to high; beyond the ends, 0 or 100."""
        low, high, at = (np.log(x) if self.log else np.asarray(x, np.float64) for x in (self.low, self.high, value))
        return np.clip((at - low) / (high - low), 0.0, 1.0) * 100.0


def round_numbers(low: float, high: float, about: int = 5) -> list[float]:
    """List multiples of 1, 2 or 5 times a power of ten, from low to high: some five of them."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def line_chart(series: Sequence[Series], x: Axis, y: Axis, level: Tick | None = None) -> Markup:
    """Draw curves over one pair of axes.

    Args:
      series: drawn in this order; a legend names them.
      x, y: points outside are drawn at the edge.
      level: a dashed horizontal line: its height and its name.
    """
    lines = Markup().join(_curve(number, curve, x, y) for number, curve in enumerate(series))
    names = [Markup('<span class="key s{}">{}</span>').format(n, curve.label) for n, curve in enumerate(series)]
    if level is not None:
        height = 100.0 - y.position(level[0])
        lines += Markup('<line class="level" x1="0" x2="100" y1="{0:.2f}" y2="{0:.2f}"/>').format(float(height))
        names.append(Markup('<span class="key level">{}</span>').format(level[1]))
    return _figure(lines, x, y, Markup('<figcaption class="legend">{}</figcaption>').format(Markup().join(names)))


def histogram(counts: npt.NDArray[np.floating], edges: npt.NDArray[np.floating], x: Axis) -> Markup:
    """Draw bars of counts [bins] between edges [bins + 1], scaled to the highest."""
    heights = 100.0 * counts / max(float(np.max(counts, initial=0.0)), 1e-12)
    bars = Markup().join(
        Markup('<rect class="bar" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            float(left), 100.0 - float(height), float(right - left), float(height)
        )
        for left, right, height in zip(x.position(edges[:-1]), x.position(edges[1:]), heights, strict=True)
    )
    return _figure(bars, x, None, Markup())


def _curve(number: int, series: Series, x: Axis, y: Axis) -> Markup:
    most = len(series.x) if series.look == "dots" else MOST_POINTS  # means of dots would be no dots of the data
    xs, ys = thinned(series.x, most), thinned(series.y, most)
    pairs = [f"{a:.2f} {b:.2f}" for a, b in zip(x.position(xs), 100.0 - y.position(ys), strict=True)]
    path = Markup()
    if series.look != "dots":
        path += Markup('<path class="curve s{} {}" d="M{}"/>').format(number, series.look, " L".join(pairs))
    if series.look in (
        "points",
        "dots",
    ):  # a line of no length with round ends is a circle however the plot is stretched
        dots = " ".join(f"M{pair} h0" for pair in pairs)
        path += Markup('<path class="dots s{}" d="{}"/>').format(number, dots)
    return path


def thinned(values: npt.NDArray[np.floating], most: int) -> npt.NDArray[np.floating]:
    """Reduce to at most so many values, each the mean of its neighbourhood. Shape [points] -> [fewer]."""
    if len(values) <= most:
        return np.asarray(values, np.float64)
    return np.array([part.mean() for part in np.array_split(np.asarray(values, np.float64), most)])


def _figure(drawing: Markup, x: Axis, y: Axis | None, caption: Markup) -> Markup:
    heights = [(float(y.position(value)), text) for value, text in y.ticks] if y else []
    grid = Markup().join(
        Markup('<line class="grid" x1="0" x2="100" y1="{0:.2f}" y2="{0:.2f}"/>').format(100.0 - height)
        for height, _ in heights
    )
    below = Markup().join(
        Markup('<span class="tick" style="left:{:.2f}%">{}</span>').format(float(x.position(value)), text)
        for value, text in x.ticks
    )
    beside = Markup().join(
        Markup('<span class="tick" style="bottom:{:.2f}%">{}</span>').format(height, text) for height, text in heights
    )
    return Markup(
        '<figure class="chart{}"><div class="y-label">{}</div><div class="frame"><div class="y">{}</div>'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>'
        '<div class="x">{}</div></div><div class="x-label">{}</div>{}</figure>'
    ).format(
        "" if y else " bare",
        y.label if y else "",
        beside,
        f"{y.label if y else 'how often'} over {x.label}",
        grid,
        drawing,
        below,
        escape(x.label),
        caption,
    )
