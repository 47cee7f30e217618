"""The section `process` for pp → H t t̄."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.process import ProcessConfig
from partonic.processes.top_decays import TopPairDecayConfig, check_top_decays

__all__ = ["TthConfig"]


class TthConfig(ProcessConfig):
    """pp → H t t̄ with θ = (delta_kappa_t, kappa_tilde_t, c_tG), Λ = 1 TeV; final state in the order H, t, t̄.

    With `decays: in_matrix_element` it is H, b, f, f', b̄, f, f': f is the charged lepton or down-type quark of each W.

    μ_F and μ_R are m_t + m_H/2 times their factors. Masses and energies in GeV.
    """

    name: Literal["tth"] = "tth"
    """Name of the process."""
    top_mass: float = Field(default=172.5, gt=0.0)
    """Top pole mass, also the mass in the Yukawa coupling."""
    higgs_mass: float = Field(default=125.0, gt=0.0)
    """Higgs pole mass."""
    fermi_constant: float = Field(default=1.16638e-5, gt=0.0)
    """G_F in GeV⁻²; the vacuum expectation value is (√2 G_F)^(−1/2)."""
    decays: Literal["shower", "in_matrix_element"] = "shower"
    """Who decays the tops: the shower, without their spins, or the matrix element, with spin correlations and masses of
    t and W that follow their Breit–Wigner shapes."""
    top_decays: TopPairDecayConfig = TopPairDecayConfig()
    """The decays in the matrix element."""

    @model_validator(mode="after")
    def _decays_are_in_the_matrix_element(self) -> "TthConfig":
        check_top_decays(self.decays, self.top_decays)
        return self
