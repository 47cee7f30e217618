"""The symmetry about the beam: found in a process, and taken out of the sampling without a Jacobian."""

from dataclasses import dataclass

import torch
from tests.generation.toy_process import ToyProcess, density

from partonic.generation.azimuth import AzimuthalSampler, azimuthal_numbers, relative_integrand
from partonic.generation.integrand import ProcessIntegrand
from partonic.generation.vegas import VegasSampler
from partonic.physics.process import PartonEvents

SM = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def test_azimuths_are_found(process: ToyProcess) -> None:
    assert azimuthal_numbers(ProcessIntegrand(process, SM), 1) == (4, 6)


@dataclass(frozen=True)
class Polarised(ToyProcess):
    """A matrix element that knows the x axis."""

    def coefficients(self, events: PartonEvents) -> torch.Tensor:
        direction = events.momenta[:, 0, 1] / events.momenta[:, 0, 0]
        return super().coefficients(events) * (1.0 + 0.5 * direction)[:, None]


def test_process_without_the_symmetry_has_no_azimuths() -> None:
    assert azimuthal_numbers(ProcessIntegrand(Polarised(), SM), 1) == ()


def test_relative_integrand_is_the_integrand_at_every_angle(process: ToyProcess, torch_rng: torch.Generator) -> None:
    integrand = ProcessIntegrand(process, SM)
    points, _ = AzimuthalSampler(VegasSampler.uniform(6, 4), (4, 6)).sample(100, torch_rng)
    others = points[:, [0, 1, 2, 3, 5, 6]].clone()
    others[:, 5] = torch.remainder(points[:, 6] - points[:, 4], 1.0)
    torch.testing.assert_close(relative_integrand(integrand, (4, 6))(others), integrand(points), rtol=1e-9, atol=0)


def test_integrand_is_the_closed_form(process: ToyProcess, torch_rng: torch.Generator) -> None:
    points = torch.rand((500, 7), generator=torch_rng, dtype=torch.float64)
    expected = density(points) * (2.25 + 1.0 - points[:, 3])
    torch.testing.assert_close(ProcessIntegrand(process, SM)(points), expected, rtol=1e-7, atol=0)


def test_turned_sampler_knows_its_density(torch_rng: torch.Generator) -> None:
    edges = torch.linspace(0.0, 1.0, 6, dtype=torch.float64).pow(2).expand(2, -1).clone()
    sampler = AzimuthalSampler(VegasSampler(edges), (0, 2))
    points, log_density = sampler.sample(500, torch_rng)
    assert sampler.dimensions == 3
    torch.testing.assert_close(sampler.log_density(points), log_density, rtol=1e-12, atol=1e-12)
    assert bool(((points >= 0) & (points < 1)).all())
