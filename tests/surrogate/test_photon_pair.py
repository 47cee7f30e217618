"""Photons of H as residuals: exact inverses, and without residuals the mass of H."""

import torch
from tests.surrogate.toys import LAYOUTS, toy_events

from partonic.rng import torch_generator
from partonic.surrogate.photon_pair import photons_of_residuals, residuals_of_photons


def pair(events: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Return residuals, and momenta of H with the directions of the first photon."""
    _, momenta = toy_events(LAYOUTS["photons"], events)
    residuals = torch.randn(events, 4, generator=torch_generator(1, "residuals"), dtype=torch.float64)
    return residuals, momenta[:, 0]


def direction(higgs: torch.Tensor) -> torch.Tensor:
    pt = higgs[:, 1:3].norm(dim=1)
    return torch.stack([torch.asinh(higgs[:, 3] / pt) + 0.15, torch.atan2(higgs[:, 2], higgs[:, 1]) - 0.1], dim=1)


def mass(photons: torch.Tensor) -> torch.Tensor:
    pt, eta, phi = photons.unbind(dim=2)
    momenta = torch.stack([pt * eta.cosh(), pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()], dim=2).sum(dim=1)
    return (momenta[:, 0].square() - momenta[:, 1:].square().sum(dim=1)).sqrt()


def test_without_residuals_the_mass_is_that_of_higgs() -> None:
    residuals, higgs = pair()
    photons = photons_of_residuals(torch.zeros_like(residuals), direction(higgs), higgs)
    torch.testing.assert_close(mass(photons), torch.full((300,), 125.0).double(), rtol=1e-9, atol=0)


def test_inverse() -> None:
    residuals, higgs = pair()
    photons = photons_of_residuals(residuals, direction(higgs), higgs)
    torch.testing.assert_close(residuals_of_photons(photons, higgs), residuals, rtol=1e-7, atol=1e-7)


def test_the_mass_is_a_number_by_itself() -> None:
    """1% more of it, whatever pT of the first photon and the direction of the second are."""
    residuals, higgs = pair()
    residuals[:, 1] = torch.asinh(torch.tensor(0.01 / 0.01))
    ratio = mass(photons_of_residuals(residuals, direction(higgs), higgs)) / 125.0
    torch.testing.assert_close(ratio, torch.full((300,), 0.01).double().exp(), rtol=1e-6, atol=0)


def test_photons_of_the_decay_add_up_to_higgs() -> None:
    residuals, higgs = pair()
    pt, eta, phi = photons_of_residuals(torch.zeros_like(residuals), direction(higgs), higgs).unbind(dim=2)
    total = torch.stack([pt * eta.cosh(), pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()], dim=2).sum(dim=1)
    torch.testing.assert_close(total, higgs, rtol=1e-9, atol=1e-6)
