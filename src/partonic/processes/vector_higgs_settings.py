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
    vector_decay: Literal["in_matrix_element", "none"] = "in_matrix_element"
    """Whether the matrix element has the leptons, with the Breit–Wigner shape and spin correlations of V, or V itself on
    its mass shell (for studies of partons: the shower then decays it without polarisation)."""
    leptons: tuple[Literal["e", "mu"], ...] = Field(default=("e", "mu"), min_length=1)
    """Lepton flavours of the decay of V."""
    lepton_pair_mass_min: float = Field(default=1.0, gt=0.0)
    """Smallest invariant mass of the two leptons."""
    lepton_pair_mass_max: float = Field(default=300.0, gt=0.0)
    """Largest invariant mass of the two leptons."""
    scale: Literal["invariant_mass", "sum_of_masses"] = "invariant_mass"
    """Factorisation scale, times its factor: mass of the system V H, or m_V + m_H. α_s does not enter."""

    @model_validator(mode="after")
    def _consistent(self) -> "VectorHiggsConfig":
        if len(set(self.leptons)) != len(self.leptons):
            raise SettingError(("leptons",), f"a flavour is listed twice in {list(self.leptons)}")
        if not self.w_mass < self.z_mass:
            raise SettingError(("w_mass",), f"must be below z_mass ({self.z_mass:g} GeV), got {self.w_mass:g}")
        if not self.lepton_pair_mass_min < self.lepton_pair_mass_max:
            message = f"must exceed lepton_pair_mass_min ({self.lepton_pair_mass_min:g} GeV)"
            raise SettingError(("lepton_pair_mass_max",), f"{message}, got {self.lepton_pair_mass_max:g}")
        if not self.lepton_pair_mass_max + self.higgs_mass < self.collider_energy:
            message = f"with higgs_mass must stay below collider_energy ({self.collider_energy:g} GeV)"
            raise SettingError(("lepton_pair_mass_max",), f"{message}, got {self.lepton_pair_mass_max:g}")
        return self

    @property
    def is_decayed(self) -> bool:
        """Whether the leptons are in the matrix element."""
        return self.vector_decay == "in_matrix_element"

    @property
    def lepton_ids(self) -> tuple[int, ...]:
        """PDG identifiers of the charged leptons (not the antileptons)."""
        return tuple({"e": 11, "mu": 13}[flavour] for flavour in self.leptons)
