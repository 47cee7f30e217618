import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.statistics.pulls import draw_pulls
from partonic.plots.style import figure_style


def drawn(pulls: dict[str, np.ndarray]):
    with figure_style():
        figure = draw_pulls(pulls, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    return [axes for axes in figure.axes if axes.get_visible()]


def test_normal_pulls_follow_the_curve(rng: np.random.Generator):
    (axes,) = drawn({"a": rng.normal(size=100_000)})
    curve = axes.lines[0]
    points = axes.containers[0].lines[0]
    expected = np.interp(points.get_xdata(), curve.get_xdata(), curve.get_ydata())
    # The outermost bins hold all beyond, and the mean over a bin is not the density at its centre.
    np.testing.assert_allclose(points.get_ydata()[2:-2], expected[2:-2], atol=0.006)
    assert axes.texts[-1].get_text().startswith("a\nmean ")


def test_outliers_are_kept_in_the_outermost_bin():
    (axes,) = drawn({"a": np.array([-100.0, 50.0, 0.1, 0.2])})
    points = axes.containers[0].lines[0].get_xydata()
    assert points[0, 0] < -3.0
    assert points[-1, 0] > 3.0
    width = 8.0 / 12
    assert points[:, 1].sum() * width == pytest.approx(1.0)


@pytest.mark.parametrize("number", [0, 1])
def test_too_few_experiments_have_no_moments(number: int):
    (axes,) = drawn({"a": np.zeros(number)})
    assert axes.texts[-1].get_text() == f"a\n{number} experiments"


def test_boxes_of_several_points(rng: np.random.Generator):
    boxes = drawn({f"a{k}": rng.normal(1.0, 2.0, 400) for k in range(4)})
    assert len(boxes) == 4
    assert sum(bool(axes.get_xlabel()) for axes in boxes) == 3
    mean, width = (float(line.split()[1]) for line in boxes[0].texts[-1].get_text().split("\n")[1:])
    assert mean == pytest.approx(1.0, abs=0.4)
    assert width == pytest.approx(2.0, abs=0.3)
