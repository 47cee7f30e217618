"""Incremental sampling of autoregressive flows: equal to the flow and to zuko, and exact when rounded."""

import math

import pytest
import torch
import zuko

from partonic.errors import ConfigError
from partonic.nn.flows import ConditionalFlow, FlowShape, incremental, load_zuko_weights
from partonic.nn.flows.incremental import IncrementalSampler

FLOWS = {
    "published": (10, 16, FlowShape(transforms=2, bins=40, hidden=(64, 64))),
    "one number": (1, 3, FlowShape(transforms=2, bins=4, hidden=(8,))),
    "no condition": (4, 0, FlowShape(transforms=3, bins=5, hidden=(16, 16))),
    "one number, no condition": (1, 0, FlowShape(transforms=1, bins=4, hidden=(8,))),
    "layers of different sizes": (5, 2, FlowShape(transforms=3, bins=8, hidden=(33, 7, 21))),
    "fewer units than numbers": (6, 2, FlowShape(transforms=2, bins=8, hidden=(3, 4))),
    "narrow splines": (3, 2, FlowShape(transforms=3, bins=2, hidden=(16,), bound=1.1, base_scale=0.35)),
}


def make_flow(name: str, generator: torch.Generator, sharpness: float = 3.0) -> ConditionalFlow:
    """Return a flow in double precision with weights larger than at the start of training."""
    features, context, shape = FLOWS[name]
    flow = ConditionalFlow(features, context, shape, generator).double().eval()
    with torch.no_grad():
        for weight in flow.parameters():
            weight.mul_(sharpness)
    return flow


