"""The section `process` for pp → H t q."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.process import ProcessConfig
from partonic.processes.top_decays import TopDecayConfig, check_top_decays

__all__ = ["SingleTopDecayConfig", "ThqConfig"]


class SingleTopDecayConfig(TopDecayConfig):
    """How the decay of the top enters the matrix element. Products are massless. Widths and masses in GeV."""

    tops: Literal["hadronic", "leptonic"] = "hadronic"
    """Decay of the W of the top."""


class ThqConfig(ProcessConfig):
    """pp → H t q and H t̄ q with θ = (kappa_e, kappa_o); final state in the order H, t, q. The SM is (1, 0).

    With `decays: in_matrix_element` the final state is H, b, f, f', q, with f the charged lepton or down-type quark.

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
    decays: Literal["shower", "in_matrix_element"] = "shower"
    """Who decays the top: the shower, without its spin, or the matrix element, with spin correlations and masses of t
    and W that follow their Breit–Wigner shapes."""
    top_decays: SingleTopDecayConfig = SingleTopDecayConfig()
    """The decay in the matrix element."""

    @model_validator(mode="after")
    def _decays_are_in_the_matrix_element(self) -> "ThqConfig":
        check_top_decays(self.decays, self.top_decays)
        return self
