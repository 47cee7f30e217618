"""The electroweak sector at tree level in the scheme (m_W, m_Z, G_F): couplings of W, Z and photon.

    v = (√2 G_F)^(−1/2),   g = 2 m_W/v,   cos θ_W = m_W/m_Z,   e = g sin θ_W

and, for incoming particles and D = ∂ − i g W·T − i g' B Y, the vertices i γ^μ (g_L P_L + g_R P_R) with
g_L = (g/cos θ_W)(T_3 − Q sin²θ_W), g_R = −(g/cos θ_W) Q sin²θ_W for the Z,
e Q for the photon and g/√2 (left) for the W.
"""

import math
from dataclasses import dataclass

from partonic.errors import ProcessError
from partonic.physics.particles import FERMI_CONSTANT, W_BOSON, Z_BOSON, vacuum_expectation_value

__all__ = ["ElectroweakScheme", "charge_of", "isospin_of"]


def charge_of(pdg: int) -> float:
    """Return the electric charge of a quark, lepton or W in units of e; antiparticles have the opposite one.

    Raises:
        ProcessError: for another particle.
    """
    size = abs(pdg)
    if size == W_BOSON.pdg_id:
        charge = 1.0
    elif 1 <= size <= 6:
        charge = 2.0 / 3.0 if size % 2 == 0 else -1.0 / 3.0
    elif 11 <= size <= 16:
        charge = 0.0 if size % 2 == 0 else -1.0
    else:
        message = f"the charge of particle {pdg} is not known here: expected a quark (1 to 6), a lepton (11 to 16) or W"
        raise ProcessError(message)
    return charge if pdg > 0 else -charge


def isospin_of(pdg: int) -> float:
    """Return T_3 of a left-handed quark or lepton: ½ for u, c, t and neutrinos, −½ for d, s, b and e, μ, τ.

    Raises:
        ProcessError: for anything but a quark or lepton (antiparticles have the opposite sign: ask for the particle).
    """
    if not (1 <= pdg <= 6 or 11 <= pdg <= 16):
        raise ProcessError(f"the weak isospin of particle {pdg} is not known here: expected a quark or lepton")
    return 0.5 if pdg % 2 == 0 else -0.5


@dataclass(frozen=True)
class ElectroweakScheme:
    """Masses, widths (GeV) and G_F (GeV⁻²), and the couplings that follow.

    Attributes:
        w_mass, z_mass: pole masses of W and Z.
        fermi_constant: G_F.
        w_width, z_width: total widths.

    Raises:
        ProcessError: unless 0 < m_W < m_Z and G_F is positive.
    """

    w_mass: float = W_BOSON.mass
    z_mass: float = Z_BOSON.mass
    fermi_constant: float = FERMI_CONSTANT
    w_width: float = W_BOSON.width
    z_width: float = Z_BOSON.width

    def __post_init__(self) -> None:
        if not (0.0 < self.w_mass < self.z_mass and self.fermi_constant > 0.0):
            raise ProcessError(
                f"the electroweak scheme needs 0 < m_W < m_Z and a positive G_F, got m_W = {self.w_mass} GeV, "
                f"m_Z = {self.z_mass} GeV, G_F = {self.fermi_constant} GeV⁻²"
            )

    @property
    def vacuum_expectation_value(self) -> float:
        """The value v in GeV."""
        return vacuum_expectation_value(self.fermi_constant)

    @property
    def cosine(self) -> float:
        """Cosine of the weak mixing angle."""
        return self.w_mass / self.z_mass

    @property
    def sine(self) -> float:
        """Sine of the weak mixing angle."""
        return math.sqrt(1.0 - self.cosine**2)

    @property
    def weak_coupling(self) -> float:
        """Coupling g of SU(2)."""
        return 2.0 * self.w_mass / self.vacuum_expectation_value

    @property
    def hypercharge_coupling(self) -> float:
        """Coupling g' of U(1)."""
        return self.weak_coupling * self.sine / self.cosine

    @property
    def electric_charge(self) -> float:
        """Charge e."""
        return self.weak_coupling * self.sine

    def z_couplings(self, pdg: int) -> tuple[float, float]:
        """Return g_L and g_R of the Z to a quark or lepton (the particle, not the antiparticle)."""
        factor = self.weak_coupling / self.cosine
        right = -factor * charge_of(pdg) * self.sine**2
        return factor * isospin_of(pdg) + right, right
