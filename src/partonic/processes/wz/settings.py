"""The section `process` for pp → W±Z → 3ℓν."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError
from partonic.config.process import ProcessConfig

__all__ = ["WzConfig"]


class WzConfig(ProcessConfig):
    """pp → W±Z → ℓν ℓ⁻ℓ⁺ with θ = (c_PhiWB, c_WWW, c_Phiq3), Λ = 1 TeV; final state in the order ℓ_W, ν, ℓ⁻, ℓ⁺.

    With `decays: none` W and Z are on their mass shells and the final state is W, Z.

    μ_F and μ_R are (m_W + m_Z)/2 times their factors. Masses, widths and energies in GeV.
    """

    name: Literal["wz"] = "wz"
    """Name of the process."""
    collider_energy: float = Field(default=13600.0, gt=0.0)
    """√S of the proton–proton collisions."""
    w_mass: float = Field(default=80.379, gt=0.0)
    """Pole mass of the W, an input of the electroweak scheme."""
    w_width: float = Field(default=2.085, gt=0.0)
    """Width of the W."""
    z_mass: float = Field(default=91.1876, gt=0.0)
    """Pole mass of the Z, an input of the electroweak scheme."""
    z_width: float = Field(default=2.4952, gt=0.0)
    """Width of the Z."""
    fermi_constant: float = Field(default=1.16638e-5, gt=0.0)
    """G_F in GeV⁻², an input of the electroweak scheme."""
    decays: Literal["leptons", "none"] = "leptons"
    """Decays in the matrix element; with `none` W and Z have no widths, and what follows does not apply."""
    leptons: tuple[Literal["e", "mu"], ...] = Field(default=("e", "mu"), min_length=1)
    """Flavours of the leptons of W and Z."""
    diagrams: Literal["full", "doubly_resonant"] = "full"
    """All diagrams of the final state, or those with a W and a Z or photon only."""
    z_mass_range: tuple[float, float] = (66.0, 116.0)
    """Range of the invariant mass of ℓ⁻ℓ⁺ in which events are generated; it keeps the photon pole away."""
    pair_mass_min: float = Field(default=12.0, gt=0.0)
    """Smallest invariant mass of the other pair of opposite charge of eee and μμμ events, which has a photon pole: Wγ*,
    which analyses of three leptons cut off at about 12 GeV."""
    lepton_pt_min: float = Field(default=0.0, ge=0.0)
    """Smallest pT of the three charged leptons of generated events."""
    lepton_eta_max: float | None = Field(default=None, gt=0.0)
    """Largest |η| of the three charged leptons of generated events; None: no limit."""

    @model_validator(mode="after")
    def _consistent(self) -> "WzConfig":
        if not self.w_mass < self.z_mass:
            message = f"must be below z_mass ({self.z_mass:g} GeV), got {self.w_mass:g}: the mixing angle is not real"
            raise SettingError(("w_mass",), message)
        if not 0.0 < self.z_mass_range[0] < self.z_mass_range[1]:
            message = f"must begin above 0 and end later, got {list(self.z_mass_range)}"
            raise SettingError(("z_mass_range",), message)
        if len(set(self.leptons)) != len(self.leptons):
            raise SettingError(("leptons",), f"a flavour is listed twice in {list(self.leptons)}")
        if self.decays == "none":
            cut = {"lepton_pt_min": self.lepton_pt_min > 0.0, "lepton_eta_max": self.lepton_eta_max is not None}
            for key in (name for name, is_set in cut.items() if is_set):
                raise SettingError((key,), "is a cut on leptons, of which there are none with decays: none")
        return self
