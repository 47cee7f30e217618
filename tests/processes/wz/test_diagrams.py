"""Ward identities of q q̄' → W V and q q̄' → ℓν V with all operators.

With the field of V replaced by its momentum k, the sum of diagrams vanishes for the photon, and for the Z it is m_Z
times the amplitude of its Goldstone boson G⁰. Massless quarks couple to G⁰ by O_Φq3 only, with ±(v/Λ²) k̸ for u and d.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from partonic.physics.amplitudes.currents import minkowski_product
from partonic.physics.amplitudes.wavefunctions import component_first, massive_polarizations
from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.wz.couplings import WZCouplings, times
from partonic.processes.wz.diagrams import (
    BosonField,
    FermionLine,
    annihilation,
    couplings_of,
    exchanged,
    from_leptons,
    from_quarks,
    incoming_w,
    line_between,
)

SCHEME = ElectroweakScheme(w_width=0.0, z_width=0.0)
COUPLINGS = WZCouplings(SCHEME)
Scattering = Callable[..., torch.Tensor]


def goldstone(quarks: FermionLine, w: torch.Tensor) -> torch.Tensor:
    """m_Z M(u d̄ → W⁺G⁰) per c_Φq3: 2 m_Z (v/Λ²) (g/√2) v̄ W̸ u, from both quarks."""
    strength = 2 * SCHEME.z_mass * SCHEME.vacuum_expectation_value / 1000.0**2 * SCHEME.weak_coupling / 2**0.5
    return strength * minkowski_product(w, quarks.current())


def assert_ward_identity(amplitude: torch.Tensor, expected: torch.Tensor, size: torch.Tensor) -> None:
    """The first three terms vanish and the last is `expected`, to rounding errors of diagrams of this `size`."""
    assert amplitude[:3].abs().max() < 1e-10 * size
    assert (amplitude[3] - expected).abs().max() < 1e-10 * size


@pytest.mark.parametrize(("boson", "mass"), [("photon", 0.0), ("photon", 60.0), ("Z", SCHEME.z_mass), ("Z", 60.0)])
@pytest.mark.parametrize("energy", [250.0, 2000.0])
def test_of_quarks(scattering: Scattering, boson: str, mass: float, energy: float) -> None:
    """V of any virtuality and a W on its mass shell of any polarisation."""
    u, d, w, k = component_first(scattering((SCHEME.w_mass, mass), energy, 50))
    quarks = annihilation(u, d)
    for polarization in massive_polarizations(w, SCHEME.w_mass).unbind(dim=1):
        amplitude = from_quarks(
            quarks, BosonField(polarization, w), BosonField(k, k), couplings_of(boson, COUPLINGS), COUPLINGS
        )
        at_random = BosonField(k[[0, 2, 3, 1]].abs(), k)
        size = (
            from_quarks(quarks, BosonField(polarization, w), at_random, couplings_of(boson, COUPLINGS), COUPLINGS)
            .abs()
            .amax()
        )
        expected = goldstone(quarks, polarization)
        assert expected.abs().max() > 1e-6 * size  # the right-hand side is more than rounding errors
        zero = torch.zeros_like(expected)
        assert_ward_identity(amplitude, expected if boson == "Z" else zero, size)


@pytest.mark.parametrize(("boson", "mass"), [("photon", 0.0), ("photon", 60.0), ("Z", SCHEME.z_mass)])
def test_of_quarks_and_leptons(scattering: Scattering, boson: str, mass: float) -> None:
    """W off its mass shell: the diagrams in which leptons emit V are needed, too."""
    u, d, charged, neutrino, k = component_first(scattering((0.0, 0.0, mass), 400.0, 50))
    quarks, leptons = annihilation(u, d), line_between(neutrino, charged, "left")
    w = exchanged(leptons, charged + neutrino, SCHEME.w_mass, 0.0)
    s_channel, field = incoming_w(quarks, u + d, COUPLINGS), BosonField(k, k)
    g_w = COUPLINGS.w_leptons()[:, None]
    of_quarks = times(from_quarks(quarks, w, field, couplings_of(boson, COUPLINGS), COUPLINGS), g_w)
    of_leptons = from_leptons(leptons, s_channel, field, couplings_of(boson, COUPLINGS), COUPLINGS)
    expected = goldstone(quarks, w.components) * g_w[0]
    size = of_quarks.abs().amax(dim=1)
    assert (of_leptons.abs().amax(dim=1) > 1e-3 * size)[[0, 1, 3]].all()
    assert_ward_identity(of_quarks + of_leptons, expected if boson == "Z" else torch.zeros_like(expected), size.amax())


def test_a_coupling_that_breaks_gauge_invariance_is_seen(scattering: Scattering) -> None:
    """The identity has power: a photon vertex of the W without the shift of the charge by O_ΦWB fails it."""

    class Broken(WZCouplings):
        def gauge(self, boson: str) -> torch.Tensor:
            return super().gauge(boson) * torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=torch.float64)

    u, d, w, k = component_first(scattering((SCHEME.w_mass, 0.0), 250.0, 50))
    quarks, polarization = annihilation(u, d), massive_polarizations(w, SCHEME.w_mass)[:, 0]
    found = [
        from_quarks(
            quarks, BosonField(polarization, w), BosonField(k, k), couplings_of("photon", couplings), couplings
        )[1]
        .abs()
        .max()
        for couplings in (COUPLINGS, Broken(SCHEME))
    ]
    assert found[0] < 1e-9 * found[1]


@pytest.mark.parametrize("boson", ["photon", "Z"])
def test_a_fixed_width_of_the_w_keeps_it(scattering: Scattering, boson: str) -> None:
    """1/D(p) − 1/D(q) = p² − q² also for D = 1/(p² − M² + iMΓ), as the triple vertex needs it."""
    scheme = replace(SCHEME, w_width=2.085)
    couplings = WZCouplings(scheme)
    u, d, charged, neutrino, k = component_first(scattering((0.0, 0.0, 60.0), 400.0, 50))
    quarks, leptons = annihilation(u, d), line_between(neutrino, charged, "left")
    w = exchanged(leptons, charged + neutrino, scheme.w_mass, scheme.w_width)
    of_quarks = times(
        from_quarks(quarks, w, BosonField(k, k), couplings_of(boson, couplings), couplings),
        couplings.w_leptons()[:, None],
    )
    of_leptons = from_leptons(
        leptons, incoming_w(quarks, u + d, couplings), BosonField(k, k), couplings_of(boson, couplings), couplings
    )
    assert (of_quarks + of_leptons)[:3].abs().max() < 1e-10 * of_quarks.abs().max()
