"""What is drawn can be read off the figure again."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from partonic.plots import (
    Axis,
    Curve,
    Headline,
    Histogram2D,
    Panel,
    draw_cut_flow,
    draw_map,
    draw_panels,
    efficiency,
    figure_style,
)
from partonic.plots.figure_data import figure_data
from partonic.plots.statistics.contours import ContourMap, draw_contours

AXIS = Axis("x", "x", (0.0, 1.0, 3.0), "GeV")


def items(figure: Figure, kind: str, panel: int = 0) -> list[dict]:
    data = figure_data(figure)
    json.dumps(data, allow_nan=False)
    return [item for item in data["panels"][panel]["items"] if item["kind"] == kind]


def test_curves_of_panels() -> None:
    steps = Curve("steps", np.array([1.0, 2.0]), below=np.array([0.1, 0.2]))
    points = Curve("points", np.array([3.0, np.nan]), below=np.array([0.5, 0.5]), kind="points")
    line = Curve("line", np.array([1.0, 4.0, 9.0]), x=np.array([1.0, 2.0, 3.0]), kind="line")
    with figure_style():
        figure = draw_panels(AXIS, Panel((steps, points, line), "y", level=1.0), headline=Headline(right="13 TeV"))
    (found,) = items(figure, "steps")
    assert (found["label"], found["edges"], found["values"]) == ("steps", [0.0, 1.0, 3.0], [1.0, 2.0])
    (found,) = items(figure, "points")
    assert (found["label"], found["x"], found["y"]) == ("points", [0.5], [3.0])
    assert (found["y_low"], found["y_high"], found["x_low"], found["x_high"]) == ([2.5], [3.5], [0.0], [1.0])
    (found,) = items(figure, "line")
    assert (found["x"], found["y"]) == ([1.0, 2.0, 3.0], [1.0, 4.0, 9.0])
    assert len(items(figure, "bands")) == 1
    panel = figure_data(figure)["panels"][0]
    assert panel["x"]["title"] == "x [GeV]"
    assert panel["x"]["range"] == [0.0, 3.0]
    assert "13 TeV" in panel["texts"]


def test_maps_without_their_colour_scale() -> None:
    histogram = Histogram2D(AXIS, Axis("y", "y", (0.0, 1.0, 2.0, 4.0)))
    values = np.array([[1.0, 2.0, 3.0], [0.0, 5.0, 6.0]])
    with figure_style():
        figure = draw_map(histogram, values, "share", headline=Headline())
    (found,) = items(figure, "map")
    assert (found["x_edges"], found["y_edges"]) == ([0.0, 1.0, 3.0], [0.0, 1.0, 2.0, 4.0])
    assert found["values"] == [[1.0, None], [2.0, 5.0], [3.0, 6.0]]  # rows of y, as they are drawn
    assert len(figure_data(figure)["panels"]) == 1


def test_contours_are_lines() -> None:
    x = y = np.linspace(-1.0, 1.0, 41)
    q = x[:, None] ** 2 + y**2
    with figure_style():
        contour = ContourMap(("x", "y"), x, y, q, {"68%": 0.25}, (0.0, 0.0), {"truth": (0.1, 0.2)})
        figure = draw_contours(contour, headline=Headline())
    line = next(item for item in items(figure, "contours") if item["levels"] == [0.25])
    radii = np.hypot(*np.array(line["paths"][0][0]).T)
    np.testing.assert_allclose(radii, 0.5, atol=2e-3)
    assert {"x": [0.1], "y": [0.2]}.items() <= items(figure, "points")[-1].items()


def test_bars_and_numbers_of_few_digits() -> None:
    with figure_style():
        figure = draw_cut_flow(
            ["all", "cut"], efficiency(([3.0, 2.0], [3.0, 2.0]), ([3.0, 3.0], [3.0, 3.0])), headline=Headline()
        )
    (bars,) = items(figure, "bars")
    assert bars["x_high"] == [1.0, 0.6666667]


def test_error_bars_without_points() -> None:
    figure = Figure()
    figure.add_subplot().errorbar([1.0, 2.0], [0.0, 0.0], yerr=[[1.0, 1.0], [2.0, 3.0]], fmt="none")
    (found,) = items(figure, "points")
    assert "x" not in found
    assert found["y_high"] == [2.0, 3.0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_json_cannot_hold_is_null(value: float) -> None:
    figure = Figure()
    figure.add_subplot().plot([0.0, 1.0], [1.0, value])
    assert items(figure, "line")[0]["y"] == [1.0, None]


def test_points_without_a_finite_error_have_no_ends() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().errorbar([1.0, 2.0], [1.0, np.nan], yerr=[0.5, np.nan])
    points = next(item for item in figure_data(figure)["panels"][0]["items"] if item["kind"] == "points")
    assert points["y_low"] == [0.5, None]
    assert points["y_high"] == [1.5, None]
