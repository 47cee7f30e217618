"""What the sections `process` of WH and ZH share."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError
from partonic.config.process import ProcessConfig

__all__ = ["VectorHiggsConfig"]


class VectorHiggsConfig(ProcessConfig):
    """pp → V H with V → ℓ ℓ' in the matrix element. Masses, widths and energies in GeV, Λ = 1 TeV."""

    collider_energy: float = Field(default=13600.0, gt=0.0)
    """√S of the proton–proton collisions."""
    higgs_mass: float = Field(default=125.0, gt=0.0)
    """Higgs pole mass."""
    w_mass: float = Field(default=80.379, gt=0.0)
    """W pole mass; with `z_mass` and `fermi_constant` it fixes all couplings."""
    z_mass: float = Field(default=91.1876, gt=0.0)
    """Z pole mass."""
    w_width: float = Field(default=2.085, gt=0.0)
    """W width."""
    z_width: float = Field(default=2.4952, gt=0.0)
    """Z width."""
    fermi_constant: float = Field(default=1.16638e-5, gt=0.0)
    """G_F in GeV⁻²; the vacuum expectation value is (√2 G_F)^(−1/2)."""
    decays: Literal["leptons", "none"] = "leptons"
    """Decay of V in the matrix element, with Breit–Wigner shape and spin correlations; with `none` V is on its mass
    shell, for studies of partons (the shower then decays it without polarisation), and what follows of leptons does not
    apply."""
    leptons: tuple[Literal["e", "mu"], ...] = Field(default=("e", "mu"), min_length=1)
    """Lepton flavours of the decay of V."""
    lepton_pair_mass_range: tuple[float, float] = (1.0, 300.0)
    """Range of the invariant mass of the two leptons in which events are generated."""
    scale: Literal["invariant_mass", "sum_of_masses"] = "invariant_mass"
    """Factorisation scale, times its factor: mass of the system V H, or m_V + m_H. α_s does not enter."""

    @model_validator(mode="after")
    def _consistent(self) -> "VectorHiggsConfig":
        if len(set(self.leptons)) != len(self.leptons):
            raise SettingError(("leptons",), f"a flavour is listed twice in {list(self.leptons)}")
        if not self.w_mass < self.z_mass:
            raise SettingError(("w_mass",), f"must be below z_mass ({self.z_mass:g} GeV), got {self.w_mass:g}")
        lower, upper = self.lepton_pair_mass_range
        if not 0.0 < lower < upper < self.collider_energy - self.higgs_mass:
            message = "must begin above 0, end later and leave room for higgs_mass below collider_energy"
            raise SettingError(("lepton_pair_mass_range",), f"{message}, got {[lower, upper]}")
        return self

    @property
    def is_decayed(self) -> bool:
        """Whether the leptons are in the matrix element."""
        return self.decays == "leptons"

    @property
    def lepton_ids(self) -> tuple[int, ...]:
        """PDG identifiers of the charged leptons (not the antileptons)."""
        return tuple({"e": 11, "mu": 13}[flavour] for flavour in self.leptons)
