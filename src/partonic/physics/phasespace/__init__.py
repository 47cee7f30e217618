"""Phase space: maps between numbers in the unit cube and momenta, each forward and inverse with its log-Jacobian."""

from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.fractions import MomentumFractions
from partonic.physics.phasespace.mass_rapidity import MassRapidity
from partonic.physics.phasespace.parton_cube import PartonCube
from partonic.physics.phasespace.rambo import Rambo

__all__ = ["BreitWigner", "MassRapidity", "MomentumFractions", "PartonCube", "Rambo"]
