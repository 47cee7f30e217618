import numpy as np

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.categories import CategoryBox, draw_categories
from partonic.plots.style import figure_style


def test_values_stand_at_their_categories_and_unknown_ones_are_left_out():
    values = (np.array([0.1, np.nan, 0.3]), np.array([0.01, np.nan, 0.02]))
    boxes = [CategoryBox("efficiency", {"one": values, "two": values}), CategoryBox("level", {"": values}, level=0.2)]
    with figure_style():
        figure = draw_categories(["4", "5", "6"], boxes, "jets", headline=Headline(), columns=3)
        assert figure_files(figure, ["png"])["png"]
    first, second, hidden = figure.axes
    points = [container.lines[0].get_xydata() for container in first.containers]
    np.testing.assert_allclose([row[:, 1] for row in points], [[0.1, 0.3]] * 2)
    assert points[0][0, 0] < points[1][0, 0]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["4", "5", "6"]
    assert second.get_legend() is None
    assert not hidden.get_visible()
