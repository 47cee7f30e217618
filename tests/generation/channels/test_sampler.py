"""Draws of all channels: right for every coefficient, whatever was learned, and with no channel left out."""

import math

import pytest
import torch
from tests.generation.channels.toy_channels import DividedToy, SymmetricToy, symmetric_toy
from tests.generation.toy_process import COEFFICIENTS

from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.channels.densities import ChannelDensities, ChannelNetworks
from partonic.generation.channels.flow import ChannelFlowShape
from partonic.generation.channels.sampler import MultiChannelSampler
from partonic.generation.channels.space import channel_spaces, families
from partonic.physics.process import Process

POINTS = 40_000
TARGET = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def networks_of(process: Process, generator: torch.Generator, size: float = 0.05) -> MultiChannelSampler:
    """Return a sampler with random networks."""
    spaces = channel_spaces(process, TARGET, 1)
    dimensions, count = spaces[0].dimensions, len(spaces)
    edges = torch.linspace(0.0, 1.0, 17, dtype=torch.float64).repeat(count, dimensions, 1)
    densities = ChannelDensities(spaces, edges, torch.full((count,), -math.log(count), dtype=torch.float64))
    shape = ChannelFlowShape(dimensions=dimensions, channels=count, layers=2, units=16, bins=6, harmonics=2)
    networks = ChannelNetworks(shape, families(spaces), 0.1, torch.float64)
    for parameter in networks.parameters():
        parameter.data += size * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return MultiChannelSampler(densities, networks, networks.log_shares(), len(process.channels), networks.active)


def pulls(weighted: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    return (weighted.mean(dim=0) - expected) / (weighted.std(dim=0) / len(weighted) ** 0.5)


def test_coefficients_are_those_of_the_closed_form(torch_rng: torch.Generator) -> None:
    sampler = networks_of(DividedToy(), torch_rng)
    drawn = sampler.draw(POINTS, torch_rng)
    total = drawn.weighted.sum(dim=1)
    assert float((total.std(dim=0) / total.mean(dim=0).abs()).max()) / POINTS**0.5 < 0.03
    assert float(pulls(total, torch.tensor(COEFFICIENTS)).abs().max()) < 4.0
    by_channel = pulls(drawn.weighted[:, :, 0], torch.tensor([2.0, 0.5, 0.25]))
    assert float(by_channel.abs().max()) < 4.0


def test_a_map_that_was_trained_away_does_not_bias(torch_rng: torch.Generator) -> None:
    """All weight on a map that gets no points is what goes wrong; the least share of points prevents it."""
    sampler = networks_of(DividedToy(), torch_rng)
    networks = sampler.networks
    assert networks is not None
    networks.share_logits.data.copy_(torch.tensor([-60.0, 0.0, 0.0]))  # no points for the flat map of gg …
    networks.residuals[0].last.bias.data.copy_(torch.tensor([3.0, -3.0]))  # … but nearly all of the weight
    trained = MultiChannelSampler(sampler.densities, networks, networks.log_shares(), 3, networks.active)
    drawn = trained.draw(4 * POINTS, torch_rng)
    assert float((drawn.channel == 0).double().mean()) == pytest.approx(0.1 / 3, rel=0.01)
    total = drawn.weighted.sum(dim=1)
    assert float(total[:, 0].std()) / len(total) ** 0.5 < 0.11  # 4% of the integral
    assert abs(float(pulls(total, torch.tensor(COEFFICIENTS))[0])) < 4.0


def test_a_dropped_map_leaves_its_part_to_the_other(torch_rng: torch.Generator) -> None:
    sampler = networks_of(DividedToy(), torch_rng)
    networks = sampler.networks
    assert networks is not None
    networks.active.copy_(torch.tensor([False, True, True]))
    kept = MultiChannelSampler(sampler.densities, networks, networks.log_shares(), 3, networks.active)
    drawn = kept.draw(POINTS, torch_rng)
    assert set(drawn.channel.tolist()) == {1, 2}
    assert abs(float(pulls(drawn.weighted.sum(dim=1), torch.tensor(COEFFICIENTS))[0])) < 4.0


def test_mirror_images_share_one_channel(torch_rng: torch.Generator) -> None:
    process = symmetric_toy()
    drawn = networks_of(process, torch_rng).draw(POINTS, torch_rng)
    first, second = (drawn.weighted[:, place, 0] for place in (0, 1))
    assert bool(((first > 0) ^ (second > 0)).all())
    assert abs(float(pulls(torch.stack([first, second], dim=1), torch.tensor([2.0, 2.0])).abs().max())) < 4.0
    evaluated = process.channel_coefficients(drawn.events)[:, :, 0]
    ratio = evaluated.gather(1, (second > 0).long()[:, None])[:, 0] / (first + second)
    assert bool((ratio > 0).all())  # the events are those of the channel that they count for


def test_what_is_no_mirror_image_is_refused() -> None:
    broken = SymmetricToy(channels=symmetric_toy().channels, skewed=1.1)
    with pytest.raises(GenerationError, match="exchanged beams"):
        channel_spaces(broken, TARGET, 1)


def test_not_finite_points_are_named(torch_rng: torch.Generator) -> None:
    sampler = networks_of(DividedToy(broken=0.002), torch_rng)
    with pytest.raises(NonFiniteError, match="momenta"):
        sampler.draw(20_000, torch_rng)
    with pytest.raises(NonFiniteError, match="momenta"):
        channel_spaces(DividedToy(broken=0.3), TARGET, 1)


def test_the_grids_alone_are_a_sampler(torch_rng: torch.Generator) -> None:
    sampler = networks_of(DividedToy(), torch_rng)
    alone = MultiChannelSampler(sampler.densities, None, sampler.densities.log_prior_shares, 3, sampler.active)
    total = alone.draw(POINTS, torch_rng).weighted.sum(dim=1)
    assert float(pulls(total, torch.tensor(COEFFICIENTS)).abs().max()) < 4.0
