"""Mixtures of Gaussians: densities against torch's own, samples, and the fit to weighted points of a known mixture."""

import math

import pytest
import torch
from torch import Tensor

from partonic.mem.points.gaussian_mixtures import GaussianMixtures, fit_mixtures
from partonic.rng import torch_generator

EVENTS, COMPONENTS, DIMENSIONS = 2, 3, 2
SHARES = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], dtype=torch.float64)


def mixtures() -> GaussianMixtures:
    generator = torch_generator(3, "mixtures")
    shape = (EVENTS, COMPONENTS, DIMENSIONS)
    mean = 2.5 * torch.randn(shape, generator=generator, dtype=torch.float64)
    lower = 0.3 * torch.randn((*shape, DIMENSIONS), generator=generator, dtype=torch.float64).tril(-1)
    return GaussianMixtures(SHARES.log(), mean, lower + 0.5 * torch.eye(DIMENSIONS, dtype=torch.float64))


def peer(given: GaussianMixtures, event: int) -> torch.distributions.MixtureSameFamily:
    shares = torch.distributions.Categorical(given.log_share[event].exp())
    return torch.distributions.MixtureSameFamily(
        shares, torch.distributions.MultivariateNormal(given.mean[event], scale_tril=given.root[event])
    )


def sample(given: GaussianMixtures, points: int) -> Tensor:
    generator = torch_generator(5, "points")
    uniform = torch.rand((EVENTS, points), generator=generator, dtype=torch.float64)
    normal = torch.randn((EVENTS, points, DIMENSIONS), generator=generator, dtype=torch.float64)
    return given.numbers_of(given.components_of(uniform), normal)


def test_density_is_that_of_torch() -> None:
    given = mixtures()
    numbers = sample(given, 50)
    for event in range(EVENTS):
        expected = peer(given, event).log_prob(numbers[event])
        torch.testing.assert_close(given.log_density(numbers)[event], expected)


def test_samples_have_the_moments_of_the_mixture() -> None:
    given, points = mixtures(), 40_000
    numbers = sample(given, points)
    for event in range(EVENTS):
        expected = peer(given, event)
        error = (expected.variance / points).sqrt()
        assert ((numbers[event].mean(dim=0) - expected.mean).abs() < 4.0 * error).all()
        torch.testing.assert_close(numbers[event].var(dim=0), expected.variance, rtol=0.03, atol=0.0)


def test_selection_and_mixing() -> None:
    given = mixtures()
    other = GaussianMixtures.standard(EVENTS, DIMENSIONS, [1.0, 2.0])
    numbers = sample(given, 20)
    mixed = given.mixed_with(other, 0.25)
    expected = torch.logaddexp(math.log(0.75) + given.log_density(numbers), math.log(0.25) + other.log_density(numbers))
    torch.testing.assert_close(mixed.log_density(numbers), expected)
    joined = GaussianMixtures.join([given.select([1]), given.select([0])])
    torch.testing.assert_close(joined.log_density(numbers.flip(0)).flip(0), given.log_density(numbers))
    replaced = given.replace([1], given.select([0]))
    torch.testing.assert_close(replaced.mean[1], given.mean[0])
    torch.testing.assert_close(replaced.mean[0], given.mean[0])


def test_fit_finds_a_known_mixture() -> None:
    """Weighted points of a wide Gaussian tell of the mixture that the weights are of."""
    given, wide, points = mixtures(), 4.0, 60_000
    proposal = GaussianMixtures.standard(EVENTS, DIMENSIONS, [wide])
    numbers = sample_of_standard(wide, points)
    log_weight = given.log_density(numbers) - proposal.log_density(numbers)
    chosen = torch.multinomial(log_weight.exp(), 3, generator=torch_generator(2, "seeds"))
    seeds = torch.stack([numbers[event, chosen[event]] for event in range(EVENTS)])
    found = fit_mixtures(numbers, log_weight, seeds, wide)
    weight = torch.softmax(log_weight, dim=1)
    lost = (weight * (given.log_density(numbers) - found.log_density(numbers))).sum(dim=1)
    assert (lost < 0.03).all(), "the divergence from the true mixture"
    assert (lost > -0.005).all()


def sample_of_standard(scale: float, points: int) -> Tensor:
    generator = torch_generator(7, "wide")
    return scale * torch.randn((EVENTS, points, DIMENSIONS), generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("effective", [1, 3])
def test_few_effective_points_leave_a_density_that_is_wide(effective: int) -> None:
    """A weight that is all there is does not make the mixture a needle at its point."""
    numbers = sample_of_standard(1.0, 500)
    log_weight = torch.full((EVENTS, 500), -40.0, dtype=torch.float64)
    log_weight[:, :effective] = 0.0
    found = fit_mixtures(numbers, log_weight, numbers[:, :4], 1.0)
    widths = (found.root @ found.root.mT).diagonal(dim1=-2, dim2=-1).sqrt()
    assert (widths > 0.2).all()
    assert found.log_share.exp().sum(dim=1).tolist() == pytest.approx([1.0, 1.0])
