import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.statistics.contours import COMPACT, USUAL, ContourMap, draw_contours
from partonic.plots.style import figure_style

X, Y = np.linspace(-3.0, 3.0, 31), np.linspace(-2.0, 2.0, 21)


def drawn(q: np.ndarray, points: dict[str, tuple[float, float]] | None = None, size=USUAL):
    contour = ContourMap(("a", "b"), X, Y, q, {"68%": 1.0, "95%": 2.25}, (0.2, 0.0), points or {})
    with figure_style():
        figure = draw_contours(contour, headline=Headline(), size=size)
        assert figure_files(figure, ["png", "pdf"])["png"]
    return figure.axes[0]


def test_regions_have_the_size_of_the_levels_and_the_axes_are_not_exchanged():
    axes = drawn(X[:, None] ** 2 + 4 * Y[None, :] ** 2)
    edges = axes.collections[-1].get_paths()
    for path, level in zip(edges, (1.0, 2.25), strict=True):
        np.testing.assert_allclose(np.abs(path.vertices[:, 0]).max(), np.sqrt(level), atol=0.01)
        np.testing.assert_allclose(np.abs(path.vertices[:, 1]).max(), np.sqrt(level) / 2, atol=0.01)


@pytest.mark.parametrize("size", [USUAL, COMPACT])
def test_points_are_in_the_legend_which_is_above_the_regions(size):
    points = {"truth": (1.0, 1.0), "SM": (0.0, 0.0), "far": (0.0, 2.5)}
    axes = drawn(0.1 * (X[:, None] ** 2 + Y[None, :] ** 2), points, size)
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["68%", "95%", "best fit", "truth", "SM"]
    assert axes.transData.transform((0.0, Y[-1]))[1] < legend.get_window_extent().ymin
    places = {line.get_label(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines}
    assert places["best fit"] == (0.2, 0.0)
    assert places["truth"] == (1.0, 1.0)


def test_a_point_that_lies_below_the_best_fit_is_within_the_region():
    q = X[:, None] ** 2 + 4 * Y[None, :] ** 2
    q[15, 10] = -0.05
    assert len(drawn(q).collections[-1].get_paths()) == 2
