import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.mean_profile import draw_mean_profiles, mean_profile
from partonic.plots.style import figure_style


def test_means_of_a_line_lie_on_it_within_their_errors(rng: np.random.Generator):
    x = rng.normal(size=20_000)
    y = 0.3 + 0.8 * x + rng.normal(0.0, 0.5, x.size)
    weights = rng.uniform(0.5, 1.5, x.size)
    found = mean_profile(x, y, weights, bins=10)
    pulls = (found.mean - 0.3 - 0.8 * found.x) / found.error
    assert len(found.x) == 10
    assert np.all(np.diff(found.x) > 0)
    # Each bin has about 2,000 events of scatter 0.5, besides that of the line within the bin.
    assert np.all((found.error > 0.010) & (found.error < 0.025))
    assert np.abs(pulls).max() < 4.0


def test_bins_hold_equal_weights_and_do_not_split_equal_values(rng: np.random.Generator):
    x = np.repeat([0.0, 1.0, 2.0], 100)
    found = mean_profile(x, 2 * x, np.ones(300), bins=12)
    np.testing.assert_allclose(found.x, [0.0, 1.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(found.mean, [0.0, 2.0, 4.0], atol=1e-12)
    assert found.record()["mean"] == pytest.approx([0.0, 2.0, 4.0])


@pytest.mark.parametrize("number", [1, 5])
def test_every_profile_has_its_box_with_line_and_note(rng: np.random.Generator, number: int):
    x = rng.normal(size=500)
    profile = mean_profile(x, x, np.ones(500), line=(1.0, 0.1), note="slope 1")
    with figure_style():
        figure = draw_mean_profiles({f"x{k}": profile for k in range(number)}, ("x", "mean of y"), headline=Headline())
        assert figure_files(figure, ["png"])["png"]
        visible = [axes for axes in figure.axes if axes.get_visible()]
    assert len(visible) == number
    assert sum(axes.get_xlabel() == "x" for axes in visible) == min(number, 3)
    assert visible[-1].texts[-1].get_text() == f"x{number - 1}\nslope 1"
    diagonal, line = visible[0].lines[:2]
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_allclose(line.get_ydata() - line.get_xdata(), 0.1)
