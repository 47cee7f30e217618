import numpy as np

from partonic.plots import Headline, figure_style
from partonic.plots.canvas import figure_files
from partonic.plots.template_bins import draw_template_bins

REGIONS = {"signal": 3, "control": 1}


def test_processes_are_upon_each_other() -> None:
    low, high = np.array([10.0, 5.0, 1.0, 100.0]), np.array([1.0, 2.0, 4.0, 0.0])
    with figure_style():
        figure = draw_template_bins(
            REGIONS, {"background": low, "signal": high}, {"signal at θ*": 3 * high}, low + high, headline=Headline()
        )
        figure_files(figure, ["png"])
    (axes,) = figure.axes
    bars = axes.patches[:8]
    np.testing.assert_allclose([bar.get_height() for bar in bars[:4]], low)
    np.testing.assert_allclose([bar.get_y() for bar in bars[4:]], low)
    np.testing.assert_allclose([bar.get_height() for bar in bars[4:]], high)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "1"]
    assert {"signal", "control"} <= {text.get_text() for text in axes.texts}
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"signal at θ*", "background", "signal", "data"}
    low_edge, high_edge = axes.get_ylim()
    assert 0 < low_edge < 1.0
    assert high_edge > 100.0


def test_empty_bins_are_drawn() -> None:
    nothing = np.zeros(4)
    with figure_style():
        figure = draw_template_bins(REGIONS, {"signal": nothing}, {}, nothing, headline=Headline())
        figure_files(figure, ["png"])
    assert figure.axes[0].get_ylim()[0] > 0
