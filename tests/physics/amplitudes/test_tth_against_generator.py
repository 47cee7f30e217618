"""Our ttH amplitudes against those of an independent generator, at 1,000 random points each."""

import pytest
import torch

from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.physics.particles import vacuum_expectation_value
from partonic.physics.phasespace.rambo import Rambo
from partonic.polynomial import Monomials
from partonic.processes.tth.amplitude import (
    TTH_PARAMETERS,
    TopHiggsCouplings,
    gluon_fusion_tth,
    quark_annihilation_tth,
)

pytestmark = pytest.mark.slow  # the matrix elements must be generated first, some 20 s

ALPHA_S = 0.118
POINTS = 1000
PARAMETERS = {"aS": ALPHA_S, "Gf": 1.16639e-5, "MT": 172.5, "ymt": 172.5, "MH": 125.0}
COUPLINGS = TopHiggsCouplings(172.5, 125.0, vacuum_expectation_value(1.16639e-5))
MONOMIALS = Monomials.up_to_degree(TTH_PARAMETERS, 2)
TEN_DIGITS = {"rtol": 1e-9, "atol": 0.0}

# The generator's Dirac matrices have the opposite handedness, so its terms with a Levi-Civita tensor (naively T-odd)
# have the opposite sign: its value at the mirrored point is the right one. Our sign is checked in test_tth_traces.py.
MIRROR = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)


def own_amplitude(channel):
    if channel == "gg":
        return gluon_fusion_tth(COUPLINGS)
    return quark_annihilation_tth(2 if channel == "uubar" else -2, COUPLINGS)


def random_points(generator):
    """Points from just above threshold to 3 TeV, in the centre-of-mass frame."""
    numbers = torch.rand(POINTS, 5, generator=generator, dtype=torch.float64)
    energy = 475.0 + 2500.0 * torch.rand(POINTS, generator=generator, dtype=torch.float64) ** 3
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(numbers, energy)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64)
    return torch.cat([beams * energy[:, None, None] / 2, final], dim=1)


def own_values(channel, momenta, theta):
    alpha_s = torch.full((len(momenta),), ALPHA_S, dtype=torch.float64)
    monomials = torch.from_numpy(MONOMIALS.evaluate(list(theta)))
    return own_amplitude(channel).coefficients(momenta, alpha_s) @ monomials


def external(tth_generator, channel, momenta):
    """Return the external matrix element of a channel and the momenta in its order; ubar u is u ubar swapped."""
    if channel == "ubaru":
        return tth_generator["uubar"], momenta[:, [1, 0, 2, 3, 4]]
    return tth_generator[channel], momenta


def generator_values(element, momenta, theta):
    element.set_parameters({**PARAMETERS, **dict(zip(TTH_PARAMETERS, theta, strict=True))})
    return element.squared(momenta)


@pytest.mark.parametrize("channel", ["gg", "uubar", "ubaru"])
@pytest.mark.parametrize("theta", [(0.0, 0.0, 0.0), (-0.3, 0.0, 0.0), (0.0, 0.7, 0.0), (0.4, -1.2, 0.0)])
def test_modified_yukawa_coupling(tth_generator, torch_rng, channel, theta):
    momenta = random_points(torch_rng)
    element, external_momenta = external(tth_generator, channel, momenta)
    expected = generator_values(element, external_momenta, theta)
    torch.testing.assert_close(own_values(channel, momenta, theta), expected, **TEN_DIGITS)


@pytest.mark.parametrize("channel", ["uubar", "ubaru"])
def test_all_ten_coefficients_of_quark_annihilation(tth_generator, torch_rng, channel):
    momenta = random_points(torch_rng)
    alpha_s = 0.09 + 0.06 * torch.rand(POINTS, generator=torch_rng, dtype=torch.float64)
    element, external_momenta = external(tth_generator, channel, momenta * MIRROR)
    element.set_parameters(PARAMETERS)
    expected = MorphedAmplitude(element, MONOMIALS).coefficients(external_momenta, alpha_s)
    own = own_amplitude(channel).coefficients(momenta, alpha_s)
    size = own[:, :1]  # the Standard Model: coefficients that vanish are compared with it
    torch.testing.assert_close(own / size, expected / size, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("theta", [(0.2, -0.5, 0.5), (0.0, 1.0, -2.0)])
def test_chromomagnetic_dipole_at_a_point(tth_generator, torch_rng, theta):
    momenta = random_points(torch_rng)
    expected = generator_values(tth_generator["uubar"], momenta * MIRROR, theta)
    torch.testing.assert_close(own_values("uubar", momenta, theta), expected, **TEN_DIGITS)


def test_colour_flows_of_gluon_fusion(tth_generator, torch_rng):
    momenta, theta = random_points(torch_rng), (0.3, -0.6, 0.0)
    element, own = tth_generator["gg"], own_amplitude("gg")
    element.set_parameters({**PARAMETERS, **dict(zip(TTH_PARAMETERS, theta, strict=True))})
    alpha_s = torch.full((POINTS,), ALPHA_S, dtype=torch.float64)
    weights = own.flow_weights(momenta, alpha_s, torch.tensor(theta, dtype=torch.float64))
    assert element.colour_flows == own.colour_flows
    torch.testing.assert_close(_fractions(weights), _fractions(element.flow_squared(momenta)), **TEN_DIGITS)


def _fractions(weights):
    return weights / weights.sum(dim=1, keepdim=True)
