import numpy as np
import pytest

from partonic.plots.calibration import draw_coverage, draw_rank_histograms
from partonic.plots.canvas import Headline, figure_files
from partonic.plots.style import PALETTE, figure_style
from partonic.unfolding.quality.ranks import RankTest, rank_test


def some_tests(rng: np.random.Generator, variables: int) -> dict[str, RankTest]:
    """The first variable is far from uniform."""
    ranks = [rng.integers(0, 100, 1000) for _ in range(variables)]
    ranks[0] = np.minimum(ranks[0], 50)
    return {f"x{number}": rank_test(f"x{number}", rank, 99) for number, rank in enumerate(ranks)}


@pytest.mark.parametrize("variables", [1, 4, 7])
def test_variables_that_fail_are_red(rng: np.random.Generator, variables: int):
    tests = some_tests(rng, variables)
    with figure_style():
        figure = draw_rank_histograms(tests, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
        visible = [axes for axes in figure.axes if axes.get_visible()]
        colours = [axes.patches[-1].get_edgecolor() for axes in visible]
        labelled = [bool(axes.get_xlabel()) for axes in visible]
    assert len(visible) == variables
    assert colours[0] != colours[-1] or variables == 1
    assert sum(labelled) == min(variables, 4)
    from matplotlib.colors import to_rgba

    assert colours[0] == to_rgba(PALETTE[2])


def test_coverage_curve_is_the_difference_to_the_level(rng: np.random.Generator):
    tests = some_tests(rng, 2)
    with figure_style():
        figure = draw_coverage(tests, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
        (axes,) = figure.axes
        curve = next(line for line in axes.lines if line.get_label() == "x0")
    levels, values = curve.get_xdata(), curve.get_ydata()
    # All ranks above 50 were moved to 50: at the level of 0.6 all truths are inside.
    assert values[np.searchsorted(levels, 0.6)] == pytest.approx(0.4, abs=0.01)
    assert values[[0, -1]] == pytest.approx([0.0, 0.0])
