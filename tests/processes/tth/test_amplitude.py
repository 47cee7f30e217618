"""ttH helicity amplitudes: reference values, gauge invariance, symmetries, positivity."""

import pytest
import torch
from tests.reference.tth_points import REFERENCE

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.interference import interference_matrix
from partonic.physics.amplitudes.wavefunctions import SPIN_FLIP_FACTOR, component_first, linear_polarizations
from partonic.physics.fourvector import boost, rotate
from partonic.physics.particles import vacuum_expectation_value
from partonic.physics.phasespace.rambo import Rambo
from partonic.polynomial import Monomials
from partonic.processes.tth.amplitude import TTH_PARAMETERS, gluon_fusion_tth, quark_annihilation_tth
from partonic.processes.tth.top_line import TopHiggsCouplings, TopPair, gluon_fusion_amplitudes

KAPPA_TILDE_LINEAR = ("kappa_tilde_t", "delta_kappa_t*kappa_tilde_t", "kappa_tilde_t*c_tG")
MONOMIALS = Monomials.up_to_degree(TTH_PARAMETERS, 2)
ODD = [MONOMIALS.names.index(name) for name in KAPPA_TILDE_LINEAR]
EVEN = [index for index in range(10) if index not in ODD]


def random_momenta(generator, points=300, sqrt_s=900.0):
    """Incoming beams along z and flat H, t, t̄ phase space in the centre-of-mass frame."""
    numbers = torch.rand(points, 5, generator=generator, dtype=torch.float64)
    energy = torch.full((points,), sqrt_s, dtype=torch.float64)
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(numbers, energy)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * sqrt_s / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


def alpha_s_of(momenta, value=0.118):
    return torch.full((len(momenta),), value, dtype=torch.float64)


@pytest.fixture
def momenta(torch_rng):
    return random_momenta(torch_rng)


@pytest.fixture(params=["gg", "uubar", "ubaru"])
def amplitude(request):
    return {"gg": gluon_fusion_tth(), "uubar": quark_annihilation_tth(2), "ubaru": quark_annihilation_tth(-2)}[
        request.param
    ]


def test_reference_values():
    beams = torch.tensor([[400.0, 0, 0, 400], [400, 0, 0, -400]], dtype=torch.float64)
    tops = torch.tensor([row[:2] for row in REFERENCE], dtype=torch.float64)
    higgs = beams.sum(dim=0) - tops.sum(dim=1)
    momenta = torch.cat([beams.expand(3, 2, 4), higgs[:, None], tops], dim=1)
    couplings = TopHiggsCouplings(172.5, 125.0, vacuum_expectation_value(1.16639e-5))
    values = gluon_fusion_tth(couplings).coefficients(momenta, alpha_s_of(momenta))[:, 0]
    expected = torch.tensor([row[2] for row in REFERENCE], dtype=torch.float64)
    torch.testing.assert_close(values, expected, rtol=1e-12, atol=0)


def test_satisfies_the_amplitude_protocol(amplitude):
    assert isinstance(amplitude, Amplitude)
    assert amplitude.monomials == MONOMIALS
    assert amplitude.particles[2:] == (25, 6, -6)


def amplitudes_of(points, vectors, top_spins):
    pair = TopPair.on_shell(points[3:], TopHiggsCouplings().top_mass, top_spins)
    return gluon_fusion_amplitudes(points, pair, tuple(vectors), TopHiggsCouplings())


@pytest.mark.parametrize("gluon", [0, 1])
def test_ward_identity(momenta, gluon):
    points = component_first(momenta)
    vectors = [linear_polarizations(points[0]), linear_polarizations(points[1])]
    physical = amplitudes_of(points, vectors, top_spins=2)
    vectors[gluon] = points[gluon][:, None]
    longitudinal = amplitudes_of(points, vectors, top_spins=2)
    for order in range(2):
        # M_S, M_P and M_D (the dipole of c_tG) are gauge invariant one by one, in each colour order
        size = interference_matrix(physical[order]).diagonal()
        leak = interference_matrix(longitudinal[order]).diagonal() / size
        assert leak.max() < 1e-20


def test_half_of_the_spins_gives_half_of_the_sum(momenta):
    points = component_first(momenta)
    vectors = linear_polarizations(points[0]), linear_polarizations(points[1])
    half = amplitudes_of(points, vectors, top_spins=1)
    full = amplitudes_of(points, vectors, top_spins=2)
    for part, whole in ((half[0] + half[1], full[0] + full[1]), (half[0], full[0]), (half[1], full[1])):
        expected = interference_matrix(whole)
        difference = SPIN_FLIP_FACTOR * interference_matrix(part) - expected
        assert (difference.abs().amax(dim=(0, 1)) / expected.abs().amax(dim=(0, 1))).max() < 1e-12


def test_lorentz_invariance(amplitude, momenta):
    velocity = torch.tensor([0.3, -0.5, 0.4], dtype=torch.float64)
    axis = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3.0
    moved = boost(rotate(momenta, axis, torch.tensor(1.1, dtype=torch.float64)), velocity)
    expected = amplitude.coefficients(momenta, alpha_s_of(momenta))
    values = amplitude.coefficients(moved, alpha_s_of(momenta))
    assert ((values - expected).abs() / expected[:, :1]).max() < 1e-10


