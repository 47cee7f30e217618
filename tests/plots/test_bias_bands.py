import numpy as np

from partonic.plots.bias_bands import BiasTitles, draw_bias_bands
from partonic.plots.canvas import Headline, figure_files
from partonic.plots.style import figure_style
from partonic.unfolding.quality.bias import binned_bias

TITLES = BiasTitles("true x [GeV]", "bias")


def test_median_and_band_are_drawn_where_they_are(rng: np.random.Generator):
    truth = rng.uniform(0.0, 100.0, 2000)
    bias = binned_bias(truth, np.where(truth < 50.0, 0.5, 0.0) + 0.1 * rng.normal(size=2000), (0.0, 50.0, 100.0, 200.0))
    with figure_style():
        figure = draw_bias_bands({"a": bias, "b": bias}, TITLES, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
        axes = figure.axes[0]
        points = axes.containers[0].lines[0].get_xydata()
    np.testing.assert_allclose(points[:, 0], [25.0, 75.0])
    np.testing.assert_allclose(points[:, 1], [0.5, 0.0], atol=0.03)
    assert [text.get_text() for text in axes.texts][-1] == "a"
    assert axes.get_xlabel() == "true x [GeV]"
    assert len(figure.axes) == 2
    low, high = axes.get_ylim()
    assert low < -0.5 < 0.6 < high


def test_bias_without_any_defined_bin_is_an_empty_box():
    bias = binned_bias(np.zeros(3), np.zeros(3), (0.0, 1.0))
    with figure_style():
        figure = draw_bias_bands({"": bias}, TITLES, headline=Headline())
        assert figure_files(figure, ["pdf"])["pdf"].startswith(b"%PDF")
