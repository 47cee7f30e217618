from pathlib import Path

import pytest
from matplotlib.colors import to_rgba

from partonic.plots import PALETTE, Headline, figure_style, save_figure
from partonic.plots.figure_data import figure_data
from partonic.plots.statistics.whiskers import Whisker, WhiskerBox, draw_whiskers

ROWS = [
    Whisker(((0.0, 1.0),), ((-1.0, -0.5), (-0.2, 2.0)), 0.5),
    None,
    Whisker((), ((0.0, 3.0),), None, (False, True), 2),
]


def test_every_part_of_an_interval_is_drawn(tmp_path: Path) -> None:
    boxes = [WhiskerBox(r"$\tilde{\kappa}_t$", ROWS, truth=0.7), WhiskerBox("c", [None, ROWS[0], None])]
    with figure_style():
        figure = draw_whiskers(["data", "expected", "rate"], boxes, headline=Headline(), legend=("68%", "95%"))
        (path,) = save_figure(figure, tmp_path, "whiskers", ["png"])
    assert path.stat().st_size > 1000
    first, second = figure_data(figure)["panels"]
    lines = [(item["x"], item["y"][0]) for item in first["items"] if item["kind"] == "line"]
    assert ([-1.0, -0.5], 0.0) in lines
    assert ([-0.2, 2.0], 0.0) in lines
    assert ([0.0, 1.0], 0.0) in lines
    assert ([0.0, 3.0], 2.0) in lines
    points = [item for item in first["items"] if item["kind"] == "points"]
    assert [(item["x"], item["y"]) for item in points] == [([0.5], [0.0]), ([3.0], [2.0])]  # best fit, open end
    assert {item["y"][0] for item in second["items"] if item["kind"] == "line"} == {1.0}
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["data", "expected", "rate"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["68%", "95%", "truth"]
    assert {to_rgba(PALETTE[0]), to_rgba(PALETTE[2])} <= {to_rgba(line.get_color()) for line in axes.lines}
    low, high = axes.get_ylim()
    assert low > high, "the first row is at the top"


def test_bands_of_pulls() -> None:
    rows = [Whisker(((-1.0, 1.0),), (), 0.0)]
    with figure_style():
        figure = draw_whiskers(["μ"], [WhiskerBox("pull", rows, bands=(1.0, 2.0))], headline=Headline())
    low, high = figure.axes[0].get_xlim()
    assert low <= -2.0
    assert high >= 2.0
    assert figure.axes[0].get_legend() is None


@pytest.mark.parametrize("label", ["a", "a method with a name that is long, unbinned", r"$\delta\kappa_\mathrm{t}$"])
def test_labels_stay_within_the_figure(label: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with figure_style():
        figure = draw_whiskers([label], [WhiskerBox("x", [ROWS[0]])], headline=Headline())
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        box = figure.axes[0].get_yticklabels()[0].get_window_extent(canvas.get_renderer())
    assert box.x0 > 0