def base_numbers(flow: ConditionalFlow, events: int, samples: int, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn((events, samples, flow.features), generator=generator, dtype=torch.float64)
    return noise * flow.config.base_scale


def by_inverse(flow: ConditionalFlow, noise: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rows = context.repeat_interleave(noise.shape[1], dim=0)
    with torch.no_grad():
        x, log_det = flow.inverse(noise.flatten(0, 1), rows)
    return x.view_as(noise), flow.base_log_prob(noise) - log_det.view(noise.shape[:2])


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize(("events", "samples"), [(1, 1), (1, 40), (3, 11), (40, 1)])
def test_equals_inverse_of_flow(name: str, events: int, samples: int, torch_rng: torch.Generator) -> None:
    flow = make_flow(name, torch_rng)
    context = torch.randn((events, flow.context), generator=torch_rng, dtype=torch.float64)
    noise = base_numbers(flow, events, samples, torch_rng)
    noise[0, 0] *= 20.0  # beyond the bound
    x, log_prob = IncrementalSampler(flow).transform(noise, context)
    expected_x, expected_log_prob = by_inverse(flow, noise, context)
    torch.testing.assert_close(x, expected_x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(log_prob, expected_log_prob, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("samples", [1, 150])
def test_equals_zuko(samples: int, torch_rng: torch.Generator) -> None:
    shape = FlowShape(transforms=3, bins=40, hidden=(48, 64))
    flow = ConditionalFlow(10, 16, shape, torch_rng).eval()
    library = zuko.flows.NSF(10, 16, transforms=3, bins=40, hidden_features=(48, 64)).eval()
    with torch.no_grad():
        for weight in library.parameters():
            limit = 1.5 * weight.shape[-1] ** -0.5
            weight.uniform_(-limit, limit, generator=torch_rng)
    load_zuko_weights(flow, library.state_dict())
    context = torch.randn((1, 16), generator=torch_rng)
    noise = torch.randn((1, samples, 10), generator=torch_rng)
    x, log_prob = IncrementalSampler(flow).transform(noise, context)
    with torch.no_grad():
        distribution = library(context[:, None])
        expected = distribution.transform.inv(noise)
        expected_log_prob = distribution.log_prob(expected)
        own_log_prob = flow.log_prob(x[0], context.expand(samples, -1))
    torch.testing.assert_close(x, expected, rtol=0.0, atol=2e-5)
    torch.testing.assert_close(log_prob, expected_log_prob, rtol=0.0, atol=2e-4)
    torch.testing.assert_close(log_prob[0], own_log_prob, rtol=0.0, atol=2e-4)


@pytest.mark.parametrize("most", [1, 7, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_pieces_change_nothing(
    most: int, threads: int, monkeypatch: pytest.MonkeyPatch, seed: int, torch_rng: torch.Generator
) -> None:
    flow = make_flow("layers of different sizes", torch_rng)
    context = torch.randn((4, flow.context), generator=torch_rng, dtype=torch.float64)
    expected = IncrementalSampler(flow).sample_and_log_prob(context, 23, torch.Generator().manual_seed(seed))
    monkeypatch.setattr(incremental, "COLUMNS", {"cpu": most})
    monkeypatch.setattr(incremental, "FEW", 3)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        drawn = IncrementalSampler(flow).sample_and_log_prob(context, 23, torch.Generator().manual_seed(seed))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for found, value in zip(drawn, expected, strict=True):
        torch.testing.assert_close(found, value, rtol=1e-9, atol=1e-9)


def test_samples_at_a_time_are_bounded(monkeypatch: pytest.MonkeyPatch, torch_rng: torch.Generator) -> None:
    flow = make_flow("narrow splines", torch_rng)
    sizes = []

    def record(engine: object, z: torch.Tensor, *arguments: object) -> object:
        sizes.append(len(z))
        return draw(engine, z, *arguments)

    draw = incremental.Engine.draw
    monkeypatch.setattr(incremental.Engine, "draw", record)
    monkeypatch.setattr(incremental, "COLUMNS", {"cpu": 50})
    sampler = IncrementalSampler(flow)
    for events, samples in ((3, 170), (70, 4), (2, 49)):
        context = torch.randn((events, flow.context), generator=torch_rng, dtype=torch.float64)
        sampler.sample_and_log_prob(context, samples, torch_rng)
        assert sum(sizes) == events * samples
        assert max(sizes) <= 50
        sizes.clear()


@pytest.mark.parametrize(("events", "samples"), [(0, 3), (3, 0)])
def test_nothing_to_draw(events: int, samples: int, torch_rng: torch.Generator) -> None:
    flow = make_flow("published", torch_rng)
    context = torch.zeros((events, flow.context), dtype=torch.float64)
    x, log_prob = IncrementalSampler(flow).sample_and_log_prob(context, samples, torch_rng)
    assert x.shape == (events, samples, 10)
    assert log_prob.shape == (events, samples)


@pytest.mark.parametrize("sharpness", [0.7, 1.5])
def test_rounded_density_is_that_of_the_samples(sharpness: float, torch_rng: torch.Generator) -> None:
    """∫ f dx = E[f(x) / q(x)] over the rounded flow's samples, for Gaussian f at several places."""
    flow = make_flow("narrow splines", torch_rng, sharpness).float()
    context = torch.randn((1, 2), generator=torch_rng)
    x, log_prob = IncrementalSampler(flow, "bfloat16").sample_and_log_prob(context, 100_000, torch_rng)
    x, log_prob = x[0].double(), log_prob[0].double()
    with torch.no_grad():
        unrounded = flow.log_prob(x.float(), context.expand(len(x), -1)).double()
    assert (log_prob - unrounded).abs().max() > 1e-3  # rounding matters
    scale = 0.2
    targets = [unrounded]
    for centre in 0.6 * torch.rand((5, 3), generator=torch_rng, dtype=torch.float64) - 0.3:
        normalisation = 3.0 * math.log(scale * math.sqrt(2.0 * math.pi))
        targets.append(-0.5 * ((x - centre) / scale).square().sum(dim=-1) - normalisation)
    for target in targets:
        weight = (target - log_prob).exp()
        error = weight.std() / len(x) ** 0.5
        assert error < 0.03
        assert abs(weight.mean() - 1.0) < 4.0 * error


def test_rounded_samples_are_close(torch_rng: torch.Generator) -> None:
    flow = make_flow("published", torch_rng, 1.5).float()
    context = torch.randn((2, 16), generator=torch_rng)
    noise = base_numbers(flow, 2, 500, torch_rng).float()
    x, log_prob = IncrementalSampler(flow).transform(noise, context)
    rounded_x, rounded_log_prob = IncrementalSampler(flow, "bfloat16").transform(noise, context)
    assert 1e-5 < (rounded_x - x).abs().mean() < 0.01
    assert 1e-4 < (rounded_log_prob - log_prob).abs().mean() < 0.1


def test_later_changes_of_weights_are_not_seen(torch_rng: torch.Generator) -> None:
    flow = make_flow("published", torch_rng)
    context = torch.randn((1, 16), generator=torch_rng, dtype=torch.float64)
    noise = base_numbers(flow, 1, 30, torch_rng)
    sampler = IncrementalSampler(flow)
    before, _ = sampler.transform(noise, context)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.1)
    assert torch.equal(sampler.transform(noise, context)[0], before)
    assert not torch.allclose(IncrementalSampler(flow).transform(noise, context)[0], before)


def test_coupling_flow_is_refused(torch_rng: torch.Generator) -> None:
    flow = ConditionalFlow(4, 2, FlowShape(kind="coupling", transforms=2, hidden=(8,)), torch_rng)
    with pytest.raises(ConfigError, match="autoregressive"):
        IncrementalSampler(flow)
