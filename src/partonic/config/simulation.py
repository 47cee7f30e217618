"""The section `simulation` of an analysis file: decays, shower, detector response, jets and selection."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.decays import DecayConfig
from partonic.config.detector import DetectorConfig
from partonic.config.selection import SelectionConfig
from partonic.config.surrogate import SurrogateConfig

__all__ = ["DecayConfig", "FractionalSmearingConfig", "JetConfig", "SelectionConfig", "SimulationConfig"]

NonNegative = Annotated[float, Field(ge=0.0)]

_OURS = ("Random:", "Beams:", "Main:", "Next:", "Print:", "Init:", "LesHouches:")
_RESONANCES = ("6:", "23:", "24:", "25:")

_RULE_OF_COPIES = 2
"""Version of the rule of `partonic.simulation.fractional_smearing`; another one gives other events."""


class JetConfig(StrictModel):
    """Anti-kT jets of the measured particles without isolated leptons."""

    radius: float = Field(default=0.4, gt=0.0)
    """Radius parameter R."""

    pt_min: float = Field(default=30.0, gt=0.0)
    """Smallest pT of a jet, in GeV, after the energy scale."""

    eta_max: float = Field(default=2.4, gt=0.0)
    """Largest |η| of a jet."""

    max_jets: int = Field(default=16, ge=1)
    """Jets kept of an event, those of largest pT."""

    match_radius: float = Field(default=0.4, gt=0.0)
    """ΔR within which a jet is matched to a parton or to a particle-level jet."""

    particle_pt_min: float = Field(default=10.0, gt=0.0)
    """Smallest pT of a particle-level jet, in GeV."""


class FractionalSmearingConfig(StrictModel):
    """Parton events with a large ratio R_a = c_a/c_ref are simulated n times, with weight 1/n (arXiv:2410.07315, 2.3).

    The density of events stays the same, and regions that few partons reach, but on which θ depends most, are filled.
    The copies of a parton event have its number in the column `parton_event`.
    """

    threshold: float = Field(default=0.5, gt=0.0)
    """T: an event of weight w is split until |w R_a − ⟨R_a⟩| ≤ T σ(R_a), for each target."""

    targets: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Monomials whose ratios are looked at, e.g. ``[c_tG, "c_tG^2"]``; None: all that depend on θ."""

    max_copies: int = Field(default=100, ge=2)
    """Largest number of copies of an event."""


_OF_PARTONS = frozenset({"level", "chunk_events", "workers", "scheduler", "selection", "decays"})
"""Settings that events which stay partons have, too, or that a process fills in by itself."""


class SimulationConfig(StrictModel):
    """Shower, detector response and selection of generated events."""

    level: Literal["detector", "partons"] = "detector"
    """``detector``: shower, detector response and selection; ``partons``: the generated partons as they are, all of
    them, without decays, objects or selection. Nothing else in this section has an effect then."""

    multiparton_interactions: bool = False
    """Simulate further parton interactions of the same collision (several times slower)."""

    hadronization: bool = True
    """Turn partons into hadrons. Without it, quarks and gluons are measured like neutral hadrons."""

    tune: int | None = Field(default=None, ge=0)
    """Number of the Pythia tune for pp (`Tune:pp`); None: Pythia's default."""

    pythia_settings: tuple[str, ...] = ()
    """Further Pythia settings, e.g. ``"TimeShower:alphaSvalue = 0.13"``, in the order in which Pythia reads them."""

    decays: DecayConfig = DecayConfig()
    """Decay channels of the resonances."""

    detector: DetectorConfig = DetectorConfig()
    """Detector response."""

    jets: JetConfig = JetConfig()
    """Jet clustering."""

    selection: SelectionConfig = SelectionConfig()
    """Event selection."""

    photons: bool = False
    """Reconstruct photons and store them, also where the selection has no cut on them; they are then no part of jets.
    A selection with cuts on photons reconstructs them in any case."""

    fractional_smearing: FractionalSmearingConfig | None = None
    """Parton events that are simulated several times, with a fraction of their weight, so that networks learn from more
    events where θ matters most. Absent: none; ``{}``: with all defaults."""

    surrogate: SurrogateConfig | None = None
    """Networks that learned shower, detector response and selection take their place: the same store in seconds, whose
    facts say so. Decays, jets, cuts and detector must be those that they learned. Absent: the simulation itself;
    ``{}``: the networks that ship for the process."""

    shower_attempts: int = Field(default=10, ge=1)
    """How often an event is tried again, with new random numbers, when Pythia gives up on it."""

    max_failed_fraction: float = Field(default=0.01, ge=0.0, le=1.0)
    """Largest fraction of events on which Pythia may give up for good; more is an error."""

    chunk_events: int = Field(default=1000, ge=1, le=20_000)
    """Events of a chunk, the unit of work: a killed run loses at most the chunks at work. Each has its own seed, so
    another size gives other events."""

    workers: int | None = Field(default=None, ge=1)
    """Number of worker processes; None: one for each core. 1 without a `scheduler` works in the calling process."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, e.g. ``"tcp://host:8786"``; None: a local cluster of `workers`."""

    @field_validator("pythia_settings")
    @classmethod
    def _not_ours(cls, settings: tuple[str, ...]) -> tuple[str, ...]:
        for index, setting in enumerate(settings):
            key = setting.partition("=")[0].strip().lower()
            if key.startswith(tuple(name.lower() for name in _OURS)):
                message = f"'{setting}' is set by partonic itself (seeds, beams, event source, printing); remove it"
                raise SettingError((index,), message)
            if key.startswith(_RESONANCES) and ":on" in key:
                message = f"'{setting}' changes decays whose branching fraction enters the weights; use the key decays"
                raise SettingError((index,), message)
        return settings

    @model_validator(mode="after")
    def _partons_are_not_simulated(self) -> "SimulationConfig":
        """Refuse settings of a simulation that does not take place."""
        if self.level == "partons":
            for name, field in SimulationConfig.model_fields.items():
                if name in _OF_PARTONS or getattr(self, name) == field.get_default(call_default_factory=True):
                    continue
                message = "has no meaning with `level: partons`, where nothing is showered, measured or selected"
                raise SettingError((name,), f"{message}: leave it out, or set `level: detector`")
        return self

    def physics(self) -> dict[str, object]:
        """Return everything that the events depend on, as JSON-like values: all but workers and scheduler.

        Cuts that came later and ask for nothing are left out, so that events from before them are known again.
        """
        if self.level == "partons":
            return {"level": self.level}
        settings = self.model_dump(mode="json", exclude={"workers", "scheduler", "level"})
        settings["decays"] = self.decays.settings_in_use()
        settings["selection"] = self.selection.settings_in_use(settings["selection"])
        settings["photons"] = self.with_photons
        if self.surrogate is None:
            del settings["surrogate"]
        if self.fractional_smearing is None:
            del settings["fractional_smearing"]
        else:
            settings["fractional_smearing"]["rule"] = _RULE_OF_COPIES
        if not self.with_photons:
            del settings["photons"], settings["detector"]["photon_identification"]
        return settings

    @property
    def with_photons(self) -> bool:
        """Whether events have reconstructed photons."""
        return self.photons or self.selection.wants_photons
