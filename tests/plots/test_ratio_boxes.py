"""Boxes of ratios around 1."""

import numpy as np
import pytest

from partonic.plots.canvas import Headline
from partonic.plots.ratio_boxes import RatioBox, draw_ratio_boxes


@pytest.mark.parametrize("number", [1, 4])
def test_one_box_for_each_observable(number):
    x = np.arange(5.0)
    ratio = np.array([1.0, 1.1, 0.9, 1.02, 0.97])
    boxes = {f"f{i}": RatioBox(x + i, ratio, np.full(5, 0.02), "note") for i in range(number)}
    figure = draw_ratio_boxes(boxes, "learned / true", headline=Headline())
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == number
    low, high = shown[0].get_ylim()
    assert low < 0.88
    assert high > 1.12, "all points with their errors are inside"
    np.testing.assert_allclose(shown[-1].containers[0][0].get_xdata(), x + number - 1)
    assert shown[0].get_ylabel() == "learned / true"


def test_perfect_agreement_can_be_drawn():
    figure = draw_ratio_boxes({"x": RatioBox(np.arange(2.0), np.ones(2), np.zeros(2))}, "r", headline=Headline())
    low, high = figure.axes[0].get_ylim()
    assert low < 1.0 < high
