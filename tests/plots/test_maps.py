import numpy as np
import pytest

from partonic.plots import Axis, Headline, Histogram2D, draw_map, figure_style, save_figure

X, Y = Axis("x", "x", (0.0, 1.0, 2.0)), Axis("y", "y", (0.0, 1.0, 2.0, 3.0))


def test_nothing_is_lost_and_flows_are_shown_in_the_outer_bins(rng: np.random.Generator) -> None:
    histogram = Histogram2D(X, Y)
    assert histogram.is_empty
    x, y, weight = rng.uniform(-1, 3, 500), rng.uniform(-1, 4, 500), rng.normal(1, 1, 500)
    histogram.fill(x, y, weight)
    contents = histogram.contents()
    assert contents.shape == (2, 3)
    assert contents.sum() == pytest.approx(weight.sum(), rel=1e-12)
    corner = weight[(x < 1) & (y < 1)].sum()
    assert contents[0, 0] == pytest.approx(corner, rel=1e-12)


def test_shares_sum_to_one_in_each_bin_of_x() -> None:
    histogram = Histogram2D(X, Y)
    histogram.fill([0.5, 0.5, 0.5], [0.5, 1.5, 1.5], [1.0, 1.0, 2.0])
    shares = histogram.shares_in_x()
    np.testing.assert_allclose(shares[0], [0.25, 0.75, 0.0])
    assert np.isnan(shares[1]).all()


def test_map_is_drawn_with_its_labels(tmp_path, rng: np.random.Generator) -> None:
    histogram = Histogram2D(X, Y)
    histogram.fill(rng.uniform(0, 2, 50), rng.uniform(0, 3, 50), np.ones(50))
    with figure_style():
        figure = draw_map(histogram, histogram.shares_in_x(), "share", headline=Headline(), diagonal=True)
        (path,) = save_figure(figure, tmp_path, "map", ["png"])
    assert figure.axes[0].get_xlabel() == "x"
    assert figure.axes[1].get_ylabel() == "share"
    assert path.stat().st_size > 1000


def test_maps_of_what_has_a_sign_are_white_at_zero() -> None:
    values = np.array([[-1.0, 0.0, 3.0], [np.nan, 2.0, 1.0]])
    with figure_style():
        figure = draw_map(Histogram2D(X, Y), values, "mean", headline=Headline(), signed=True)
    mesh = figure.axes[0].collections[0]
    assert mesh.get_clim() == (-3.0, 3.0)
    assert np.ma.count_masked(mesh.get_array()) == 1
    nothing = np.full((2, 3), np.nan)
    with figure_style():
        draw_map(Histogram2D(X, Y), nothing, "mean", headline=Headline(), signed=True)
