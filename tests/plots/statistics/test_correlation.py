from pathlib import Path

import numpy as np

from partonic.plots import Headline, figure_style, save_figure
from partonic.plots.statistics.correlation import correlation_of, draw_correlation

COVARIANCE = np.array([[4.0, -3.0, 0.0], [-3.0, 9.0, 0.0], [0.0, 0.0, 0.0]])


def test_correlation_of_a_covariance() -> None:
    found = correlation_of(COVARIANCE)
    np.testing.assert_allclose(found[:2, :2], [[1.0, -0.5], [-0.5, 1.0]])
    assert np.isnan(found[2]).all()


def test_numbers_stand_in_their_cells(tmp_path: Path) -> None:
    with figure_style():
        figure = draw_correlation(["a", "b", "c"], correlation_of(COVARIANCE), headline=Headline())
        (path,) = save_figure(figure, tmp_path, "correlation", ["png"])
    texts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert texts[(1, 0)] == texts[(0, 1)] == "−0.50"
    assert texts[(0, 0)] == "1.00"
    assert texts[(2, 2)] == "–"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]
    low, high = figure.axes[0].get_ylim()
    assert low > high, "the first parameter is at the upper left"
    assert path.stat().st_size > 1000
