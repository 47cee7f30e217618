"""Observables of W±Z: closed forms, symmetries, and the interference that azimuths bring back."""

import math
from collections.abc import Callable

import pytest
import torch

from partonic.physics.fourvector import mass
from partonic.physics.phasespace.twobody import decay
from partonic.processes.wz.amplitude import WZAmplitude
from partonic.processes.wz.observables import transverse_mass, wz_observables

AMPLITUDE = WZAmplitude((2, -1, -11, 12, 13, -13))
W_MASS, Z_MASS = AMPLITUDE.couplings.scheme.w_mass, AMPLITUDE.couplings.scheme.z_mass
Scattering = Callable[..., torch.Tensor]


@pytest.fixture
def leptons(scattering: Scattering, torch_rng: torch.Generator) -> Callable[[float, int], torch.Tensor]:
    """Return beams, ℓ_W, ν, ℓ⁻, ℓ⁺ from W and Z at the peaks of their resonances, decayed isotropically."""

    def sample(energy: float, points: int) -> torch.Tensor:
        momenta = scattering((W_MASS, Z_MASS), energy, points)
        numbers = torch.rand(2, points, 2, generator=torch_rng, dtype=torch.float64)
        pairs = [decay(momenta[:, 2 + k], 0.0, 0.0, numbers[k])[:2] for k in (0, 1)]
        return torch.cat([momenta[:, :2], torch.stack([*pairs[0], *pairs[1]], dim=1)], dim=1)

    return sample


def values(final: torch.Tensor, decayed: bool = True) -> dict[str, torch.Tensor]:
    pdg = torch.zeros(final.shape[:2], dtype=torch.int64)
    return {each.name: each.of(final, pdg) for each in wz_observables(decayed=decayed)}


def test_values_of_one_event() -> None:
    """Z along x, W along −x, at rest together; leptons at right angles to their bosons and along them."""
    half = 250.0
    p = torch.tensor(
        [[[half, -half, 0, 0], [50.0, 0, 50.0, 0], [half, half, 0, 0], [50.0, 0, -50.0, 0]]], dtype=torch.float64
    )
    found = values(p)
    assert found["pt_Z"].item() == pytest.approx(math.hypot(250.0, 50.0))
    assert found["mass_Z"].item() == pytest.approx(mass(p[0, 2] + p[0, 3]).item())
    assert found["mass_WZ"].item() == pytest.approx(600.0)
    assert found["transverse_mass_WZ"].item() == pytest.approx(600.0)
    assert transverse_mass(p).item() == pytest.approx(600.0)


def test_transverse_mass_is_below_the_mass(leptons: Callable[[float, int], torch.Tensor]) -> None:
    final = leptons(600.0, 500)[:, 2:]
    assert (transverse_mass(final) <= mass(final.sum(dim=1)) * (1 + 1e-12)).all()


def boosted(p: torch.Tensor, rapidity: float) -> torch.Tensor:
    cosh, sinh = math.cosh(rapidity), math.sinh(rapidity)
    along = cosh * p[..., 3] + sinh * p[..., 0]
    return torch.stack([cosh * p[..., 0] + sinh * p[..., 3], p[..., 1], p[..., 2], along], dim=-1)


def test_rotation_about_the_beam_and_boost_along_it(leptons: Callable[[float, int], torch.Tensor]) -> None:
    final = boosted(leptons(600.0, 200)[:, 2:], 0.2)  # the direction of the whole is the axis
    cos, sin = math.cos(0.7), math.sin(0.7)
    x, y = cos * final[..., 1] - sin * final[..., 2], sin * final[..., 1] + cos * final[..., 2]
    here = values(final)
    for moved in (torch.stack([final[..., 0], x, y, final[..., 3]], dim=-1), boosted(final, 0.5)):
        there = values(moved)
        for name in here:
            torch.testing.assert_close(there[name], here[name], rtol=1e-8, atol=1e-8)


def test_polar_angle_of_isotropic_decays_is_uniform(leptons: Callable[[float, int], torch.Tensor]) -> None:
    found = values(leptons(500.0, 20_000)[:, 2:])
    for name in ("cos_theta_W", "cos_theta_Z"):
        assert abs(found[name].mean().item()) < 4 / math.sqrt(3 * 20_000)
        assert found[name].square().mean().item() == pytest.approx(1 / 3, abs=4 * math.sqrt(4 / 45 / 20_000))
    for name in ("phi_W", "phi_Z"):
        assert abs(torch.cos(found[name]).mean().item()) < 4 / math.sqrt(2 * 20_000)


def test_of_bosons_on_their_mass_shells(scattering: Scattering) -> None:
    final = scattering((W_MASS, Z_MASS), 500.0, 100)[:, 2:]
    found = values(final, decayed=False)
    torch.testing.assert_close(found["mass_WZ"], torch.full((100,), 500.0, dtype=torch.float64))
    torch.testing.assert_close(found["pt_Z"], final[:, 1, 1:3].norm(dim=1))
    torch.testing.assert_close(found["cos_theta_WZ"].abs(), (final[:, 1, 3] / final[:, 1, 1:].norm(dim=1)).abs())


def test_azimuths_show_the_interference_of_c_www(leptons: Callable[[float, int], torch.Tensor]) -> None:
    """Relative to the Standard Model the mean does not grow, that times cos 2φ grows as ŝ (arXiv:1708.07823)."""
    index = AMPLITUDE.monomials.names.index("c_WWW")
    sums = {}
    for energy in (1000.0, 4000.0):
        momenta = leptons(energy, 40_000)
        terms = AMPLITUDE.coefficients(momenta, torch.ones(len(momenta), dtype=torch.float64))
        # keep to central scattering, where the Standard Model does not peak
        central = (momenta[:, 2] + momenta[:, 3])[:, 3].abs() < 0.4 * energy
        weight = torch.where(central, terms[:, index] / terms[:, 0][central].mean(), 0.0)
        phases = values(momenta[:, 2:])
        for name in ("phi_W", "phi_Z"):
            moment = 2.0 * weight * torch.cos(2.0 * phases[name])
            sums[energy, name] = moment.mean().item(), moment.std().item() / math.sqrt(len(moment))
        sums[energy, "all"] = weight.mean().item(), weight.std().item() / math.sqrt(len(weight))
    for name in ("phi_W", "phi_Z"):
        (low, low_error), (high, high_error) = sums[1000.0, name], sums[4000.0, name]
        error = high / low * math.hypot(low_error / low, high_error / high)
        assert error < 1.0
        assert high / low == pytest.approx(16.0, abs=3.5 * error + 1.0)  # masses count for 1/16 at 1 TeV
        assert abs(sums[4000.0, "all"][0]) < 0.05 * high
