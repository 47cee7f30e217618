import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.statistics.likelihood_curve import Crossing, LikelihoodCurve, draw_likelihood_curve
from partonic.plots.style import figure_style

X = np.linspace(-3.0, 3.0, 31)


def drawn(**changes: object):
    options = {
        "title": "x", "values": X, "profile": X**2, "best": 0.0,
        "crossings": [Crossing("68%", 1.0, [(-1.0, 1.0)]), Crossing("95%", 3.84, [(-1.96, 1.96)])],
    }  # fmt: skip
    with figure_style():
        figure = draw_likelihood_curve(LikelihoodCurve(**(options | changes)), headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    return figure.axes[0]


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_curves_levels_and_points_are_drawn_where_they_are():
    axes = drawn(truth=0.5, band=0.2 * np.abs(X), band_label="error", others={"others fixed": (X, 2 * X**2)})
    assert labels(axes) == ["profile", "error", "others fixed", "best fit", "truth"]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["profile"].get_ydata(), X**2)
    assert lines["truth"].get_xdata() == [0.5, 0.5]
    assert [text.get_text() for text in axes.texts][-2:] == ["68%", "95%"]
    ends = sorted(line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) in ([0.0, 1.0], [0.0, 3.84]))
    assert ends[:1] + ends[-1:] == [-1.96, 1.96]
    assert axes.get_xlim() == (-3.0, 3.0)


def test_what_is_not_known_is_not_in_the_legend():
    assert labels(drawn()) == ["profile", "best fit"]


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
def test_curves_end_below_the_legend_and_above_the_levels(factor: float):
    axes = drawn(profile=factor * X**2, truth=0.0, others={f"other {k}": (X, 50 * X**2) for k in range(4)})
    bottom = axes.get_legend().get_window_extent().ymin
    for line in axes.lines:
        if len(line.get_xdata()) > 2:
            top = line.get_clip_box().ymax
            assert axes.transData.transform((0.0, 3.84))[1] < top < bottom
