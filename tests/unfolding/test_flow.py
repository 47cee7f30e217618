"""The unfolding flow: a normalised density on the unit cube, the same for samples and for given points."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from partonic.config.unfolding import FlowConfig
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.flow import UnfoldingFlow
from partonic.unfolding.view import PartonView

VIEW = PartonView.of("hard", TthConfig())
LATENT = 3


@pytest.fixture(params=["autoregressive", "coupling"])
def flow(request: pytest.FixtureRequest) -> Iterator[UnfoldingFlow]:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = FlowConfig(
            kind=request.param, transforms=3, bins=8, hidden=(24, 24), bound=5.0, base_scale=1.0, data_scale=1.0
        )
        built = UnfoldingFlow(config, VIEW, LATENT)
        with torch.no_grad():
            for parameter in built.flow.parameters():
                parameter.add_(0.08 * torch.randn_like(parameter))
        numbers = torch.rand((4000, VIEW.dimensions), dtype=torch.float64)
        built.fit_scales(numbers, torch.rand((4000, VIEW.dimensions), dtype=torch.float64))
        yield built.eval()


def conditions(events: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    regressed = torch.rand((events, VIEW.dimensions), generator=generator, dtype=torch.float64)
    return regressed, torch.randn((events, LATENT), generator=generator)


def test_log_density_integrates_to_one(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    """∫ q du over the cube for one condition, by uniform points; D = 7."""
    regressed, latent = conditions(1, torch_rng)
    points = torch.rand((150_000, VIEW.dimensions), generator=torch_rng, dtype=torch.float64)
    with torch.no_grad():
        density = flow.log_density(points, regressed.expand(len(points), -1), latent.expand(len(points), -1)).exp()
    error = float(density.std()) / math.sqrt(len(points))
    assert error < 0.03
    assert abs(float(density.mean()) - 1.0) < 4.0 * error


def test_samples_carry_their_density(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    regressed, latent = conditions(5, torch_rng)
    numbers, log_density = flow.sample(regressed, latent, 40, torch_rng)
    assert bool(((numbers >= 0.0) & (numbers <= 1.0)).all())
    with torch.no_grad():
        again = flow.log_density(
            numbers.flatten(0, 1), regressed.repeat_interleave(40, 0), latent.repeat_interleave(40, 0)
        )
    torch.testing.assert_close(log_density.flatten(), again, rtol=0.0, atol=2e-3)


def test_azimuths_turn_with_the_regressed_ones(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    """Only the distance of an azimuth to the regressed one counts: no break at 0 = 2π."""
    regressed, _ = conditions(50, torch_rng)
    numbers = torch.rand((50, VIEW.dimensions), generator=torch_rng, dtype=torch.float64)
    shift = torch.zeros_like(numbers)
    shift[:, list(VIEW.azimuth_numbers)] = torch.rand((50, 2), generator=torch_rng, dtype=torch.float64)
    centred = flow._centre(numbers, regressed)
    turned = flow._centre(torch.remainder(numbers + shift, 1.0), torch.remainder(regressed + shift, 1.0))
    difference = torch.remainder(turned - centred + 0.5, 1.0) - 0.5
    assert difference.abs().max() < 1e-12
    torch.testing.assert_close(flow._uncentre(centred, regressed), numbers, rtol=0.0, atol=1e-12)


def test_reparametrised_samples_reach_the_conditions(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    regressed, latent = conditions(8, torch_rng)
    latent.requires_grad_()
    events, _ = VIEW.partons(flow.rsample(regressed, latent, torch_rng))
    events.momenta.square().mean().backward()
    assert latent.grad is not None
    assert bool(latent.grad.isfinite().all())
    assert float(latent.grad.abs().max()) > 0.0


def test_faces_of_the_cube_have_finite_density(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    regressed, latent = conditions(2, torch_rng)
    corners = torch.stack([torch.zeros(VIEW.dimensions), torch.ones(VIEW.dimensions)]).double()
    assert bool(flow.log_density(corners, regressed, latent).isfinite().all())


def test_same_seed_same_samples(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    regressed, latent = conditions(3, torch_rng)
    first, second = (flow.sample(regressed, latent, 10, torch.Generator().manual_seed(9)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_base_scale_is_that_of_the_events(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    """Events drawn with a base wider by 10% call for a base wider by 10%; the density then stays normalised to them."""
    regressed, latent = conditions(4000, torch_rng)
    flow.flow.config = replace(flow.flow.config, base_scale=1.1)
    numbers = flow.sample(regressed, latent, 1, torch_rng)[0][:, 0]
    with torch.no_grad():
        right = flow.log_density(numbers, regressed, latent).mean()
        flow.flow.config = replace(flow.flow.config, base_scale=1.0)
        narrow = flow.log_density(numbers, regressed, latent).mean()
    # 28,000 normal numbers give a standard deviation to 0.4%; the distance of distributions to less than twice that
    assert flow.fit_base_scale(numbers, regressed, latent) == pytest.approx(1.1, abs=0.03)
    with torch.no_grad():
        fitted = flow.log_density(numbers, regressed, latent).mean()
    assert narrow < fitted
    assert float(fitted - right) == pytest.approx(0.0, abs=0.02)


def test_transport_is_the_sampling_with_the_base_left_open(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    """The same noise gives the same numbers, and base density plus Jacobian is the density."""
    regressed, latent = conditions(6, torch_rng)
    noise = torch.randn((6, 500, VIEW.dimensions), generator=torch_rng)
    numbers, log_slope = flow.transport(regressed, latent, noise)
    log_density = flow.flow.base_log_prob(noise).double() + log_slope
    evaluated = flow.log_density(
        numbers.flatten(0, 1), regressed.repeat_interleave(500, dim=0), latent.repeat_interleave(500, dim=0)
    ).view(6, 500)
    inside = log_slope.isfinite()
    assert inside.double().mean() > 0.99
    torch.testing.assert_close(log_density[inside], evaluated[inside], rtol=0, atol=2e-3)


def test_base_numbers_beyond_the_faces_have_no_weight(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    """A wide base throws points beyond the faces: ∫ over the rest of 1/q is still the volume of the cube."""
    regressed, latent = conditions(1, torch_rng)
    scale, n = 1.5, 150_000
    noise = scale * torch.randn((1, n, VIEW.dimensions), generator=torch_rng)
    numbers, log_slope = flow.transport(regressed, latent, noise)
    assert (log_slope == torch.inf).double().mean() > 1e-4
    assert ((numbers >= 0.0) & (numbers <= 1.0)).all()
    log_base = -0.5 * (noise / scale).double().square().sum(dim=-1)
    log_base = log_base - VIEW.dimensions * (math.log(scale) + 0.5 * math.log(2.0 * math.pi))
    test_function = (30.0 * (numbers * (1.0 - numbers)).square()).prod(dim=-1)  # integrates to 1
    weights = (test_function.log() - log_base - log_slope).exp()
    error = float(weights.std()) / math.sqrt(n)
    assert error < 0.08
    assert abs(float(weights.mean()) - 1.0) < 4.0 * error


def test_nan_of_the_conditions_is_not_taken_for_beyond(flow: UnfoldingFlow, torch_rng: torch.Generator) -> None:
    regressed, latent = conditions(1, torch_rng)
    noise = torch.randn((1, 8, VIEW.dimensions), generator=torch_rng)
    _, log_slope = flow.transport(regressed, torch.full_like(latent, torch.nan), noise)
    assert log_slope.isnan().any()
    assert not log_slope.isinf().any()
