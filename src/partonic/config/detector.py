"""The detector response: efficiencies, resolutions, identification and b tagging, as tables that can be changed.

The defaults are the numbers of the public fast-simulation card for CMS (docs/explanation/simulation.md). Transverse
momenta and energies are in GeV. A band holds for |η| up to its `eta_max`, from the end of the band before; beyond the
last band nothing is measured.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from partonic.config.base import StrictModel

__all__ = [
    "CalorimeterBand",
    "DetectorConfig",
    "EfficiencyBand",
    "FlavourTagConfig",
    "LeptonConfig",
    "PhotonConfig",
    "TrackingBand",
    "TrackingConfig",
]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]


class EfficiencyBand(StrictModel):
    """Efficiency in steps of pT, for |η| up to `eta_max`."""

    eta_max: float = Field(gt=0.0)
    """Upper end of the band in |η|."""

    pt_above: tuple[NonNegative, ...]
    """Lower ends of the steps in pT, ascending, in GeV; below the first one the efficiency is 0."""

    efficiency: tuple[Probability, ...]
    """Efficiency for pT above each of `pt_above`."""

    @model_validator(mode="after")
    def _steps_match(self) -> "EfficiencyBand":
        if len(self.pt_above) != len(self.efficiency) or list(self.pt_above) != sorted(set(self.pt_above)):
            message = (
                f"pt_above must ascend and be as long as efficiency, got {list(self.pt_above)} and "
                f"{list(self.efficiency)}"
            )
            raise ValueError(message)
        return self


class TrackingBand(StrictModel):
    """Resolution σ(pT)/pT = √(constant² + (slope · pT)²) for |η| up to `eta_max`."""

    eta_max: float = Field(gt=0.0)
    """Upper end of the band in |η|."""

    constant: NonNegative
    """Relative resolution at low pT."""

    slope: NonNegative
    """Growth with pT, in 1/GeV."""


class CalorimeterBand(StrictModel):
    """Resolution σ(E) = (scale + curvature (|η| − centre)²) √(linear² E² + stochastic² E + noise²), E in GeV."""

    eta_max: float = Field(gt=0.0)
    """Upper end of the band in |η|."""

    linear: NonNegative
    """Constant relative term."""

    stochastic_squared: NonNegative
    """Square of the stochastic term, in GeV."""

    noise: NonNegative = 0.0
    """Noise term, in GeV."""

    scale: NonNegative = 1.0
    """Factor of the whole at |η| = `centre`."""

    curvature: NonNegative = 0.0
    """Growth of the factor with (|η| − centre)²."""

    centre: NonNegative = 0.0
    """|η| at which the factor is `scale`."""


class TrackingConfig(StrictModel):
    """Efficiency and momentum resolution of one kind of charged particle."""

    efficiency: tuple[EfficiencyBand, ...]
    """Probability to be reconstructed, in bands of |η|."""

    resolution: tuple[TrackingBand, ...]
    """Resolution of the transverse momentum, in bands of |η|."""

    @field_validator("efficiency", "resolution")
    @classmethod
    def _ascending(cls, bands: tuple[StrictModel, ...]) -> tuple[StrictModel, ...]:
        return ascending_bands(bands)


class LeptonConfig(StrictModel):
    """Identification and isolation of one lepton flavour."""

    identification: tuple[EfficiencyBand, ...]
    """Probability that a reconstructed particle is identified, in bands of |η| and steps of pT."""

    isolation_max: float = Field(gt=0.0)
    """Largest scalar sum of pT around an isolated lepton, relative to its own pT."""

    @field_validator("identification")
    @classmethod
    def _ascending(cls, bands: tuple[StrictModel, ...]) -> tuple[StrictModel, ...]:
        return ascending_bands(bands)


class PhotonConfig(LeptonConfig):
    """Identification and isolation of photons."""

    isolation_max: float = Field(gt=0.0)
    """Largest scalar sum of pT around an isolated photon, relative to its own pT."""

    lepton_distance: NonNegative = 0.4
    """A photon closer in ΔR to an isolated lepton is radiation of that lepton, and no photon of its own."""


class FlavourTagConfig(StrictModel):
    """b-tag probability of each true flavour.

    b: `b_plateau` tanh(`b_rise` pT) · `b_scale` / (1 + `b_fall` pT); c: `c_plateau` tanh(`c_rise` pT) / (1 + `c_fall`
    pT); other jets: `light_constant` + `light_slope` pT.
    """

    b_plateau: NonNegative = 0.85
    b_rise: NonNegative = 0.0025
    b_scale: NonNegative = 25.0
    b_fall: NonNegative = 0.063
    c_plateau: NonNegative = 0.25
    c_rise: NonNegative = 0.018
    c_fall: NonNegative = 0.0013
    light_constant: NonNegative = 0.01
    light_slope: NonNegative = 3.8e-5
    """Growth of the mistag rate, in 1/GeV."""

    match_radius: float = Field(default=0.4, gt=0.0)
    """A jet has the flavour of the heaviest b or c hadron (parton, without hadronization) within this ΔR."""

    hadron_pt_min: NonNegative = 5.0
    """Smallest pT of such a hadron, in GeV."""


def ascending_bands(bands: Sequence[StrictModel]) -> tuple[StrictModel, ...]:
    """Return `bands`, whose upper ends must ascend.

    Raises:
        ValueError: if there are none, or they do not ascend.
    """
    ends = [float(getattr(band, "eta_max")) for band in bands]  # noqa: B009 - a field that all kinds of bands have
    if not ends or ends != sorted(set(ends)):
        raise ValueError(f"bands must ascend in eta_max, got {ends}")
    return tuple(bands)


def _steps(eta_max: float, *steps: tuple[float, float]) -> EfficiencyBand:
    return EfficiencyBand(
        eta_max=eta_max, pt_above=tuple(pt for pt, _ in steps), efficiency=tuple(value for _, value in steps)
    )


def _tracks(*bands: tuple[float, float, float]) -> tuple[TrackingBand, ...]:
    return tuple(TrackingBand(eta_max=eta, constant=constant, slope=slope) for eta, constant, slope in bands)


class DetectorConfig(StrictModel):
    """Response of the detector, particle by particle, then lepton by lepton and jet by jet."""

    charged_hadrons: TrackingConfig = TrackingConfig(
        efficiency=(_steps(1.5, (0.1, 0.70), (1.0, 0.95)), _steps(2.5, (0.1, 0.60), (1.0, 0.85))),
        resolution=_tracks((0.5, 0.06, 1.3e-3), (1.5, 0.10, 1.7e-3), (2.5, 0.25, 3.1e-3)),
    )
    """Charged hadrons."""

    electrons: TrackingConfig = TrackingConfig(
        efficiency=(
            _steps(1.5, (0.1, 0.73), (1.0, 0.95), (100.0, 0.99)),
            _steps(2.5, (0.1, 0.50), (1.0, 0.83), (100.0, 0.90)),
        ),
        resolution=_tracks((0.5, 0.03, 1.3e-3), (1.5, 0.05, 1.7e-3), (2.5, 0.15, 3.1e-3)),
    )
    """Electrons."""

    muons: TrackingConfig = TrackingConfig(
        efficiency=(_steps(1.5, (0.1, 0.75), (1.0, 0.99)), _steps(2.5, (0.1, 0.70), (1.0, 0.98))),
        resolution=_tracks((0.5, 0.01, 1.0e-4), (1.5, 0.015, 1.5e-4), (2.5, 0.025, 3.5e-4)),
    )
    """Muons."""

    untracked_charged_hadrons: Literal["lost", "calorimeter"] = "lost"
    """What becomes of charged hadrons without a track: `lost`, or measured like neutral hadrons (`calorimeter`)."""

    electromagnetic: tuple[CalorimeterBand, ...] = (
        CalorimeterBand(eta_max=1.5, linear=0.008, stochastic_squared=0.11**2, noise=0.40, curvature=0.64),
        CalorimeterBand(
            eta_max=2.5, linear=0.008, stochastic_squared=0.11**2, noise=0.40, scale=2.16, curvature=5.6, centre=2.0
        ),
        CalorimeterBand(eta_max=5.0, linear=0.107, stochastic_squared=2.08**2),
    )
    """Energy resolution for photons."""

    hadronic: tuple[CalorimeterBand, ...] = (
        CalorimeterBand(eta_max=3.0, linear=0.05, stochastic_squared=1.5**2),
        CalorimeterBand(eta_max=5.0, linear=0.13, stochastic_squared=2.7**2),
    )
    """Energy resolution for neutral hadrons."""

    strange_electromagnetic_fraction: Probability = 0.3
    """Fraction of the energy of K⁰_S and Λ that the electromagnetic calorimeter measures; the rest is hadronic."""

    electron_identification: LeptonConfig = LeptonConfig(
        identification=(_steps(1.5, (10.0, 0.95)), _steps(2.5, (10.0, 0.85))), isolation_max=0.12
    )
    """Identification and isolation of electrons."""

    muon_identification: LeptonConfig = LeptonConfig(identification=(_steps(2.4, (10.0, 0.95)),), isolation_max=0.25)
    """Identification and isolation of muons."""

    photon_identification: PhotonConfig = PhotonConfig(
        identification=(_steps(1.5, (10.0, 0.95)), _steps(2.5, (10.0, 0.85))), isolation_max=0.12
    )
    """Identification and isolation of photons; used where the simulation has photons."""

    isolation_radius: float = Field(default=0.5, gt=0.0)
    """ΔR around a lepton or photon within which pT is summed."""

    isolation_pt_min: NonNegative = 0.5
    """Smallest pT of a particle in that sum, in GeV."""

    jet_scale_constant: NonNegative = 2.5
    """Jet energies are multiplied by √((constant − slope |η|)²/pT + 1), pT in GeV."""

    jet_scale_slope: NonNegative = 0.15
    """Decrease of that factor with |η|."""

    b_tagging: FlavourTagConfig = FlavourTagConfig()
    """b-tag efficiencies and mistag rates."""

    @field_validator("electromagnetic", "hadronic")
    @classmethod
    def _ascending(cls, bands: tuple[StrictModel, ...]) -> tuple[StrictModel, ...]:
        return ascending_bands(bands)
