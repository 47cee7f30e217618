"""The flow on the unit cube with what is known of events as its only condition."""

import math

import pytest
import torch

from partonic.config.unfolding import FlowConfig
from partonic.nn.flows.cube_flow import CubeFlow

PERIODIC = (1,)
KNOWN = 2


def build(centred: bool = True) -> CubeFlow:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        config = FlowConfig(
            transforms=2, bins=8, hidden=(16,), bound=5.0, base_scale=1.0, data_scale=1.0, centre_azimuths=centred
        )
        flow = CubeFlow(config, 3, PERIODIC, KNOWN)
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
        return flow.eval()


def events(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    centre = torch.rand((n, 3), generator=generator, dtype=torch.float64)
    return centre, torch.randn((n, KNOWN), generator=generator)


def test_density_integrates_to_one(torch_rng: torch.Generator) -> None:
    flow, (centre, known) = build(), events(1, torch_rng)
    points = torch.rand((40_000, 3), generator=torch_rng, dtype=torch.float64)
    flow.fit_scale(points, torch.rand((40_000, 3), generator=torch_rng, dtype=torch.float64))
    with torch.no_grad():
        density = flow.log_density(points, centre.expand(len(points), -1), known.expand(len(points), -1)).exp()
    error = float(density.std()) / math.sqrt(len(points))
    assert error < 0.02
    assert abs(float(density.mean()) - 1.0) < 4.0 * error


def test_condition_is_what_is_known(torch_rng: torch.Generator) -> None:
    centre, known = events(4, torch_rng)
    assert build().context(centre, known) is known


@pytest.mark.parametrize("centred", [True, False])
def test_only_centres_of_periodic_numbers_matter(centred: bool, torch_rng: torch.Generator) -> None:
    flow, (centre, known) = build(centred), events(50, torch_rng)
    numbers, moved, other = (
        torch.rand((50, 3), generator=torch_rng, dtype=torch.float64),
        centre.clone(),
        centre.clone(),
    )
    moved[:, 1] = torch.remainder(moved[:, 1] + 0.3, 1.0)
    other[:, [0, 2]] = 0.1
    with torch.no_grad():
        density, there, same = (flow.log_density(numbers, place, known) for place in (centre, moved, other))
    assert torch.equal(density, same)
    assert torch.equal(density, there) is not centred


def test_base_scale_is_that_of_the_flow(torch_rng: torch.Generator) -> None:
    flow, (centre, known) = build(), events(3000, torch_rng)
    numbers, _ = flow.sample(centre, known, 1, torch_rng)
    assert flow.fit_base_scale(numbers[:, 0], centre, known) == pytest.approx(1.0, abs=0.04)
    assert flow.base_scale == flow.flow.config.base_scale