def test_bose_symmetry_and_colour_flows(momenta):
    amplitude = gluon_fusion_tth()
    swapped = momenta[:, [1, 0, 2, 3, 4]]
    theta = torch.tensor([0.2, -0.5, 0.5], dtype=torch.float64)
    torch.testing.assert_close(
        amplitude.coefficients(swapped, alpha_s_of(momenta)), amplitude.coefficients(momenta, alpha_s_of(momenta))
    )
    flows = amplitude.flow_weights(momenta, alpha_s_of(momenta), theta)
    torch.testing.assert_close(amplitude.flow_weights(swapped, alpha_s_of(momenta), theta), flows.flip(1))
    assert (flows > 0).all()


def test_quark_and_antiquark_beams_share_one_squared_amplitude(momenta):
    first, second = quark_annihilation_tth(1), quark_annihilation_tth(-1)
    expected = first.coefficients(momenta, alpha_s_of(momenta))
    torch.testing.assert_close(second.coefficients(momenta, alpha_s_of(momenta)), expected, rtol=1e-10, atol=1e-18)
    assert first.colour_flows != second.colour_flows


def test_charge_parity(amplitude, momenta):
    """CP exchanges particles and antiparticles and reverses momenta; it flips the sign of what is linear in κ̃_t."""
    mirror = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    conjugate = momenta[:, [1, 0, 2, 4, 3]] * mirror
    values = amplitude.coefficients(momenta, alpha_s_of(momenta))
    mirrored = amplitude.coefficients(conjugate, alpha_s_of(momenta))
    torch.testing.assert_close(mirrored[:, EVEN], values[:, EVEN], rtol=1e-9, atol=1e-18)
    torch.testing.assert_close(mirrored[:, ODD], -values[:, ODD], rtol=1e-7, atol=1e-18)
    assert values[:, ODD[-1]].abs().max() > 1e-3 * values[:, 0].max()


def test_kappa_tilde_linear_terms_integrate_to_zero(amplitude, torch_rng):
    momenta = random_momenta(torch_rng, points=20000)
    values = amplitude.coefficients(momenta, alpha_s_of(momenta))
    odd = values[:, ODD[-1]]
    error = odd.std() / len(odd) ** 0.5
    assert odd.mean().abs() < 4.5 * error
    assert error < 2e-3 * values[:, 0].mean()
    # without a dipole the interference of scalar and pseudoscalar couplings vanishes point by point
    assert (values[:, ODD[:2]].abs().amax(dim=1) / values[:, 0]).max() < 1e-12


def test_coefficient_matrix_is_positive_semidefinite(amplitude, momenta):
    values = amplitude.coefficients(momenta, alpha_s_of(momenta))
    matrix = torch.zeros(len(values), 4, 4, dtype=torch.float64)
    for column, powers in zip(values.T, MONOMIALS.exponents, strict=True):
        inserted = [k + 1 for k, power in enumerate(powers) for _ in range(power)]
        i, j = [*inserted, 0, 0][:2]
        matrix[:, i, j] = matrix[:, j, i] = column if i == j else column / 2
    lowest = torch.linalg.eigvalsh(matrix)[:, 0]
    assert (lowest / values[:, 0]).min() > -1e-12


def test_strong_coupling_enters_squared(amplitude, momenta):
    double = amplitude.coefficients(momenta, alpha_s_of(momenta, 0.236))
    torch.testing.assert_close(double, 4.0 * amplitude.coefficients(momenta, alpha_s_of(momenta)))


def test_blocks_do_not_change_a_value(amplitude, torch_rng):
    momenta = random_momenta(torch_rng, points=2100)
    whole = amplitude.coefficients(momenta, alpha_s_of(momenta))
    alone = amplitude.coefficients(momenta[2050:2060], alpha_s_of(momenta[2050:2060]))
    assert ((whole[2050:2060] - alone).abs() / alone[:, :1]).max() < 1e-13


def test_coefficients_are_differentiable(momenta):
    points = momenta[:3].clone().requires_grad_()
    gluon_fusion_tth().coefficients(points, alpha_s_of(points))[:, 0].sum().backward()
    assert points.grad.isfinite().all()
    step = torch.zeros_like(momenta[:3])
    step[:, 3, 1] = 1e-4
    amplitude = gluon_fusion_tth()
    difference = amplitude.coefficients(momenta[:3] + step, alpha_s_of(points)) - amplitude.coefficients(
        momenta[:3] - step, alpha_s_of(points)
    )
    torch.testing.assert_close(points.grad[:, 3, 1], difference[:, 0] / 2e-4, rtol=1e-5, atol=0)


def test_single_precision_is_refused(amplitude, momenta):
    with pytest.raises(ProcessError, match="float64"):
        amplitude.coefficients(momenta.float(), alpha_s_of(momenta))
