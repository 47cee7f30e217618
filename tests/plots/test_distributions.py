import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.distributions import Distribution, draw_distributions
from partonic.plots.style import figure_style


def drawn(*boxes: Distribution):
    with figure_style():
        figure = draw_distributions(boxes, "events", headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    return figure


def legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_boxes_tell_the_median_and_what_they_leave_out(rng: np.random.Generator):
    values = np.concatenate([rng.lognormal(0.0, 1.0, 999), [0.0, np.nan]])
    figure = drawn(
        Distribution("share", {"": values}, logarithmic=True, marks={"limit": 2.0}),
        Distribution("points", {"a": np.full(5, 4000.0), "b": np.arange(10.0) - 5}),
    )
    first, second = figure.axes
    assert first.get_xscale() == "log"
    assert legend(first) == [f"median {np.median(values[:999]):.3g}", "limit"]
    assert [text.get_text() for text in first.texts][-1] == "0.10% not > 0"
    assert legend(second) == ["a, median 4,000", "b, median −0.5"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["share", "points"]


def test_all_numbers_are_in_a_bin_even_tiny_ones(rng: np.random.Generator):
    values = np.append(rng.uniform(0.1, 0.9, 5000), 1e-16)
    (axes,) = drawn(Distribution("x", {"": values}, logarithmic=True)).axes
    assert axes.get_xlim()[0] > 1e-3
    assert sum(patch.get_data().values.sum() for patch in axes.patches) == 5001


@pytest.mark.parametrize("values", [np.zeros(0), np.full(3, np.nan)])
@pytest.mark.parametrize("logarithmic", [True, False])
def test_nothing_to_draw_is_an_empty_box(values: np.ndarray, logarithmic: bool):
    (axes,) = drawn(Distribution("x", {"": values}, logarithmic=logarithmic)).axes
    assert legend(axes) == ["none"]


def test_the_legend_is_above_the_data(rng: np.random.Generator):
    box = Distribution("x", {name: rng.normal(size=2000) for name in "abc"}, marks={"limit": 1.0})
    (axes,) = drawn(box).axes
    bottom = axes.get_legend().get_window_extent().ymin
    highest = max(patch.get_data().values.max() for patch in axes.patches)
    assert axes.transData.transform((0.0, highest))[1] < bottom
