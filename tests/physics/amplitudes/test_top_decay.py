"""The decay of a top in an amplitude: its norm, its spin density, analysing powers, width, and errors."""

import math

import pytest
import torch
from tests.physics.amplitudes.top_decay_quadrature import at_the_pole, quadrature

from partonic.errors import ProcessError
from partonic.physics.amplitudes.currents import contract, minkowski_product
from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.amplitudes.wavefunctions import component_first, outgoing_antifermion, outgoing_fermion
from partonic.physics.fourvector import on_shell
from partonic.physics.particles import FERMI_CONSTANT, TOP, W_BOSON, vacuum_expectation_value
from partonic.physics.phasespace.top_decay import TopDecayMap

DECAY = TopDecay()
MAP = TopDecayMap(W_BOSON.mass, W_BOSON.width)


def moving_top(mass=TOP.mass):
    return on_shell(torch.tensor([[80.0, -130.0, 310.0]], dtype=torch.float64), mass)


def decays_of(top, numbers):
    products, log_volume = MAP.forward(numbers, top.expand(len(numbers), 4))
    return component_first(products), log_volume.exp()


@pytest.mark.parametrize("side", ["top", "antitop"])
def test_sum_over_all_decays_is_that_of_the_spins(side):
    """Σ R†R over the phase space of the products is Σ ū†ū, for a branching fraction of one."""
    numbers, weights = quadrature()
    top = moving_top()
    products, volume = decays_of(top, numbers)
    chain = DECAY.row(products) if side == "top" else DECAY.column(products)
    spinors = (outgoing_fermion if side == "top" else outgoing_antifermion)(component_first(top[:, None])[0], TOP.mass)
    summed = torch.einsum("an,bn,n->ab", chain, chain.conj(), (weights * volume).to(chain.dtype)) * at_the_pole(DECAY)
    expected = torch.einsum("asn,bsn->ab", spinors, spinors.conj())
    torch.testing.assert_close(summed, expected, rtol=0.0, atol=2e-4 * float(expected.abs().max()))


def dirac(vector):
    """V̸ as a matrix, `(4, 4, N)`, in the chiral representation."""
    energy, x, y, z = vector.to(torch.complex128)
    plus = torch.stack([torch.stack([energy - z, -x + 1j * y]), torch.stack([-x - 1j * y, energy + z])])
    minus = torch.stack([torch.stack([energy + z, x - 1j * y]), torch.stack([x + 1j * y, energy - z])])
    zero = torch.zeros_like(plus)
    return torch.cat([torch.cat([zero, plus], dim=1), torch.cat([minus, zero], dim=1)])


@pytest.mark.parametrize("side", ["top", "antitop"])
def test_lepton_fixes_the_spin(side, torch_rng):
    """A top is found with its spin along ℓ⁺ (or d̄) and an antitop against ℓ⁻, with |D|² ∝ (k_b·k_ν) (p·k_ℓ)."""
    numbers = torch.rand(200, 5, generator=torch_rng, dtype=torch.float64)
    top = moving_top()
    products, _ = decays_of(top, numbers)
    bottom, down, up = products
    p = component_first(top[:, None])[0].expand(4, 200)
    spin = TOP.mass * down / minkowski_product(p, down) - p / TOP.mass
    gamma5_spin = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.complex128))
    gamma5_spin = torch.einsum("ab,bcn->acn", gamma5_spin, dirac(spin))
    if side == "top":
        chain = DECAY.row(products)
        projected = torch.einsum("an,abn->bn", chain, gamma5_spin)
    else:
        chain = DECAY.column(products)
        projected = -torch.einsum("abn,bn->an", gamma5_spin, chain)
    torch.testing.assert_close(projected, chain, rtol=0.0, atol=1e-10 * float(chain.abs().max()))
    virtuality = 2.0 * minkowski_product(down, up) - W_BOSON.mass**2
    # the chain is an amplitude times a spinor, and u†u = 2E for any spin
    size = (chain.abs().square().sum(dim=0) / (2.0 * p[0])) * (virtuality**2 + (W_BOSON.mass * W_BOSON.width) ** 2)
    ratio = size / (minkowski_product(bottom, up) * minkowski_product(p, down))
    torch.testing.assert_close(ratio, ratio[:1].expand(200), rtol=1e-9, atol=0.0)


def test_analysing_powers():
    """dΓ/dcosθ ∝ 1 + κ cosθ about the spin of a top at rest, with κ of b and ν in closed form."""
    narrow = TopDecay(w_width=0.02)
    numbers, weights = quadrature(masses=8, polar=6)
    top = torch.tensor([[TOP.mass, 0.0, 0.0, 0.0]], dtype=torch.float64)
    products, volume = TopDecayMap(W_BOSON.mass, 0.02).forward(numbers, top.expand(len(numbers), 4))
    first = component_first(products)
    up = outgoing_fermion(component_first(top[:, None])[0], TOP.mass)[:, 0].conj()
    column = torch.cat([up[2:], up[:2]])
    density = contract(narrow.row(first), column.expand(4, len(numbers))).abs().square() * volume.exp() * weights
    powers = [3.0 * float((density * (part[3] / part[0])).sum() / density.sum()) for part in first]
    r = (W_BOSON.mass / TOP.mass) ** 2
    size = (1.0 - r) ** 2 * (1.0 + 2.0 * r)
    of_neutrino = ((1.0 - r) * (1.0 - 11.0 * r - 2.0 * r**2) - 12.0 * r**2 * math.log(r)) / size
    assert powers[1] == pytest.approx(1.0, abs=1e-9)
    assert powers[0] == pytest.approx(-(1.0 - 2.0 * r) / (1.0 + 2.0 * r), abs=2e-3)
    assert powers[2] == pytest.approx(of_neutrino, abs=2e-2)


def test_width_is_the_leading_order_one():
    """g⁴K/(8m_t) for a narrow W, times Γ_W/Γ(W → ff'), is G_F m_t³/(8√2π) (1 − r)² (1 + 2r)."""
    decay = TopDecay(w_width=1e-4)
    coupling = 2.0 * W_BOSON.mass / vacuum_expectation_value(FERMI_CONSTANT)
    partial = coupling**4 * decay._integral / (8.0 * TOP.mass)
    to_fermions = coupling**2 * W_BOSON.mass / (48.0 * math.pi)
    r = (W_BOSON.mass / TOP.mass) ** 2
    expected = FERMI_CONSTANT * TOP.mass**3 / (8.0 * math.sqrt(2.0) * math.pi) * (1.0 - r) ** 2 * (1.0 + 2.0 * r)
    assert partial * decay.w_width / to_fermions == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"top_width": 0.0}, "positive masses"),
        ({"window": 120.0}, "Take a smaller window"),
        ({"w_width": -1.0}, "W = -1.0"),
    ],
)
def test_impossible_decays_are_refused(change, message):
    with pytest.raises(ProcessError, match=message):
        TopDecay(**change)
