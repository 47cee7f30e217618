"""The dipole vertices and their normalisation in qq̄ → tt̄ and gg → tt̄, where closed forms are published.

C. Degrande, J.-M. Gérard, C. Grojean, F. Maltoni, G. Servant, "Non-resonant new physics in top pair production at
hadron colliders", arXiv:1010.6304: for (c_hg/Λ²) (Q̄ φ̃) σ^{μν} T^A t G^A_{μν} + h.c. the interference with QCD is

    dσ/dt (q q̄) = √2 α_s g_s (v m_t / s²) (c_hg/Λ²) 4/9
    dσ/dt (g g) = √2 α_s g_s (v m_t / s²) (c_hg/Λ²) (1/(6 τ1 τ2) − 3/8),   τ_{1,2} = (m_t² − t, u)/s,

and c_hg = g_s c_tG here. The amplitudes are put together from the vertices that the ttH amplitudes use.
"""

import math

import pytest
import torch

from partonic.physics.amplitudes.currents import (
    commutator,
    contract,
    fuse_gluons,
    light_cone,
    minkowski_product,
    propagate_row,
    slash_column,
    slash_row,
)
from partonic.physics.amplitudes.wavefunctions import (
    component_first,
    incoming_massless_current,
    linear_polarizations,
    outgoing_antifermion,
    outgoing_fermion,
)
from partonic.physics.phasespace.rambo import Rambo
from partonic.processes.tth.top_line import TopHiggsCouplings

COUPLINGS = TopHiggsCouplings()
MASS = COUPLINGS.top_mass
ENERGY = 700.0
STRONG = 1.2  # g_s


@pytest.fixture
def momenta(torch_rng):
    numbers = torch.rand(40, 2, generator=torch_rng, dtype=torch.float64)
    energies = torch.full((40,), ENERGY, dtype=torch.float64)
    final, _ = Rambo((MASS, MASS)).forward(numbers, energies)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * ENERGY / 2
    return component_first(torch.cat([beams.expand(40, 2, 4), final], dim=1))


def wide(vector):
    return vector[:, None, None, None, None]


def lines(momenta):
    bar = outgoing_fermion(momenta[2], MASS)[:, :, None, None, None]
    ket = outgoing_antifermion(momenta[3], MASS)[:, None, :, None, None]
    return bar, ket


def summed(first, second):
    return (first.conj() * second).real.sum(dim=(0, 1, 2, 3))


def invariants(momenta):
    tau1 = 2.0 * minkowski_product(momenta[0], momenta[2]) / ENERGY**2
    return tau1, 1.0 - tau1, 4.0 * MASS**2 / ENERGY**2


def expected_interference(bracket):
    """|M|² of dσ/dt = |M|²/(16π s²) for c_tG = 1: c_hg = g_s, 4π α_s = g_s²."""
    return 4.0 * math.sqrt(2.0) * STRONG**4 * COUPLINGS.vacuum_expectation_value * MASS * 1e-6 * bracket


def test_quark_annihilation(momenta):
    k = momenta[0] + momenta[1]
    vector = light_cone(wide(incoming_massless_current(momenta[0], momenta[1]) / ENERGY**2))
    bar, ket = lines(momenta)
    qcd = contract(bar, slash_column(vector, ket))
    dipole = COUPLINGS.dipole * contract(bar, commutator(light_cone(wide(k)), vector).on_column(ket))
    # two quark helicities; colour and spin average (N²−1)/4 / 36
    factor = STRONG**4 * 2.0 * 2.0 / 36.0
    tau1, tau2, rho = invariants(momenta)
    torch.testing.assert_close(
        factor * summed(qcd, qcd), STRONG**4 * 4.0 / 9.0 * (tau1**2 + tau2**2 + rho / 2.0), rtol=1e-11, atol=0
    )
    bracket = torch.full_like(tau1, 4.0 / 9.0)
    torch.testing.assert_close(factor * 2.0 * summed(qcd, dipole), expected_interference(bracket), rtol=1e-11, atol=0)


def test_gluon_fusion(momenta):
    k1, k2 = momenta[0], momenta[1]
    e1 = linear_polarizations(k1)[:, None, None, :, None]
    e2 = linear_polarizations(k2)[:, None, None, None, :]
    bar, ket = lines(momenta)
    v1, v2 = light_cone(e1), light_cone(e2)
    current = light_cone(fuse_gluons(wide(k1), e1, wide(k2), e2))
    d1, d2 = commutator(light_cone(wide(k1)), v1), commutator(light_cone(wide(k2)), v2)
    pair = commutator(light_cone(wide(k1 + k2)), current) - commutator(v1, v2)

    def ordered(k, first, second, first_dipole, second_dipole, sign):
        near, near_dipole = slash_row(first, bar), first_dipole.on_row(bar)
        near, near_dipole = propagate_row(momenta[2] - k, MASS, near), propagate_row(momenta[2] - k, MASS, near_dipole)
        qcd = contract(near, slash_column(second, ket)) + sign * contract(bar, slash_column(current, ket))
        dipole = (
            contract(near, second_dipole.on_column(ket))
            + contract(near_dipole, slash_column(second, ket))
            + sign * contract(bar, pair.on_column(ket))
        )
        return qcd, COUPLINGS.dipole * dipole

    qcd12, dipole12 = ordered(k1, v1, v2, d1, d2, 1.0)
    qcd21, dipole21 = ordered(k2, v2, v1, d2, d1, -1.0)

    def colour_summed(a, b):
        """7/3 |a + b|² + 3 |a − b|² over the orders, with the average over 4 spins and 64 colours."""
        even = summed(a[0] + a[1], b[0] + b[1])
        odd = summed(a[0] - a[1], b[0] - b[1])
        return STRONG**4 * (7.0 / 3.0 * even + 3.0 * odd) / 256.0

    tau1, tau2, rho = invariants(momenta)
    qcd = (1.0 / (6.0 * tau1 * tau2) - 3.0 / 8.0) * (tau1**2 + tau2**2 + rho - rho**2 / (4.0 * tau1 * tau2))
    pairs = (qcd12, qcd21), (dipole12, dipole21)
    torch.testing.assert_close(colour_summed(pairs[0], pairs[0]), STRONG**4 * qcd, rtol=1e-10, atol=0)
    expected = expected_interference(1.0 / (6.0 * tau1 * tau2) - 3.0 / 8.0)
    torch.testing.assert_close(2.0 * colour_summed(*pairs), expected, rtol=1e-10, atol=0)
