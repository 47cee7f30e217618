"""Higgs-strahlung: all Warsaw operators at reference points, closed forms, gauge invariance, CP and symmetries."""

import math

import pytest
import torch
from tests.reference.vh_points import REFERENCE

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.higgs_form_factors import HiggsFormFactors
from partonic.physics.amplitudes.higgs_strahlung import (
    ExchangedBoson,
    HiggsStrahlung,
    Insertion,
    lorentz_structures,
)
from partonic.physics.amplitudes.wavefunctions import component_first, incoming_massless_current
from partonic.physics.electroweak import ElectroweakScheme, charge_of, isospin_of
from partonic.physics.fourvector import boost, minkowski_dot, minkowski_square, rotate
from partonic.physics.phasespace.rambo import Rambo

SCHEME = ElectroweakScheme()
RELATIVE = (SCHEME.vacuum_expectation_value / 1000.0) ** 2
WARSAW = (("HW", "c_hw"), ("HB", "c_hb"), ("HWB", "c_hwb"))


def neutral(particles):
    """Z and γ with all operators; c_HWB mixes W³ and B and so shifts the couplings of the Z by the charge."""
    quark, decayed = particles[0], len(particles) == 5
    charge, isospin, e = charge_of(quark), isospin_of(quark), SCHEME.electric_charge
    bosons = (
        ExchangedBoson(SCHEME.z_mass, SCHEME.z_width * decayed, SCHEME.z_couplings(quark), SCHEME.z_couplings(11)),
        ExchangedBoson(0.0, 0.0, (e * charge, e * charge), (-e, -e)),
    )
    current = -0.5 * SCHEME.weak_coupling / SCHEME.cosine * RELATIVE
    mixing = SCHEME.weak_coupling * SCHEME.sine * RELATIVE
    terms = {
        "cHq1": Insertion.of_current((current, 0.0)),
        "cHq3": Insertion.of_current((-2.0 * isospin * current, 0.0)),
        "cHu": Insertion.of_current((0.0, current * (quark == 2))),
        "cHd": Insertion.of_current((0.0, current * (quark == 1))),
    }
    for name, argument in WARSAW:
        matrix = HiggsFormFactors.from_warsaw(SCHEME, **{argument: 1.0}).neutral
        shift = mixing if name == "HWB" else 0.0
        terms[f"c{name}"] = Insertion((charge * shift,) * 2, lepton=(-shift, -shift), even=matrix)
        terms[f"c{name}til"] = Insertion(odd=matrix)
    return bosons, terms


def charged(particles):
    coupling, decayed = SCHEME.weak_coupling / math.sqrt(2.0), len(particles) == 5
    bosons = (ExchangedBoson(SCHEME.w_mass, SCHEME.w_width * decayed, (coupling, 0.0), (coupling, 0.0)),)
    matrix = ((HiggsFormFactors.from_warsaw(SCHEME, c_hw=1.0).ww(SCHEME),),)
    terms = {
        "cHq3": Insertion.of_current((coupling * RELATIVE, 0.0)),
        "cHW": Insertion(even=matrix),
        "cHWtil": Insertion(odd=matrix),
    }
    return bosons, terms


def amplitude_of(particles):
    bosons, terms = neutral(particles) if particles[0] == -particles[1] else charged(particles)
    return HiggsStrahlung(particles, bosons, tuple(terms.items()), SCHEME.vacuum_expectation_value)


