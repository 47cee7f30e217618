"""The section `process` for pp → W H."""

from typing import Literal

from partonic.processes.vector_higgs_settings import VectorHiggsConfig

__all__ = ["WhConfig"]


class WhConfig(VectorHiggsConfig):
    """q q̄' → W± H, W → ℓν with θ = (c_Hq3, g2_ZZ, g4_ZZ), Λ = 1 TeV; order H, ℓ, ν.

    The other parameters of ZH have no effect here. Masses, widths and energies in GeV.
    """

    name: Literal["wh"] = "wh"
    """Name of the process."""
