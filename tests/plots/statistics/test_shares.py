import numpy as np

from partonic.plots.canvas import Headline
from partonic.plots.statistics.shares import draw_shares
from partonic.plots.style import figure_style


def test_curves_begin_at_nothing_and_end_at_all() -> None:
    x = np.linspace(0.001, 1.0, 1000)
    with figure_style():
        figure = draw_shares({"a": (x, np.sqrt(x))}, titles=("x", "y"), headline=Headline())
    curve, even = figure.axes[0].lines
    np.testing.assert_allclose(curve.get_ydata()[-1], 1.0)
    at = np.interp(0.25, curve.get_xdata(), curve.get_ydata())
    assert abs(at - 0.5) < 0.01
    np.testing.assert_array_equal(even.get_xdata(), even.get_ydata())
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a", "evenly spread"]
