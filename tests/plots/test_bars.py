import numpy as np

from partonic.plots import Headline, draw_cut_flow, efficiency, figure_style
from partonic.plots.canvas import figure_files


def test_one_bar_a_cut_as_long_as_its_share() -> None:
    left = np.array([1000.0, 400.0, 0.0])
    with figure_style():
        figure = draw_cut_flow(
            ["all", "one lepton", "4 jets"],
            efficiency((left, left), (np.full(3, 1e3), np.full(3, 1e3))),
            headline=Headline(),
        )
        figure_files(figure, ["png"])
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches[:3]] == [1.0, 0.4, 0.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all", "one lepton", "4 jets"]
