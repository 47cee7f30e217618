"""The section `process` for pp → Z H."""

from typing import Literal

from partonic.processes.vector_higgs_settings import VectorHiggsConfig

__all__ = ["ZhConfig"]


class ZhConfig(VectorHiggsConfig):
    """q q̄ → Z H, Z → ℓ⁺ℓ⁻ with θ = (c_Hq1, c_Hq3, c_Hu, c_Hd, g2_ZZ, g4_ZZ), Λ = 1 TeV; order H, ℓ⁻, ℓ⁺.

    Masses, widths and energies in GeV.
    """

    name: Literal["zh"] = "zh"
    """Name of the process."""
    lepton_pair_mass_range: tuple[float, float] = (60.0, 120.0)
    """Range of the invariant mass of the two leptons in which events are generated."""
