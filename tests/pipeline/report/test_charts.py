"""Charts put values where they belong, with round numbers along the axes, and escape what users wrote."""

import re

import numpy as np
import pytest
from markupsafe import Markup

from pipeline.report.charts import Axis, Series, histogram, line_chart, round_numbers, thinned


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 10.0, [0, 2, 4, 6, 8, 10]),
        (4.7, 18.2, [5, 10, 15]),
        (-60.0, 0.0, [-60, -40, -20, 0]),
        (0.001, 0.0049, [0.001, 0.002, 0.003, 0.004]),
        (0.0, 2000.0, [0, 500, 1000, 1500, 2000]),
    ],
)
def test_ticks_are_round_numbers_within_the_span(low: float, high: float, expected: list[float]):
    assert round_numbers(low, high) == pytest.approx(expected)


def test_an_axis_holds_at_its_edges_what_lies_outside():
    np.testing.assert_allclose(
        Axis.linear(2.0, 4.0, "x").position(np.array([0.0, 2.0, 3.0, 4.0, 9.0])), [0, 0, 50, 100, 100]
    )


def test_an_axis_over_one_value_still_has_a_length():
    assert float(Axis.linear(3.0, 3.0, "x").position(3.0)) == 50.0


def test_a_curve_rises_where_its_values_rise():
    chart = line_chart(
        [Series("a", np.array([0.0, 10.0]), np.array([0.0, 5.0]))], Axis.linear(0, 10, "x"), Axis.linear(0, 5, "y")
    )
    assert 'd="M0.00 100.00 L100.00 0.00"' in chart


def test_a_long_curve_is_thinned_to_means_of_its_neighbourhoods():
    values = np.arange(6000.0)
    few = thinned(values, 600)
    assert len(few) == 600
    assert few[0] == pytest.approx(4.5)
    assert few.mean() == pytest.approx(values.mean())


def test_the_level_and_all_names_are_shown_and_escaped():
    series = Series("<b>bold</b>", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "points")
    chart = line_chart([series], Axis.linear(0, 1, "steps & more"), Axis.linear(0, 1, "y"), (0.25, "<i>level</i>"))
    assert isinstance(chart, Markup)
    assert "&lt;b&gt;bold" in chart
    assert "&lt;i&gt;level" in chart
    assert "steps &amp; more" in chart
    assert "<b>" not in chart
    assert 'class="level" x1="0" x2="100" y1="75.00"' in chart


def test_bars_are_as_high_as_their_counts():
    chart = histogram(np.array([1.0, 4.0, 0.0]), np.array([0.0, 1.0, 2.0, 4.0]), Axis.linear(0, 4, "x"))
    heights = [float(height) for height in re.findall(r'class="bar"[^>]* height="([\d.]+)"', chart)]
    assert heights == [25.0, 100.0, 0.0]
    assert re.findall(r'class="bar"[^>]* width="([\d.]+)"', chart) == ["25.00", "25.00", "50.00"]