def events_of(particles, generator, points=200, energy=600.0):
    masses = (125.0, 0.0, 0.0) if len(particles) == 5 else (125.0, {23: SCHEME.z_mass}.get(particles[3], SCHEME.w_mass))
    numbers = torch.rand(points, 3 * len(masses) - 4, generator=generator, dtype=torch.float64)
    final, _ = Rambo(masses).forward(numbers, torch.full((points,), energy, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * energy / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


def coefficients_of(amplitude, momenta):
    return amplitude.coefficients(momenta, momenta.new_ones(len(momenta)))


@pytest.mark.parametrize("particles", list(REFERENCE))
def test_reference_points(particles):
    momenta, expected = REFERENCE[particles]
    amplitude = amplitude_of(particles)
    values = coefficients_of(amplitude, torch.tensor(momenta, dtype=torch.float64))
    names = amplitude.monomials.names
    compared = [name for name in expected if name in names]
    assert len(compared) == len(expected)
    for name in compared:
        reference = values.new_tensor(expected[name])
        error = (values[:, names.index(name)] - reference).abs()
        assert (error <= 1e-9 * reference.abs() + 1e-13 * values[:, 0]).all(), name


def test_closed_form_on_shell(torch_rng):
    """(1/12)(g⁴m_W²/2)/(s − m_W²)² times Σ |J·ε|² = s + 4 (p₁·k)(p₂·k)/m_W² = (t u − m_H² m_W² + 2 s m_W²)/m_W²."""
    momenta = events_of((2, -1, 25, 24), torch_rng)
    s = minkowski_square(momenta[:, 0] + momenta[:, 1])
    t, u = (minkowski_square(momenta[:, i] - momenta[:, 3]) for i in (0, 1))
    mass_square = SCHEME.w_mass**2
    lorentz = (t * u - mass_square * 125.0**2 + 2.0 * s * mass_square) / (s - mass_square).square()
    expected = SCHEME.weak_coupling**4 / 24.0 * lorentz
    values = coefficients_of(amplitude_of((2, -1, 25, 24)), momenta)[:, 0]
    torch.testing.assert_close(values, expected, rtol=1e-11, atol=0.0)


@pytest.mark.parametrize("replaced", ["quark", "outgoing"])
def test_field_strengths_are_gauge_invariant(torch_rng, replaced):
    """T₂ and T₃ vanish where a current is replaced by its momentum, whatever the other one; currents are conserved."""
    momenta = component_first(events_of((2, -2, 25, 11, -11), torch_rng))
    total, k = momenta[0] + momenta[1], momenta[3] + momenta[4]
    quark = incoming_massless_current(momenta[0], momenta[1])[:, None]
    lepton = incoming_massless_current(momenta[4], momenta[3])[:, None]
    physical = lorentz_structures(total, k, quark, lepton)
    energies = {"quark": (total[:, None] + 0j, lepton), "outgoing": (quark, k[:, None])}
    longitudinal = lorentz_structures(total, k, *energies[replaced])
    assert (longitudinal[1:].abs() / physical[1:].abs().amax(dim=-1, keepdim=True)).max() < 1e-12
    for vector, current in ((total, quark), (k, lepton)):
        product = vector[0] * current[0, 0] - (vector[1:] * current[1:, 0]).sum(dim=0)
        assert product.abs().max() < 1e-9 * current.abs().max() * vector[0].max()


def test_currents_grow_with_energy_and_keep_the_angles(torch_rng):
    """δg with its contact term is the SM's amplitude times δg/g q²/m²: so are its linear and quadratic terms."""
    for energy in (300.0, 3000.0):
        momenta = events_of((2, -1, 25, 24), torch_rng, energy=energy)
        amplitude = amplitude_of((2, -1, 25, 24))
        values, names = coefficients_of(amplitude, momenta), amplitude.monomials.names
        growth = RELATIVE * energy**2 / SCHEME.w_mass**2
        torch.testing.assert_close(values[:, names.index("cHq3")], 2.0 * growth * values[:, 0], rtol=1e-9, atol=0.0)
        torch.testing.assert_close(values[:, names.index("cHq3^2")], growth**2 * values[:, 0], rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("particles", [(2, -1, 25, -11, 12), (2, -2, 25, 11, -11), (1, -1, 25, 11, -11)])
def test_cp(torch_rng, particles):
    """The CP conjugate at reflected momenta has the same |M|², but for the sign of odd powers of dual operators."""
    momenta = events_of(particles, torch_rng)
    amplitude = amplitude_of(particles)
    conjugate_particles = tuple(-pdg if pdg != 25 else 25 for pdg in particles)
    conjugate = HiggsStrahlung(
        conjugate_particles, amplitude.bosons, amplitude.insertions, amplitude.vacuum_expectation_value
    )
    reflected = momenta * torch.tensor([1.0, -1, -1, -1], dtype=torch.float64)
    values, others = coefficients_of(amplitude, momenta), coefficients_of(conjugate, reflected)
    odd = [index for index, (name, _) in enumerate(amplitude.insertions) if name.endswith("til")]
    signs = values.new_tensor([(-1.0) ** sum(powers[i] for i in odd) for powers in amplitude.monomials.exponents])
    assert ((others - signs * values).abs() <= 1e-9 * values.abs() + 1e-10 * values[:, :1]).all()
    assert (values[:, signs < 0].abs().amax(dim=0) > 0).any()


@pytest.mark.parametrize("particles", [(2, -1, 25, -11, 12), (1, -1, 25, 11, -11), (2, -2, 25, 23)])
def test_lorentz_invariance_and_beam_order(torch_rng, particles):
    momenta = events_of(particles, torch_rng)
    amplitude = amplitude_of(particles)
    axis, velocity = torch.tensor([2.0, -1.0, 2.0]).double() / 3.0, torch.tensor([0.3, -0.5, 0.4]).double()
    expected = coefficients_of(amplitude, momenta)
    moved = coefficients_of(amplitude, boost(rotate(momenta, axis, torch.tensor(1.1).double()), velocity))
    scale = expected.abs().amax(dim=0) + expected[:, :1]
    assert ((moved - expected).abs() / scale).max() < 1e-9
    swapped = HiggsStrahlung(
        (particles[1], particles[0], *particles[2:]), amplitude.bosons, amplitude.insertions,
        amplitude.vacuum_expectation_value,
    )  # fmt: skip
    order = [1, 0, *range(2, len(particles))]
    assert ((coefficients_of(swapped, momenta[:, order]) - expected).abs() / scale).max() < 1e-12
    assert swapped.colour_flows[0][:2] == ((0, 501), (501, 0))


@pytest.mark.parametrize("particles", list(REFERENCE))
def test_squares_are_positive(torch_rng, particles):
    amplitude, generator = amplitude_of(particles), torch_rng
    values = coefficients_of(amplitude, events_of(particles, generator, points=50))
    theta = 10.0 * torch.randn(100, len(amplitude.insertions), generator=generator, dtype=torch.float64)
    squares = values @ torch.as_tensor(amplitude.monomials.evaluate(theta.numpy())).T
    assert (squares > -1e-12 * squares.abs().amax(dim=1, keepdim=True)).all()


def test_lepton_tensor_at_rest_against_polarization_sum(torch_rng):
    """Integrated over the directions of the leptons at k² = m², the decayed |M|² is the one on shell times
    g_ℓ² m²/(12π)/(mΓ)²: the phase space 1/8π times the mean of the leptons' tensor."""
    bosons, terms = charged((2, -1, 25, -11, 12))
    on_shell = amplitude_of((2, -1, 25, 24))
    sharp = (ExchangedBoson(SCHEME.w_mass, 1e-6, bosons[0].quark, bosons[0].lepton),)
    decayed = HiggsStrahlung((2, -1, 25, -11, 12), sharp, tuple(terms.items()), SCHEME.vacuum_expectation_value)
    momenta = events_of((2, -1, 25, 24), torch_rng, points=3)
    # the tensor is quadratic in the direction: the six corners of an octahedron average it without error
    directions = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    leptons = torch.cat([torch.ones(6, 1).double(), directions], dim=1) * SCHEME.w_mass / 2
    velocity = (momenta[:, 3, 1:] / momenta[:, 3, :1])[:, None].expand(3, 6, 3)
    first = boost(leptons.expand(3, 6, 4), velocity)
    whole = torch.cat(
        [momenta[:, None, :3].expand(3, 6, 3, 4), first[:, :, None], (momenta[:, None, 3] - first)[:, :, None]], dim=2
    )
    torch.testing.assert_close(
        minkowski_dot(whole[..., 4, :], whole[..., 4, :]), torch.zeros(3, 6).double(), rtol=0, atol=1e-7
    )
    mean = coefficients_of(decayed, whole.reshape(18, 5, 4)).reshape(3, 6, -1).mean(dim=1)
    expected = coefficients_of(on_shell, momenta) * (
        2.0 / 3.0 * bosons[0].lepton[0] ** 2 * SCHEME.w_mass**2 / (SCHEME.w_mass * 1e-6) ** 2
    )
    assert ((mean - expected).abs() <= 1e-5 * expected.abs() + 1e-9 * expected[:, :1]).all()


def test_protocol_and_helicities():
    amplitude = amplitude_of((2, -1, 25, -11, 12))
    assert isinstance(amplitude, Amplitude)
    assert amplitude.colour_flows == (((501, 0), (0, 501), (0, 0), (0, 0), (0, 0)),)
    momenta = component_first(torch.tensor(REFERENCE[(2, -1, 25, -11, 12)][0], dtype=torch.float64))
    assert amplitude.amplitudes(momenta).shape == (4, 1, 1, 3)
    theta = torch.zeros(3, dtype=torch.float64)
    flows = amplitude.flow_weights(momenta.permute(2, 0, 1), torch.ones(3, dtype=torch.float64), theta)
    assert flows.tolist() == [[1.0]] * 3


@pytest.mark.parametrize("particles", [(2, 1, 25, 24), (2, -1, 25, 11, 12), (2, -1, 25), (2, -1, 25, 11, -11, 22)])
def test_other_particles_are_refused(particles):
    bosons, _ = charged((2, -1, 25, 24))
    with pytest.raises(ProcessError, match="Higgs-strahlung needs"):
        HiggsStrahlung(particles, bosons)


def test_momenta_of_other_shape_or_precision_are_refused(torch_rng):
    amplitude = amplitude_of((2, -1, 25, 24))
    momenta = events_of((2, -1, 25, 24), torch_rng, points=2)
    for wrong in (momenta.float(), momenta[:, :3]):
        with pytest.raises(ProcessError, match="float64 momenta"):
            coefficients_of(amplitude, wrong)
