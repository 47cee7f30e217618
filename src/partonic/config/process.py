"""The section `process` of an analysis file: which hard process, at which collider, with which constants."""

from typing import Literal

from pydantic import Field

from partonic.config.base import StrictModel
from partonic.config.paths import LocalPath

__all__ = ["PdfConfig", "ProcessConfig", "parameter_names"]

_PARAMETERS: dict[str, tuple[str, ...]] = {"tth": ("delta_kappa_t", "kappa_tilde_t", "c_tG"), "ttbb": ()}
_BOTTOM_MASS = 4.7


class PdfConfig(StrictModel):
    """Parton distributions."""

    name: str = "NNPDF31_lo_as_0130"
    """Name of an LHAPDF-format set. The default ships with Pythia 8."""
    folder: LocalPath | None = None
    """Folder with LHAPDF-format sets; by default those of `LHAPDF_DATA_PATH` and the sets shipped with Pythia 8."""
    member: int = Field(default=0, ge=0)
    """Member of the set; 0 is the central one."""


class ProcessConfig(StrictModel):
    """The hard process. Masses, widths and energies in GeV."""

    name: Literal["tth", "ttbb"] = "tth"
    """`tth`: pp → H t t̄ with θ = (delta_kappa_t, kappa_tilde_t, c_tG), Λ = 1 TeV; final state in the order H, t, t̄.
    `ttbb`: pp → t t̄ b b̄ of the strong interaction (g_s⁴) with massive b, without θ; final state in the order t, t̄, b,
    b̄. Its matrix element is generated when it is first used and needs the extra `ufo`."""
    collider_energy: float = Field(default=13000.0, gt=0.0)
    """√S of the proton–proton collisions."""
    top_mass: float = Field(default=172.5, gt=0.0)
    """Top pole mass, also the mass in the Yukawa coupling."""
    higgs_mass: float = Field(default=125.0, gt=0.0)
    """Higgs pole mass."""
    bottom_mass: float = Field(default=_BOTTOM_MASS, gt=0.0, exclude_if=lambda mass: mass == _BOTTOM_MASS)
    """Bottom pole mass in the matrix element of `ttbb`; the b of other processes is massless."""
    fermi_constant: float = Field(default=1.16638e-5, gt=0.0)
    """G_F in GeV⁻²; the vacuum expectation value is (√2 G_F)^(−1/2)."""
    pdf: PdfConfig = PdfConfig()
    """Parton distributions, which also give α_s(μ_R)."""
    factorization_scale_factor: float = Field(default=1.0, gt=0.0)
    """μ_F in units of m_t + m_H/2 for `tth`, of the mean transverse mass of t and t̄ for `ttbb`."""
    renormalization_scale_factor: float = Field(default=1.0, gt=0.0)
    """μ_R in units of m_t + m_H/2 for `tth`, of the geometric mean of the four transverse masses for `ttbb`."""


def parameter_names(process: str) -> tuple[str, ...]:
    """Return the names of the theory parameters of a process, in the order of θ."""
    return _PARAMETERS[process]
