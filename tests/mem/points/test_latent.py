"""Base numbers: the densities that they say, how evenly they lie, and what each generator gives."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from partonic.config.mem import BaseConfig, PointsConfig
from partonic.mem.points.fitted_latent import FittedBase
from partonic.mem.points.latent import Base, DefensiveBase, GaussianBase, SobolBase, gaussian_log_density
from partonic.mem.points.unit_cube_points import make_base
from partonic.mem.points.vegas_latent import VegasBase
from partonic.rng import torch_generator

POINTS = PointsConfig(first=1000, maximum=4096)


def generators(events: int, seed: int = 1) -> list[torch.Generator]:
    return [torch_generator(seed, "latent", event) for event in range(events)]


def base_of(kind: str, events: int = 2, dimensions: int = 2, scale: float = 1.3) -> Base:
    return make_base(BaseConfig(kind=kind), POINTS, generators(events), dimensions, scale)


@pytest.mark.parametrize("kind", ["gaussian", "defensive", "fitted", "sobol", "vegas"])
def test_density_is_that_of_the_numbers(kind: str) -> None:
    """E_b[g/b] = 1 for a normalised g, here a Gaussian that is narrower and beside."""
    base = base_of(kind)
    assert isinstance(base, Base)
    if kind in {"vegas", "fitted"}:
        refine(base, lambda noise: gaussian_log_density(noise - 0.5, 0.6))
    noise, log_density = base.draw([0, 1], 4096)
    weights = (gaussian_log_density(noise - 0.4, 0.8) - log_density).exp()
    error = weights.std(dim=1) / math.sqrt(4096)
    assert (error < 0.03).all()
    assert ((weights.mean(dim=1) - 1.0).abs() < 4.0 * error).all()


@pytest.mark.parametrize("kind", ["gaussian", "defensive", "fitted", "sobol", "vegas"])
def test_an_event_draws_from_its_own_generator(kind: str) -> None:
    both = base_of(kind).draw([0, 1], 512).noise
    second = base_of(kind).draw([1], 512).noise
    torch.testing.assert_close(both[1], second[0], rtol=0, atol=0)
    assert (both[0] != both[1]).any(dim=-1).all()
    base = base_of(kind)
    assert (base.draw([0], 512).noise != base.draw([0], 512).noise).any(dim=-1).all(), "later points are new ones"


def test_widths() -> None:
    gaussian = GaussianBase(generators(1), 3, 1.3).draw([0], 20_000).noise
    assert float(gaussian.std()) == pytest.approx(1.3, abs=0.02)
    mixed = DefensiveBase(generators(1), 3, 1.3, 0.25, 2.0).draw([0], 20_000)
    assert float(mixed.noise.var()) == pytest.approx(1.3**2 * (0.75 + 0.25 * 4.0), rel=0.03)
    far = torch.full((1, 1, 3), 9.0, dtype=torch.float64)
    bound = gaussian_log_density(far, 1.3) - math.log(0.25) - gaussian_log_density(far, 2.6)
    assert bound < -10.0, "the weights of tails are bounded by those of the wider Gaussian"


def test_sobol_blocks_are_even_and_their_means_unbiased() -> None:
    """The mean of a smooth function over a block has less than half the error of as many random points."""
    config = BaseConfig(kind="sobol", scramblings=16)
    size = SobolBase.block_size(config, POINTS)
    assert size == 256
    base = SobolBase(generators(1), 4, 1.0, size)
    assert base.block == size
    noise = base.draw([0], 200 * size).noise[0]

    def smooth(numbers: Tensor) -> Tensor:
        return torch.cos(numbers).prod(dim=-1)

    means = smooth(noise).view(200, size).mean(dim=1)
    truth = math.exp(-0.5) ** 4
    error = float(means.std()) / math.sqrt(200)
    assert abs(float(means.mean()) - truth) < 4.0 * error
    random = float(smooth(noise).std()) / math.sqrt(size)
    assert float(means.std()) < 0.5 * random


def refine(base: Base, log_target: Callable[[Tensor], Tensor]) -> list[float]:
    """Refine on a target and return the relative variance of the weights of the first event in each round."""
    variances = []
    for points in (*base.refinements, 4000):
        noise, log_density = base.draw([0, 1], points)
        log_weight = log_target(noise) - log_density
        weights = log_weight.exp()[0]
        variances.append(float(weights.var() / weights.mean().square()))
        base.refine([0, 1], noise, log_weight)
    return variances


def test_vegas_grid_makes_weights_more_equal() -> None:
    config = BaseConfig(kind="vegas", iterations=6, iteration_points=2000, bins=24, damping=0.7)
    base = VegasBase(generators(2), 3, 1.0, config)
    centre = torch.tensor([0.8, -0.5, 0.0], dtype=torch.float64)
    variances = refine(base, lambda noise: gaussian_log_density(noise - centre, 0.5))
    assert variances[-1] < 0.1 * variances[0]
    assert variances[2] < variances[0]
    assert (base.edges.diff(dim=-1) > 0).all()
    torch.testing.assert_close(base.edges[..., [0, -1]], torch.tensor([0.0, 1.0]).double().expand(2, 3, 2))


def test_vegas_event_without_weights_keeps_its_grid() -> None:
    base = VegasBase(generators(2), 3, 1.0, BaseConfig(kind="vegas"))
    before = base.edges.clone()
    noise, _ = base.draw([0, 1], 500)
    weights = gaussian_log_density(noise, 0.5)
    weights[1] = -torch.inf
    base.refine([0, 1], noise, weights)
    torch.testing.assert_close(base.edges[1], before[1], rtol=0, atol=1e-12)
    assert (base.edges[0] != before[0]).any()


def test_fitted_mixture_finds_a_correlated_target() -> None:
    """A displaced, correlated, narrow Gaussian, which no product of grids can follow."""
    config = BaseConfig(kind="fitted", components=1, iterations=4, iteration_points=1500)
    base = FittedBase(generators(2), 3, 1.0, config)
    covariance = 0.3 * torch.eye(3, dtype=torch.float64) + 0.25
    centre = torch.tensor([0.8, -0.5, 0.0], dtype=torch.float64)
    target = torch.distributions.MultivariateNormal(centre, covariance).log_prob
    variances = refine(base, target)
    assert variances[0] > 1.0
    assert variances[-1] < 0.35
    torch.testing.assert_close(base.fitted.mean[0, 0], centre, rtol=0, atol=0.1)
    root = base.fitted.root[0, 0]
    torch.testing.assert_close(root @ root.mT, covariance, rtol=0, atol=0.1)


def two_places(noise: Tensor) -> Tensor:
    """Return the log-density of a narrow Gaussian that is split between two places far from each other."""
    centre = torch.tensor([1.6, -1.2, 0.0, 0.8], dtype=torch.float64)
    both = [gaussian_log_density(noise - side * centre, 0.35) for side in (1.0, -1.0)]
    return torch.logaddexp(math.log(0.7) + both[0], math.log(0.3) + both[1])


def test_two_places_need_two_gaussians() -> None:
    """Of an event that can be read in two ways, one Gaussian between them wastes most points, a mixture few."""
    variances = {}
    for components in (1, 4):
        config = BaseConfig(kind="fitted", components=components, iterations=4, iteration_points=1500)
        variances[components] = refine(FittedBase(generators(2), 4, 1.0, config), two_places)[-1]
    assert variances[1] > 3.0
    assert variances[4] < 0.5


def test_fitted_mixture_of_an_event_without_weights_stays() -> None:
    base = FittedBase(generators(2), 3, 1.3, BaseConfig(kind="fitted"))
    noise, log_density = base.draw([0, 1], 500)
    log_weight = two_places(torch.cat([noise, noise[..., :1]], dim=-1)) - log_density
    log_weight[1] = -torch.inf
    base.refine([0, 1], noise, log_weight)
    assert (base.fitted.mean[1] == 0.0).all()
    torch.testing.assert_close(base.fitted.root[1], 1.3 * torch.eye(3).double().repeat(6, 1, 1))
    assert (base.fitted.mean[0] != 0.0).all()


def test_fit_does_not_depend_on_the_other_events() -> None:
    config = BaseConfig(kind="fitted", iterations=2)
    both, second = (FittedBase(generators(2), 4, 1.0, config) for _ in range(2))
    for base, rows in ((both, [0, 1]), (second, [1])):
        for points in base.refinements:
            noise, log_density = base.draw(rows, points)
            base.refine(rows, noise, two_places(noise) - log_density)
    torch.testing.assert_close(both.fitted.mean[1], second.fitted.mean[1], rtol=0, atol=1e-9)
