"""q q̄' → W Z on the mass shell: independent programs, symmetries, and Goldstone bosons."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.amplitudes.wavefunctions import component_first, massive_polarizations
from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.wz.couplings import WZCouplings
from partonic.processes.wz.diagrams import annihilation
from partonic.processes.wz.on_shell import OnShellWZAmplitude, on_shell_amplitudes

SCHEME = ElectroweakScheme(w_width=0.0, z_width=0.0)
MASSES = (SCHEME.w_mass, SCHEME.z_mass)
PLUS = (2, -1, 24, 23)
NAMES = OnShellWZAmplitude(PLUS).monomials.names
SIGNS = {"c_PhiWB": ("cHWB", 1), "c_WWW": ("cW", -1), "c_Phiq3": ("cHq3", 1)}
"""Their names in the reference, whose D = ∂ + i g W turns the sign of c_WWW."""
Scattering = Callable[..., torch.Tensor]


def coefficients(particles: tuple[int, ...], momenta: torch.Tensor) -> torch.Tensor:
    return OnShellWZAmplitude(particles).coefficients(momenta, torch.ones(len(momenta), dtype=torch.float64))


def test_every_coefficient_is_that_of_independent_programs(repository: Path) -> None:
    path = repository / "tests" / "reference" / "electroweak_points.json"
    reference = json.loads(path.read_text(encoding="utf-8"))["processes"]["a_WZ_onshell"]
    found = coefficients(PLUS, torch.tensor(reference["momenta"], dtype=torch.float64))
    expected = {"1": reference["sm"]}
    for ours, (theirs, sign) in SIGNS.items():
        expected[ours] = [sign * value for value in reference["linear"][theirs]]
        expected[f"{ours}^2"] = reference["quadratic"][theirs]
    expected["c_PhiWB*c_WWW"] = [-value for value in reference["cross"]["cW*cHWB"]]
    expected["c_WWW*c_Phiq3"] = [-value for value in reference["cross"]["cW*cHq3"]]
    expected["c_PhiWB*c_Phiq3"] = reference["cross"]["cHWB*cHq3"]
    assert set(expected) == set(NAMES)
    for index, name in enumerate(NAMES):
        torch.testing.assert_close(
            found[:, index], torch.tensor(expected[name], dtype=torch.float64), rtol=1e-10, atol=0, msg=name
        )


def test_symmetries(scattering: Scattering) -> None:
    """Beams exchanged; CP; and the second generation."""
    momenta = scattering(MASSES, 400.0, 100)
    here = coefficients(PLUS, momenta)
    torch.testing.assert_close(coefficients((-1, 2, 24, 23), momenta[:, [1, 0, 2, 3]]), here)
    mirrored = momenta * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close(coefficients((-2, 1, -24, 23), mirrored), here)
    torch.testing.assert_close(coefficients((4, -3, 24, 23), momenta), here)


def test_cross_section_is_positive_at_every_theta(scattering: Scattering, torch_rng: torch.Generator) -> None:
    theta = 10.0 * torch.randn(100, 3, generator=torch_rng, dtype=torch.float64)
    monomials = torch.from_numpy(OnShellWZAmplitude(PLUS).monomials.evaluate(theta.numpy()))
    values = coefficients(PLUS, scattering(MASSES, 600.0, 100)) @ monomials.T
    assert (values > 0).all()


def helicities(momenta: torch.Tensor) -> torch.Tensor:
    """Amplitudes of linear polarisations, 2 is longitudinal: `(4, 3, 3, N)`."""
    ordered = component_first(momenta)
    polarizations = [massive_polarizations(p, mass) for p, mass in zip(ordered[2:], MASSES, strict=True)]
    return on_shell_amplitudes(ordered, *polarizations, WZCouplings(SCHEME))


@pytest.mark.parametrize("energy", [3000.0, 30000.0])
def test_longitudinal_bosons_at_high_energy_are_goldstone_bosons(scattering: Scattering, energy: float) -> None:
    """M_LL of c_Φq3 → √2/Λ² v̄ (k̸_W − k̸_Z) u, the contact term of O_Φq3 with G⁺G⁰, up to O(m²/ŝ)."""
    momenta = scattering(MASSES, energy, 100)
    found = helicities(momenta)[3, 2, 2].abs()
    u, d, w, z = component_first(momenta)
    metric = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)[:, None]
    contact = 2**0.5 / 1000.0**2 * (annihilation(u, d).current() * metric * (w - z)).sum(dim=0).abs()
    assert ((found / contact - 1.0).abs() < 2.0 * (200.0 / energy) ** 2).all()


@pytest.mark.parametrize(
    "particles", [(2, -2, 24, 23), (2, -1, -24, 23), (-2, 1, 24, 23), (2, -1, 24, 22), (2, -5, 24, 23), (2, -1)]
)
def test_what_is_no_channel_is_refused(particles: tuple[int, ...]) -> None:
    with pytest.raises(ProcessError, match="is no channel of q q' -> W Z"):
        OnShellWZAmplitude(particles)


def test_single_precision_is_refused(scattering: Scattering) -> None:
    with pytest.raises(ProcessError, match="need float64 momenta"):
        coefficients(PLUS, scattering(MASSES, 400.0, 2).float())
