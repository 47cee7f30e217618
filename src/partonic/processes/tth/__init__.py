"""pp → t t̄ H with CP-violating Yukawa coupling and chromomagnetic dipole of the top quark."""

from partonic.processes.tth.definition import definition

__all__ = ["definition"]
