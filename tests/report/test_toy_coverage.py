"""Coverage of intervals from toys on the page."""

from typing import Any

import pytest
from tests.report.records import record

from partonic.plots.canvas import Headline
from partonic.plots.style import figure_style
from partonic.report.toy_coverage import toy_coverage_plots, toy_coverage_tables


def studied(name: str, theta: float, covered: tuple[float, float]) -> dict[str, Any]:
    levels = ("0.68", "0.95")
    return {
        "name": name, "theta": {"c_tG": theta, "kappa_tilde_t": 0.0}, "experiments": 120, "toys": 200,
        "coverage": {level: {"value": value, "error": 0.03} for level, value in zip(levels, covered, strict=True)},
        "threshold": {"0.68": 1.25, "0.95": 4.5},
    }  # fmt: skip


def test_table_and_figure_have_each_parameter_at_each_point() -> None:
    names = ("c_tG", "kappa_tilde_t")
    toys = [studied(name, theta, (0.7, 0.9)) for name in names for theta in (0.0, -0.5)]
    found = record(toy_coverage=toys)
    (table,) = toy_coverage_tables(found)
    assert [row[:2] for row in table.rows] == [
        ("SM", "c_tG [TeV⁻²]"), ("c_tG = −0.5", "c_tG [TeV⁻²]"), ("SM", "kappa_tilde_t"),
        ("c_tG = −0.5", "kappa_tilde_t"),
    ]  # fmt: skip
    assert table.rows[0][2:] == ("120 × 200", "70.0 ± 3.0 %, 1.25", "90.0 ± 3.0 %, 4.50")
    assert "0.99, 3.84" in table.caption
    (plot,) = toy_coverage_plots(found)
    with figure_style():
        figure = plot.draw(Headline())
    assert len(figure.axes) == 4  # two levels of two parameters
    points = [line.get_ydata()[0] for line in figure.axes[0].get_lines() if len(line.get_ydata()) == 2]
    assert points == pytest.approx([0.7, 0.7]) or 0.7 in {round(float(y), 2) for y in points}


def test_nothing_is_shown_of_nothing() -> None:
    assert toy_coverage_tables(record()) == ()
    assert toy_coverage_plots(record()) == ()
