"""q qbar -> H t tbar by traces of explicit Dirac matrices: a third calculation, which fixes the sign of T-odd terms."""

import itertools
import math

import numpy as np
import pytest
import torch

from partonic.physics.phasespace.rambo import Rambo
from partonic.polynomial import Monomials
from partonic.processes.tth.amplitude import TTH_PARAMETERS, quark_annihilation_tth
from partonic.processes.tth.top_line import TopHiggsCouplings

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
UNIT = np.eye(4)
_PAULI = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]])]
_ZERO = np.zeros((2, 2))
GAMMA = [np.diag([1.0, 1, -1, -1]).astype(complex), *(np.block([[_ZERO, s], [-s, _ZERO]]) for s in _PAULI)]
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
COUPLINGS = TopHiggsCouplings(172.5, 125.0, 246.22)
ALPHA_S = 0.118


def dot(a, b):
    return a @ METRIC @ b


def slash(p):
    return sum(METRIC[mu, mu] * p[mu] * GAMMA[mu] for mu in range(4))


def dirac_adjoint(matrix):
    return GAMMA[0] @ matrix.conj().T @ GAMMA[0]


def top_line(momenta, theta):
    """ubar(t) ... v(tbar) without the spinors, for each Lorentz index of the virtual gluon."""
    p1, p2, higgs, top, antitop = momenta
    mass, v = COUPLINGS.top_mass, COUPLINGS.vacuum_expectation_value
    delta_kappa, kappa_tilde, c_tg = theta
    strong, q = math.sqrt(4 * math.pi * ALPHA_S), p1 + p2
    scalar, pseudoscalar = -1j * mass / v * UNIT, -1j * mass / v * 1j * GAMMA5
    first, last = top + higgs, antitop + higgs
    after = 1j * (slash(first) + mass * UNIT) / (dot(first, first) - mass**2)
    before = 1j * (-slash(last) + mass * UNIT) / (dot(last, last) - mass**2)
    lines = []
    for gamma in GAMMA:
        vertex = 1j * strong * gamma
        dipole = 1j * strong * v / (math.sqrt(2) * 1e6) * (slash(q) @ gamma - gamma @ slash(q))
        radiated = {
            name: yukawa @ after @ coupling + coupling @ before @ yukawa
            for name, yukawa, coupling in (
                ("S", scalar, vertex),
                ("P", pseudoscalar, vertex),
                ("D", scalar, dipole),
            )
        }
        lines.append(
            (1 + delta_kappa) * radiated["S"] + kappa_tilde * radiated["P"] + c_tg * (radiated["D"] + dipole / v)
        )
    return lines


def squared(momenta, theta):
    """|M|² averaged over initial and summed over final spins and colours."""
    p1, p2, _, top, antitop = momenta
    mass, q = COUPLINGS.top_mass, p1 + p2
    lines = top_line(momenta, theta)
    total = 0.0
    for mu, nu in itertools.product(range(4), repeat=2):
        light = np.trace(slash(p2) @ GAMMA[mu] @ slash(p1) @ GAMMA[nu]) * METRIC[mu, mu] * METRIC[nu, nu]
        heavy = np.trace(
            (slash(top) + mass * UNIT) @ lines[mu] @ (slash(antitop) - mass * UNIT) @ dirac_adjoint(lines[nu])
        )
        total += light * heavy
    colours, spins_and_colours = 2.0, 36.0  # Tr(T^a T^b) Tr(T^a T^b); 2 x 2 spins, 3 x 3 colours
    return (total * 4 * math.pi * ALPHA_S / dot(q, q) ** 2 * colours / spins_and_colours).real


@pytest.mark.parametrize("theta", [(0, 0, 0), (0.3, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (0.5, -0.3, 0.7)])
def test_quark_annihilation(torch_rng, theta):
    energy = torch.full((5,), 800.0, dtype=torch.float64)
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(torch.rand(5, 5, generator=torch_rng, dtype=torch.float64), energy)
    beams = torch.tensor([[400.0, 0, 0, 400], [400, 0, 0, -400]], dtype=torch.float64)
    momenta = torch.cat([beams.expand(5, 2, 4), final], dim=1)
    monomials = torch.from_numpy(Monomials.up_to_degree(TTH_PARAMETERS, 2).evaluate(theta))
    own = quark_annihilation_tth(2, COUPLINGS).coefficients(momenta, torch.full_like(energy, ALPHA_S)) @ monomials
    expected = torch.tensor([squared(point, theta) for point in momenta.numpy()], dtype=torch.float64)
    torch.testing.assert_close(own, expected, rtol=1e-11, atol=0)
