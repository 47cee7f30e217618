"""The flow of all channels: densities that are those of its points, normalised, and another one for each channel."""

import pytest
import torch

from partonic.generation.channels.flow import ChannelFlow, ChannelFlowShape

SHAPE = ChannelFlowShape(dimensions=3, channels=2, layers=3, units=16, bins=6, harmonics=2)


@pytest.fixture
def flow(torch_rng: torch.Generator) -> ChannelFlow:
    """A flow that is far from uniform."""
    made = ChannelFlow(SHAPE)
    for parameter in made.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=torch_rng, dtype=parameter.dtype)
    return made


def test_starts_uniform(torch_rng: torch.Generator) -> None:
    channels = torch.randint(2, (100,), generator=torch_rng)
    assert float(ChannelFlow(SHAPE).sample(channels, torch_rng)[1].abs().max()) < 1e-9


def test_drawn_density_is_the_evaluated_one(flow: ChannelFlow, torch_rng: torch.Generator) -> None:
    channels = torch.randint(2, (3000,), generator=torch_rng)
    points, log_density = flow.sample(channels, torch_rng)
    assert float(log_density.std()) > 0.5
    torch.testing.assert_close(flow.log_density(points, channels).detach(), log_density, rtol=1e-7, atol=1e-7)
    single = flow.to(torch.float32).log_density(points, channels).detach().to(torch.float64)
    assert float((single - log_density).abs().median()) < 1e-4


@pytest.mark.parametrize("channel", [0, 1])
def test_density_of_each_channel_is_normalised(channel: int, flow: ChannelFlow, torch_rng: torch.Generator) -> None:
    uniform = torch.rand((200_000, 3), generator=torch_rng, dtype=torch.float64)
    density = flow.log_density(uniform, torch.full((len(uniform),), channel)).detach().exp()
    error = float(density.std()) / len(density) ** 0.5
    assert error < 0.03
    assert abs(float(density.mean()) - 1.0) < 5 * error


def test_channels_differ(flow: ChannelFlow, torch_rng: torch.Generator) -> None:
    points = torch.rand((100, 3), generator=torch_rng, dtype=torch.float64)
    first, second = (flow.log_density(points, torch.full((100,), channel)).detach() for channel in (0, 1))
    assert float((first - second).abs().max()) > 0.1


def test_points_come_from_the_generator_only(flow: ChannelFlow) -> None:
    before = torch.random.get_rng_state()
    channels = torch.zeros(50, dtype=torch.int64)
    first, _ = flow.sample(channels, torch.Generator().manual_seed(3))
    second, _ = flow.sample(channels, torch.Generator().manual_seed(3))
    ChannelFlow(SHAPE)
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)
