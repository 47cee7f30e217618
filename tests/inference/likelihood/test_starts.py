import numpy as np
from tests.inference.line_toy import draw, grid, likelihood, mixture

from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.starts import axis_scales, lattice, mirror_images, starting_points


def test_scales_are_two_standard_deviations():
    """At θ = 0 the information on a is 4/3 an event, and the rate adds 2/3 (second order)."""
    function = likelihood(grid(1000))
    scales = axis_scales(function, function.mixture.point())
    assert scales[0] == np.clip(scales[0], 2 / np.sqrt(4000 / 3) / 1.4, 2 / np.sqrt(4000 / 3) * 1.9)
    assert scales[2:].tolist() == [0.0, 0.0]
    # b enters squared: log L falls by 2 at b of order (4/1000)^(1/4)
    assert 0.1 < scales[1] < 1.0


def test_scales_reach_beyond_both_maxima():
    function = likelihood(grid(1000), fitted=("b",))
    pulled = np.array([0.0, 0.3, 1.0, 1.0])
    assert axis_scales(function, pulled)[1] > 0.3


def test_lattice_covers_the_parameters_that_move():
    centre = np.array([1.0, 2.0, 3.0])
    points = lattice(centre, np.array([1.0, 0.0, 2.0]))
    assert points.shape == (25, 3)
    assert set(points[:, 0]) == {0.0, 0.5, 1.0, 1.5, 2.0}
    assert set(points[:, 1]) == {2.0}
    assert lattice(centre, np.array([1.0, 0.0, 2.0]), fine=False).shape == (9, 3)
    assert lattice(np.zeros(5), np.ones(5)).shape == (243, 5)
    many = lattice(np.zeros(8), np.ones(8))
    assert many.shape == (33, 8)
    assert (many[0] == 0).all()


def test_starts_on_either_side():
    function = likelihood(grid(1000))
    centre = mixture().point()
    points = lattice(centre, axis_scales(function, centre))
    starts = starting_points(function, points, centre)
    assert (np.sign(starts[:, 1]) > 0).any()
    assert (np.sign(starts[:, 1]) < 0).any()
    values = function(starts)
    assert values[0] == function(points).max()
    assert (np.diff(values) <= 1e-9).all()


def test_mirror_images_of_nearly_even_densities(rng):
    """b enters squared: the image of the maximum in b is as high, that in a far lower and left out."""
    function = likelihood(draw(rng, 2000, a=0.8, b=0.8))
    best = fit(function, function.mixture.point({"a": 0.8, "b": 0.8}))
    maxima = best.maxima[:1]
    images = mirror_images(function, maxima, best.log_likelihood)
    assert len(images) == 1
    np.testing.assert_allclose(images[0], maxima[0] * np.where(np.array(function.mixture.names) == "b", -1, 1))
