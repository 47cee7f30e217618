"""Event selection: cuts on leptons, photons, missing transverse momentum and jets. Momenta and masses in GeV."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = ["MassWindow", "SelectionConfig"]

NonNegative = Annotated[float, Field(ge=0.0)]
MassWindow = tuple[NonNegative, NonNegative]
"""Lower and upper end of a range of masses, in GeV."""

_MOST_LEPTONS = 4

_FROM_THE_BEGINNING: Final = frozenset(
    {"leptons", "lepton_pt_min", "lepton_eta_max", "veto_pt_min", "jets_min", "b_tags_min"}
)
"""Keys that the settings of all stores have; later ones are there only where they ask for something."""


class SelectionConfig(StrictModel):
    """Cuts on reconstructed events. Momenta and masses in GeV.

    Their order is: leptons, veto of further leptons, lepton pair, remaining lepton, photons, photon pair, missing
    transverse momentum, transverse mass, jets, b tags. A cut that is not asked for has no step in the cut flow, except
    those on leptons, jets and b tags.
    """

    leptons: int = Field(default=1, ge=0, le=_MOST_LEPTONS)
    """Number of isolated electrons or muons asked for, exactly."""

    lepton_pt_min: NonNegative = 29.0
    """Their smallest pT."""

    leading_lepton_pt_min: NonNegative = 0.0
    """Smallest pT of the hardest of them; 0 for `lepton_pt_min`."""

    opposite_charges: bool = False
    """Two leptons must have opposite charges."""

    lepton_flavours: tuple[Literal["e", "mu"], ...] | None = None
    """Flavours of the leptons, one for each, in any order, e.g. ``[e, mu]``; None: any."""

    lepton_eta_max: float = Field(default=2.4, gt=0.0)
    """Largest |η| of any lepton that counts."""

    veto_pt_min: NonNegative = 15.0
    """No further isolated lepton may have a larger pT than this."""

    lepton_pair_mass: MassWindow | None = None
    """Range of the mass of two leptons of the same flavour and opposite charges; of several such pairs that one counts
    whose mass is nearest to m_Z = 91.1876 GeV. None: no pair is asked for."""

    remaining_lepton_pt_min: NonNegative = 0.0
    """Smallest pT of the hardest lepton that is not of this pair; for three or four leptons."""

    photons: int | None = Field(default=None, ge=0)
    """Number of identified, isolated photons asked for, exactly; None: any number. Give this or `photons_min`."""

    photons_min: int = Field(default=0, ge=0)
    """Smallest number of identified, isolated photons."""

    photon_pt_min: NonNegative = 25.0
    """Smallest pT of a photon that counts."""

    leading_photon_pt_min: NonNegative = 0.0
    """Smallest pT of the hardest of them; 0 for `photon_pt_min`."""

    photon_eta_max: float = Field(default=2.5, gt=0.0)
    """Largest |η| of a photon that is kept or counts."""

    photon_pair_mass: MassWindow | None = None
    """Range of the mass of the two hardest photons that count; None: none."""

    met_min: NonNegative = 0.0
    """Smallest missing transverse momentum."""

    transverse_mass_min: NonNegative = 0.0
    """Smallest transverse mass of a lepton and the missing transverse momentum, √(2 pT pT^miss (1 − cos Δφ)): of the
    only lepton, or of the hardest that is not of the pair."""

    jets_min: int = Field(default=4, ge=0)
    """Smallest number of jets, tagged or not."""

    b_tags_min: int = Field(default=3, ge=0)
    """Smallest number of b-tagged jets."""

    untagged_jet_pt_min: NonNegative = 0.0
    """Smallest pT of a jet without b tag that counts; 0: that of the jets."""

    tagged_jet_pt_min: NonNegative = 0.0
    """Smallest pT of a b-tagged jet that counts; 0: that of the jets."""

    @property
    def wants_photons(self) -> bool:
        """Whether a cut looks at photons."""
        return self.photons is not None or self.photons_min > 0 or self.photon_pair_mass is not None

    @property
    def wants_missing_momentum(self) -> bool:
        """Whether a cut looks at the missing transverse momentum."""
        return self.met_min > 0.0 or self.transverse_mass_min > 0.0

    def settings_in_use(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON-like `settings` of this section without later keys that have their defaults.

        Events from before those cuts existed are then known again.
        """
        fresh = type(self).model_fields
        return {
            name: value
            for name, value in settings.items()
            if name in _FROM_THE_BEGINNING or getattr(self, name) != fresh[name].default
        }

    @model_validator(mode="after")
    def _veto_below(self) -> "SelectionConfig":
        if self.veto_pt_min > self.lepton_pt_min:
            message = f"must not exceed lepton_pt_min ({self.lepton_pt_min:g} GeV), got {self.veto_pt_min:g}"
            raise SettingError(("veto_pt_min",), message)
        return self

    @model_validator(mode="after")
    def _two_have_charges(self) -> "SelectionConfig":
        if self.opposite_charges and self.leptons != 2:
            message = f"opposite charges can be asked of 2 leptons, got leptons: {self.leptons}"
            raise SettingError(("opposite_charges",), message)
        return self

    @model_validator(mode="after")
    def _leptons_are_there(self) -> "SelectionConfig":
        if self.lepton_flavours is not None and len(self.lepton_flavours) != self.leptons:
            message = f"expected one flavour for each of {self.leptons} leptons, got {list(self.lepton_flavours)}"
            raise SettingError(("lepton_flavours",), message)
        if self.lepton_pair_mass is not None and self.leptons < 2:
            message = f"a pair needs 2 leptons or more, got leptons: {self.leptons}"
            raise SettingError(("lepton_pair_mass",), message)
        if self.remaining_lepton_pt_min and (self.lepton_pair_mass is None or self.leptons < 3):
            message = (
                "needs 3 or 4 leptons and a range lepton_pair_mass, e.g. [76, 106], so that a lepton remains; got "
                f"leptons: {self.leptons}"
            )
            raise SettingError(("remaining_lepton_pt_min",), message)
        remains = self.leptons >= 3 and self.lepton_pair_mass is not None
        if self.transverse_mass_min and self.leptons != 1 and not remains:
            message = (
                "needs 1 lepton, or 3 or 4 and a range lepton_pair_mass, e.g. [76, 106], so that one lepton is left "
                f"for the transverse mass; got leptons: {self.leptons}"
            )
            raise SettingError(("transverse_mass_min",), message)
        return self

    @model_validator(mode="after")
    def _photons_are_there(self) -> "SelectionConfig":
        if self.photons is not None and self.photons_min:
            raise SettingError(("photons_min",), "give photons (exactly) or photons_min (at least), not both")
        most = self.photons_min if self.photons is None else self.photons
        if self.photon_pair_mass is not None and most < 2:
            message = "a pair needs photons: 2 or photons_min: 2, or more"
            raise SettingError(("photon_pair_mass",), message)
        if self.leading_photon_pt_min and most < 1:
            message = "needs photons: 1 or photons_min: 1, or more"
            raise SettingError(("leading_photon_pt_min",), message)
        return self

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "SelectionConfig":
        for name in ("lepton_pair_mass", "photon_pair_mass"):
            window = getattr(self, name)
            if window is not None and not window[0] < window[1]:
                raise SettingError((name,), f"expected a lower and a larger upper end in GeV, got {list(window)}")
        return self
