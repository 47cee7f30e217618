"""tHq helicity amplitudes: reference values, Dirac traces, gauge invariance, charge conjugation, high energies."""

import itertools
import math

import numpy as np
import pytest
import torch
from tests.reference import thq_points as reference

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.wavefunctions import component_first, outgoing_fermion
from partonic.physics.amplitudes.weyl import left_column
from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.fourvector import boost, rotate
from partonic.physics.phasespace.rambo import Rambo
from partonic.physics.phasespace.twobody import decay
from partonic.processes.thq.amplitude import (
    SingleTopHiggsAmplitude,
    SingleTopHiggsCouplings,
    flavour_groups,
    thq_terms,
)

CHANNELS = [group[0] for group in flavour_groups()]
WIDE = SingleTopHiggsCouplings(scheme=ElectroweakScheme(w_width=20.0))
ODD = [2, 4]

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
_PAULI = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]])]
_ZERO = np.zeros((2, 2))
GAMMA = [np.diag([1.0, 1, -1, -1]).astype(complex), *(np.block([[_ZERO, s], [-s, _ZERO]]) for s in _PAULI)]
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
LEFT = 0.5 * (np.eye(4) - GAMMA5)


def random_momenta(generator, points=200, sqrt_s=900.0):
    """Incoming beams along z and flat H, t, q phase space in the centre-of-mass frame."""
    numbers = torch.rand(points, 5, generator=generator, dtype=torch.float64)
    final, _ = Rambo((125.0, 172.5, 0.0)).forward(numbers, torch.full((points,), sqrt_s, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * sqrt_s / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


def coefficients(amplitude, momenta):
    return amplitude.coefficients(momenta, torch.full((len(momenta),), 0.118, dtype=torch.float64))


@pytest.fixture
def momenta(torch_rng):
    return random_momenta(torch_rng)


@pytest.mark.parametrize("initial", [(2, 5), (5, 4)])
def test_reference_values(initial):
    order = [0, 1, 4, 3, 2] if initial[1] == 5 else [1, 0, 4, 3, 2]
    momenta = torch.tensor(reference.MOMENTA, dtype=torch.float64)[:, order]
    values = coefficients(SingleTopHiggsAmplitude(initial), momenta)
    standard, linear, quadratic, odd, odd_quadratic = (
        torch.tensor(numbers, dtype=torch.float64)
        for numbers in (
            reference.STANDARD_MODEL, reference.LINEAR, reference.QUADRATIC,
            reference.ODD_LINEAR, reference.ODD_QUADRATIC,
        )
    )  # fmt: skip
    # δκ_t = κ_e − 1 and κ̃_t = (2/3) κ_o
    expected = torch.stack(
        [
            standard - linear + quadratic, linear - 2.0 * quadratic, 2.0 / 3.0 * odd,
            quadratic, torch.zeros(3), 4.0 / 9.0 * odd_quadratic,
        ], dim=1,
    )  # fmt: skip
    torch.testing.assert_close(values, expected, rtol=1e-11, atol=1e-18)


def dot(a, b):
    return a @ METRIC @ b


def slash(p):
    return sum(METRIC[mu, mu] * p[mu] * GAMMA[mu] for mu in range(4))


def adjoint(matrix):
    return GAMMA[0] @ matrix.conj().T @ GAMMA[0]


def traced(initial, points, couplings):
    """Six coefficients of |M|² from Feynman rules, in explicit traces over both fermion lines.

    Particles and antiparticles have their own lines: ū_t Γ u_b or v̄_b̄ Γ v_t̄, ū_d γ u_u or v̄_ū γ v_d̄, so that charge
    conjugation is not assumed.
    """
    bottom_first = abs(initial[0]) == 5
    bottom, light = (points[0], points[1]) if bottom_first else (points[1], points[0])
    higgs, top, spectator = points[2:]
    quark_enters = initial[1 if bottom_first else 0] > 0
    scheme, mass = couplings.scheme, couplings.top_mass
    g, v = scheme.weak_coupling, scheme.vacuum_expectation_value
    emitted = light - spectator
    absorbed = emitted - higgs

    def w_propagator(q):
        tensor = -METRIC + np.outer(q, q) / scheme.w_mass**2
        return 1j * tensor / (dot(q, q) - scheme.w_mass**2 + 1j * scheme.w_mass * scheme.w_width)

    vertex = [1j * g / math.sqrt(2.0) * gamma @ LEFT for gamma in GAMMA]
    yukawas = [-1j * mass / v * np.eye(4), -1j * mass / v * (2.0 / 3.0) * 1j * GAMMA5]
    chain = top + higgs
    lower = [METRIC[mu, mu] for mu in range(4)]
    # Lorentz index of the first W, lowered: what the light current is contracted with
    via_w = []
    for mu in range(4):
        contracted = np.zeros((4, 4), dtype=complex)
        inner = w_propagator(emitted) @ METRIC @ (1j * 2.0 * scheme.w_mass**2 / v * METRIC) @ METRIC
        outer = inner @ w_propagator(absorbed)
        for nu in range(4):
            contracted = contracted + outer[mu, nu] * lower[nu] * vertex[nu]
        via_w.append(contracted)
    particle = initial[0 if bottom_first else 1] > 0
    sign = 1.0 if particle else -1.0
    propagator = 1j * (sign * slash(chain) + mass * np.eye(4)) / (dot(chain, chain) - mass**2)
    first = w_propagator(emitted)
    via_top = []
    for yukawa in yukawas:
        tops = []
        for mu in range(4):
            joined = sum(first[mu, nu] * lower[nu] * vertex[nu] for nu in range(4))
            tops.append(yukawa @ propagator @ joined if particle else joined @ propagator @ yukawa)
        via_top.append(tops)
    structures = [via_w, *via_top]
    # spin sums: particles Σuū = p̸ + m, antiparticles Σv v̄ = p̸ − m
    outgoing, incoming = (slash(top) + mass * np.eye(4), slash(bottom)) if particle else (
        slash(bottom), slash(top) - mass * np.eye(4))  # fmt: skip
    row, column = (spectator, light) if quark_enters else (light, spectator)
    lines = np.array(
        [[np.trace(slash(row) @ vertex[m] @ slash(column) @ adjoint(vertex[n])) for n in range(4)] for m in range(4)]
    )
    matrix = np.zeros((3, 3), dtype=complex)
    for i, j in itertools.product(range(3), range(3)):
        for m, n in itertools.product(range(4), range(4)):
            heavy = np.trace(outgoing @ structures[i][m] @ incoming @ adjoint(structures[j][n]))
            matrix[i, j] += lower[m] * lower[n] * lines[m, n] * heavy
    real = 0.25 * matrix.real
    return [real[0, 0], 2 * real[0, 1], 2 * real[0, 2], real[1, 1], 2 * real[1, 2], real[2, 2]]


@pytest.mark.parametrize("couplings", [SingleTopHiggsCouplings(), WIDE], ids=["no width", "wide W"])
@pytest.mark.parametrize("initial", CHANNELS, ids=str)
def test_traces_of_explicit_dirac_matrices(initial, couplings, torch_rng):
    """A wide W has absorptive parts, which distinguish CP from the reversal of motion alone."""
    momenta = random_momenta(torch_rng, points=3)
    values = coefficients(SingleTopHiggsAmplitude(initial, couplings), momenta).numpy()
    expected = np.array([traced(initial, points, couplings) for points in momenta.numpy()])
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    assert np.abs(expected[:, 2]).max() > 1e-3 * np.abs(expected[:, 1]).max()


def test_satisfies_the_amplitude_protocol():
    for initial in CHANNELS:
        amplitude = SingleTopHiggsAmplitude(initial)
        assert isinstance(amplitude, Amplitude)
        charges = {1: -1, 2: 2, 3: -1, 4: 2, 5: -1, 6: 2, 25: 0}
        charge = [math.copysign(1, pdg) * charges[abs(pdg)] for pdg in amplitude.particles]
        assert charge[0] + charge[1] == sum(charge[2:])
        for lines in amplitude.colour_flows:
            flowing = [*lines[2:], *((anti, colour) for colour, anti in lines[:2])]
            assert sorted(c for c, _ in flowing if c) == sorted(a for _, a in flowing if a)
            assert [bool(a) for _, a in lines] == [pdg < 0 for pdg in amplitude.particles]


def test_sixteen_channels():
    pairs = [pair for group in flavour_groups() for pair in group]
    assert len(set(pairs)) == 16
    assert {abs(pair[0]) == 5 or abs(pair[1]) == 5 for pair in pairs} == {True}


@pytest.mark.parametrize("initial", [(2, -5), (1, 5), (21, 5), (5, 5)])
def test_other_beams_are_refused(initial):
    with pytest.raises(ProcessError, match="no channel"):
        SingleTopHiggsAmplitude(initial)


def test_single_precision_is_refused(momenta):
    with pytest.raises(ProcessError, match="float64"):
        coefficients(SingleTopHiggsAmplitude((2, 5)), momenta.float())


def product(a, b):
    return a[0] * b[0] - (a[1:] * b[1:]).sum(dim=0)


def between(row, vectors, column, mass=0.0):
    """Return row (V̸ + mass) column for momenta `(4, N)`, with matrices in the chiral representation."""
    pauli = torch.tensor(np.array([np.eye(2), *_PAULI]), dtype=torch.complex128)
    signs = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)[:, None]
    lower = torch.einsum("mab,mn->abn", pauli, (signs * vectors).to(torch.complex128))
    upper = torch.einsum("mab,mn->abn", pauli, vectors.to(torch.complex128))
    slashed = torch.einsum("asn,abn,bn->sn", row[:2], lower, column[2:]) + torch.einsum(
        "asn,abn,bn->sn", row[2:], upper, column[:2]
    )
    return slashed + mass * torch.einsum("asn,an->sn", row, column)


def test_ward_identity(momenta):
    """A W with its own momentum for a polarisation acts as its Goldstone boson φ, if the Yukawa coupling is m_t/v.

    q₁·M is then φ(q₁) b → t H: H from the top; φ → H W* with the vertex (q₁ + p_H); φ → H φ* with m_H² (and, in the
    unitary gauge of M, minus q₁²). A contact term m_t ū P_L u of M_W is cancelled by one of M_e.
    """
    up, bottom, higgs, top, down = component_first(momenta)
    couplings = SingleTopHiggsCouplings()
    mass, w_square = couplings.top_mass, couplings.scheme.w_mass**2
    emitted, chain = up - down, top + higgs
    absorbed = emitted - higgs
    row, column = outgoing_fermion(top, mass), left_column(bottom)
    vector = torch.complex(emitted, torch.zeros_like(emitted))
    terms = thq_terms(row, torch.stack([bottom, higgs, top]), vector, emitted, couplings)
    parts = terms * (product(emitted, emitted) - w_square)
    exchange = (product(absorbed, absorbed) - w_square).reciprocal()
    contact = mass * torch.einsum("asn,an->sn", row, column)
    goldstone = (
        w_square * exchange * between(row, emitted + higgs, column)
        + mass**2 * between(row, chain, column, mass) / (product(chain, chain) - mass**2)
        + exchange * contact * (125.0**2 - product(emitted, emitted))
    )
    torch.testing.assert_close(parts[0] + parts[1], goldstone, rtol=1e-9, atol=1e-9 * float(goldstone.abs().max()))
    # each part alone has the contact term
    assert ((parts[1] - goldstone).abs() > 0.1 * contact.abs()).any()


def test_half_of_the_cross_terms_vanish(momenta):
    """M_e and M_o do not interfere after the sum over top spins, since the other quark is massless."""
    values = coefficients(SingleTopHiggsAmplitude((2, 5)), momenta)
    assert (values[:, 4].abs() / values[:, 3]).max() < 1e-12
    assert (values[:, 2].abs() / values[:, 3]).max() > 1e-2


@pytest.mark.parametrize("initial", CHANNELS, ids=str)
def test_lorentz_invariance(initial, momenta):
    velocity = torch.tensor([0.3, -0.5, 0.4], dtype=torch.float64)
    axis = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3.0
    moved = boost(rotate(momenta, axis, torch.tensor(1.1, dtype=torch.float64)), velocity)
    amplitude = SingleTopHiggsAmplitude(initial)
    expected = coefficients(amplitude, momenta)
    assert ((coefficients(amplitude, moved) - expected).abs() / expected[:, :1]).max() < 1e-9


@pytest.mark.parametrize("initial", [(2, 5), (-1, 5)])
def test_charge_parity(initial, momenta):
    """CP reverses momenta and exchanges particles and antiparticles; what is odd in κ_o changes its sign.

    Without absorptive parts the odd terms are odd under reversal of the momenta, too: conjugates share one |M|².
    """
    mirror = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    conjugate = tuple(-pdg for pdg in initial)
    for couplings, common in ((SingleTopHiggsCouplings(), True), (WIDE, False)):
        values = coefficients(SingleTopHiggsAmplitude(initial, couplings), momenta)
        mirrored = coefficients(SingleTopHiggsAmplitude(conjugate, couplings), momenta * mirror)
        mirrored[:, ODD] *= -1.0
        torch.testing.assert_close(mirrored, values, rtol=1e-9, atol=1e-16)
        same = coefficients(SingleTopHiggsAmplitude(conjugate, couplings), momenta)
        assert torch.allclose(same[:, 2], values[:, 2], rtol=1e-6, atol=1e-16) == common


def test_crossing_of_the_light_quarks(momenta):
    """d̄ b → t H ū is u b → t H d with light momenta p(d̄) = −p(d), p(ū) = −p(u): of the squared currents, one trace."""
    crossed = coefficients(SingleTopHiggsAmplitude((-1, 5)), momenta).numpy()
    swapped = momenta.clone()
    swapped[:, 0], swapped[:, 4] = -momenta[:, 4], -momenta[:, 0]
    expected = np.array([traced((2, 5), points, SingleTopHiggsCouplings()) for points in swapped.numpy()[:3]])
    np.testing.assert_allclose(crossed[:3], expected, rtol=1e-9, atol=1e-20)


def test_coefficient_matrix_is_positive_semidefinite(momenta):
    for initial in CHANNELS:
        values = coefficients(SingleTopHiggsAmplitude(initial), momenta)
        matrix = torch.stack([values[:, [0, 1, 2]], values[:, [1, 3, 4]], values[:, [2, 4, 5]]], dim=1)
        matrix = matrix * (0.5 + 0.5 * torch.eye(3, dtype=torch.float64))
        eigenvalues = torch.linalg.eigvalsh(matrix)
        assert (eigenvalues[:, 0] / eigenvalues[:, -1]).min() > -1e-12


def radiating_slowly(energy, generator, points=2000):
    """u b with half of the energy of the u and a p_T of 30 GeV left to d, and t and H at large angles."""
    pt, share = 30.0, 0.5
    quark = torch.tensor([math.hypot(pt, 0.5 * share * energy), pt, 0.0, 0.5 * share * energy], dtype=torch.float64)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * energy / 2
    system = (beams.sum(dim=0) - quark).expand(points, 4)
    numbers = 0.25 + 0.5 * torch.rand(points, 2, generator=generator, dtype=torch.float64)
    higgs, top, _ = decay(system, 125.0, 172.5, numbers)
    return torch.stack([*beams[:, None].expand(2, points, 4), higgs, top, quark.expand(points, 4)], dim=1)


def test_unitarity_cancellation_at_high_energy(torch_rng):
    """W_L b → t H: M_W and M_e of the order √s cancel for κ_e = 1 (hep-ph/0106340): |M_W + M_e|²/|M_e|² ∝ 1/s."""
    ratios = []
    for energy in (2_000.0, 8_000.0):
        values = coefficients(SingleTopHiggsAmplitude((2, 5)), radiating_slowly(energy, torch_rng))
        standard, flipped = (values @ torch.tensor([1, k, 0, 1, 0, 0], dtype=torch.float64) for k in (1, -1))
        ratios.append((float(standard.mean() / values[:, 3].mean()), float(flipped.mean() / values[:, 3].mean())))
    assert ratios[1][0] < 0.15 * ratios[0][0]
    # a coupling of the other sign doubles the amplitude that grows
    assert ratios[1][1] == pytest.approx(4.0, abs=0.5)
