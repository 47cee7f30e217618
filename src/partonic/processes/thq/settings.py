"""The section `process` for pp → H t q."""

from typing import Literal

from pydantic import Field

from partonic.config.process import ProcessConfig

__all__ = ["ThqConfig"]


class ThqConfig(ProcessConfig):
    """pp → H t q and H t̄ q with θ = (kappa_e, kappa_o); final state in the order H, t, q. The SM is (1, 0).

    μ_F is (m_t + m_H)/4 times its factor, and there is no strong coupling. Masses and energies in GeV.
    """

    name: Literal["thq"] = "thq"
    """Name of the process."""
    top_mass: float = Field(default=172.5, gt=0.0)
    """Top pole mass, also the mass in the Yukawa coupling."""
    higgs_mass: float = Field(default=125.0, gt=0.0)
    """Higgs pole mass."""
    w_mass: float = Field(default=80.379, gt=0.0)
    """W pole mass."""
    w_width: float = Field(default=0.0, ge=0.0)
    """W width in the two propagators, which are space-like and need none."""
    fermi_constant: float = Field(default=1.16638e-5, gt=0.0)
    """G_F in GeV⁻²; with the W mass it gives v = (√2 G_F)^(−1/2) and g = 2m_W/v."""
