import numpy as np

from partonic.classify.roc import roc_curve
from partonic.plots.canvas import Headline, figure_files
from partonic.plots.roc import draw_roc_curves
from partonic.plots.style import figure_style


def test_curves_start_and_end_in_the_corners(rng: np.random.Generator):
    samples = [(rng.normal(shift, 1.0, 500), np.ones(500)) for shift in (1.0, 0.0)]
    curve = roc_curve("good", *samples, rng)
    useless = roc_curve("useless", (np.zeros(9), np.ones(9)), (np.zeros(5), np.ones(5)), rng)
    with figure_style():
        figure = draw_roc_curves([curve, useless], ("tth", "ttbb"), headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("efficiency of ttbb", "efficiency of tth")
    diagonal, good, flat = axes.lines
    for line in (diagonal, good, flat):
        np.testing.assert_allclose(line.get_xydata()[[0, -1]], [[0.0, 0.0], [1.0, 1.0]])
    area = np.trapezoid(good.get_ydata(), good.get_xdata())
    assert abs(area - curve.auc.value) < 0.005
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        f"good: area {curve.auc}", "useless: area 0.5 ± 0"
    ]  # fmt: skip
