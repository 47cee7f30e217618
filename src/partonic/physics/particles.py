"""Particles and the constants of the hard processes. Masses and widths in GeV."""

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["BOTTOM", "CHARM", "FERMI_CONSTANT", "HIGGS", "LIGHT_QUARKS", "TOP", "W_BOSON", "Z_BOSON", "Particle",
           "vacuum_expectation_value"]  # fmt: skip

FERMI_CONSTANT: Final = 1.16638e-5
"""G_F in GeV⁻² (Review of Particle Physics, rounded as in the reference analysis)."""


@dataclass(frozen=True)
class Particle:
    """A particle of a hard process.

    Attributes:
        name: as printed, e.g. ``"t"``.
        pdg_id: Monte-Carlo numbering of the Particle Data Group.
        mass: pole mass in GeV.
        width: total width in GeV.
    """

    name: str
    pdg_id: int
    mass: float = 0.0
    width: float = 0.0

    @property
    def antiparticle(self) -> "Particle":
        """The antiparticle (name with a bar, sign of the PDG identifier reversed)."""
        return Particle(f"{self.name}bar", -self.pdg_id, self.mass, self.width)


TOP: Final = Particle("t", 6, mass=172.5, width=1.42)
HIGGS: Final = Particle("H", 25, mass=125.0, width=0.0041)
W_BOSON: Final = Particle("W", 24, mass=80.379, width=2.085)
Z_BOSON: Final = Particle("Z", 23, mass=91.1876, width=2.4952)
BOTTOM: Final = Particle("b", 5)
CHARM: Final = Particle("c", 4)
LIGHT_QUARKS: Final = (1, 2, 3, 4, 5)
"""PDG identifiers of the quarks that are massless in the hard process and present in the proton."""


def vacuum_expectation_value(fermi_constant: float = FERMI_CONSTANT) -> float:
    """Return v = (√2 G_F)^(−1/2) in GeV, 246.22 for the default G_F."""
    return float((math.sqrt(2.0) * fermi_constant) ** -0.5)
