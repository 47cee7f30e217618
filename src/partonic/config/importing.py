"""The section `import` of an analysis file: events of another generator, simulation or experiment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.paths import LocalPath
from partonic.config.reweighting import ReweightConfig
from partonic.config.selection import SelectionConfig
from partonic.config.simulation import JetConfig

__all__ = ["BTagConfig", "ImportConfig", "LeptonConfig", "PhotonConfig"]

Finite = Annotated[float, Field(allow_inf_nan=False)]
FilePattern = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, Path) else value)]
Policy = Literal["error", "drop", "keep"]


class BTagConfig(StrictModel):
    """How a jet of the file is b-tagged."""

    branch: str | None = None
    """Branch with the discriminator; None: the first known one that a NanoAOD file has (see the documentation), and
    ``Jet.BTag`` for Delphes."""

    working_point: Finite | None = None
    """Smallest discriminator of a tagged jet; required for NanoAOD, because it depends on algorithm and year."""

    bit: int = Field(default=0, ge=0, le=31)
    """Bit of ``Jet.BTag`` that holds the working point, for Delphes."""


class LeptonConfig(StrictModel):
    """Which electrons and muons of the file count as leptons. Momenta in GeV."""

    pt_min: float = Field(default=15.0, ge=0.0)
    """Smallest pT of a lepton that is kept."""

    eta_max: float = Field(default=2.4, gt=0.0)
    """Largest |η|."""

    electron_isolation_max: float = Field(default=0.12, ge=0.0)
    """Largest relative isolation of an electron."""

    muon_isolation_max: float = Field(default=0.25, ge=0.0)
    """Largest relative isolation of a muon."""

    electron_identification: int = Field(default=4, ge=0, le=4)
    """Smallest cut-based electron identification of NanoAOD: 0 none, 1 veto, 2 loose, 3 medium, 4 tight."""

    muon_identification: Literal["none", "loose", "medium", "tight"] = "tight"
    """Muon identification of NanoAOD."""


class PhotonConfig(StrictModel):
    """Which photons of the file count, where it has photons. Momenta in GeV."""

    pt_min: float = Field(default=10.0, ge=0.0)
    """Smallest pT of a photon that is kept."""

    eta_max: float = Field(default=2.5, gt=0.0)
    """Largest |η|."""

    isolation_max: float | None = Field(default=0.12, ge=0.0)
    """Largest relative isolation; None: the isolation is not looked at, and the file needs none."""

    identification: Literal["none", "loose", "medium", "tight", "mva90", "mva80"] = "mva90"
    """Identification of NanoAOD: cut-based, or the MVA working point of 90% or 80% efficiency."""

    lepton_distance: float = Field(default=0.4, ge=0.0)
    """Photons closer in ΔR to a kept lepton are dropped."""


class ImportConfig(StrictModel):
    """Event files of others, and what has to be known to read them."""

    format: Literal["lhe", "nanoaod", "delphes", "hepmc"]
    """`lhe`: parton events; `nanoaod`: CMS NanoAOD; `delphes`: Delphes ROOT files; `hepmc`: particle-level events in
    HepMC text, to which the section `simulation` applies jets, detector response and selection. Text may be compressed
    with gzip, xz, bzip2 or Zstandard."""

    files: tuple[FilePattern, ...] = Field(min_length=1)
    """Files of one sample, in the order of the events: paths, patterns (``*``, ``?``, ``[...]``, ``**``; sorted by
    name), folders (their files of this format), with ``~`` and ``$VARIABLES``, or addresses (``root://...``) of ROOT
    files. Relative to the folder where the command is run, as all paths of an analysis file."""

    sample: str | None = None
    """Name of the process of these events when it is not the one of the analysis, e.g. ``ttbar``."""

    partons: tuple[int, ...] | None = None
    """PDG ids of the final-state partons that every event must have, in the order of the store; None: those of the
    process of the analysis. An empty list keeps whatever final state an event has, in `decay_partons`."""

    theta: dict[str, Finite] = Field(default_factory=dict)
    """θ at which the events were generated; parameters not named have their Standard Model values."""

    theta_independent: bool = False
    """These events do not depend on θ (a background, or collision data): their weight is the constant coefficient."""

    weight_points: dict[str, dict[str, Finite]] = Field(default_factory=dict)
    """θ point of each weight that gives the dependence on θ, by weight id (LHE, HepMC, Delphes) or by index (NanoAOD
    `LHEReweightingWeight`). None given: weights whose text or name states θ are used."""

    weight_points_file: LocalPath | None = None
    """YAML file with the mapping of `weight_points`, for long lists."""

    theta_weight_kind: Literal["auto", "absolute", "relative"] = "auto"
    """Whether the weights at θ points are `absolute`, in the units of the nominal weight, or `relative` to it;
    `auto`: relative in NanoAOD, absolute elsewhere. A common factor against the nominal weight is found and taken
    out."""

    nominal_weight: str | None = None
    """Name of the nominal weight of HepMC and Delphes files (Delphes: ``Event.Weight``, or an index of
    ``Weight.Weight``), where the file leaves it open."""

    nominal_is_point: bool = False
    """Use the nominal weight as the weight at `theta`, together with the weights at `weight_points`."""

    max_residual: float = Field(default=1e-3, gt=0.0)
    """Largest relative deviation of an event's weights from the polynomial in θ; an event with more is wild."""

    max_condition: float = Field(default=1e6, gt=1.0)
    """Largest condition number of the θ points; a larger one means points so close together that coefficients would be
    noise, and is an error."""

    wild_weights: Policy = "error"
    """What becomes of an event whose weights at the θ points follow no polynomial, do not fit its nominal weight, or
    are larger by orders of magnitude than those of all others: `error`; `drop`, as if it were not in the files;
    `keep`."""

    duplicates: Policy = "error"
    """What becomes of the second copy of an event, or of a file: `error`; `drop`, as if it were not in the files;
    `keep`."""

    good_runs: LocalPath | None = None
    """Certification of collision data: a JSON file of the luminosity blocks of each run, ``{"273158": [[1, 1279]]}``.
    Events outside are left out."""

    overlap_with: tuple[LocalPath, ...] = ()
    """Event stores whose events (by run, luminosity block and event number) are left out here."""

    reweight: ReweightConfig | None = None
    """Coefficients of θ from the matrix element of a model, for events whose files have no weights at θ points. Absent:
    the weights of the files are used."""

    extra_weights: tuple[str, ...] = ("*",)
    """Patterns (``*`` and ``?``) of the other weights that are kept as columns `weight_<name>`; empty: none."""

    normalisation: Literal["auto", "average", "sum"] = "auto"
    """Meaning of the weights of an LHE file: `auto` follows its IDWTUP; `average`: their mean, `sum`: their sum is the
    cross section."""

    cross_section: float | None = Field(default=None, gt=0.0)
    """Cross section of the sample in pb, at `theta`; required for simulated NanoAOD, and replaces the one of other
    files. With generator cuts or forced decays: their efficiency and branching fraction included."""

    copies: int = Field(default=1, ge=1)
    """HepMC: number of events one after another that are of one parton event, hadronised or decayed anew. They count
    together in statistical errors, and stay together where events are parted."""

    data: bool = False
    """Collision data: no generator information, every event has weight 1."""

    batch_size: int = Field(default=5_000, ge=1)
    """Events in memory at a time."""

    btag: BTagConfig = BTagConfig()
    """b tagging."""

    jets: JetConfig = JetConfig()
    """Which jets are kept (`pt_min`, `eta_max`, `max_jets`), and the radius of truth matching."""

    jet_identification: int = Field(default=2, ge=0)
    """Bits of NanoAOD `Jet_jetId` that a jet needs: 2 tight, 4 tight with lepton veto, 0 none."""

    jet_lepton_distance: float = Field(default=0.4, ge=0.0)
    """Jets closer in ΔR to a kept lepton are that lepton, and dropped."""

    leptons: LeptonConfig = LeptonConfig()
    """Which electrons and muons are kept."""

    photons: PhotonConfig = PhotonConfig()
    """Which photons of NanoAOD and Delphes files are kept. They are stored where the files have all that this asks for;
    a selection with cuts on photons needs them."""

    jet_photon_distance: float | None = Field(default=None, ge=0.0)
    """Jets closer in ΔR to a kept photon are that photon, and dropped; None: 0.4 where the selection has cuts on
    photons, and otherwise no jet is dropped."""

    selection: SelectionConfig | None = None
    """Cuts on NanoAOD and Delphes events; None: all events are kept as selected."""

    parton_source: Literal["GenPart", "LHEPart"] = "GenPart"
    """Where the hard partons of NanoAOD come from: generator particles, or the particles of its LHE events."""

    parton_copy: Literal["first", "last"] = "first"
    """Which copy of a hard parton is taken from `GenPart` and Delphes: the `first` is before the shower, as the matrix
    element made it; the `last` after its radiation."""

    branches: dict[str, str] = Field(default_factory=dict)
    """Names of branches that differ from the known ones, by our name for them (see the documentation)."""

    @property
    def wants_photons(self) -> bool:
        """Whether the selection has a cut on photons."""
        return self.selection is not None and self.selection.wants_photons

    @model_validator(mode="after")
    def _consistent(self) -> "ImportConfig":
        if self.weight_points and self.weight_points_file is not None:
            message = "give the θ points either here or in weight_points_file, not both"
            raise SettingError(("weight_points",), message)
        if self.format == "nanoaod" and self.btag.working_point is None:
            message = "NanoAOD needs the working point of its b-tag discriminator, which depends on algorithm and year"
            raise SettingError(("btag", "working_point"), message)
        if self.format == "nanoaod" and self.cross_section is None and not self.data:
            message = "simulated NanoAOD needs the cross section of the sample in pb (or data: true for collisions)"
            raise SettingError(("cross_section",), message)
        if self.good_runs is not None and not self.data:
            message = "only collision data (data: true) are certified by run and luminosity block"
            raise SettingError(("good_runs",), message)
        if self.data and not self.theta_independent:
            message = "collision data have no dependence on θ: set theta_independent: true"
            raise SettingError(("theta_independent",), message)
        if self.theta_independent and (self.weight_points or self.weight_points_file or self.nominal_is_point):
            message = "events that do not depend on θ have no weights at θ points"
            raise SettingError(("weight_points",), message)
        self._check_reweight()
        return self

    @model_validator(mode="after")
    def _copies_of_particles(self) -> "ImportConfig":
        if self.copies > 1 and self.format != "hepmc":
            message = f"copies of parton events are known in HepMC files only; the format is {self.format}"
            raise SettingError(("copies",), message)
        return self

    def _check_reweight(self) -> None:
        if self.reweight is None:
            return
        if self.theta_independent:
            message = "events that do not depend on θ (theta_independent) are not reweighted: leave one of the two out"
            raise SettingError(("reweight",), message)
        if self.reweight.degree is not None:
            message = "the degree of the polynomial is that of the process (`process.degree`): leave it out here"
            raise SettingError(("reweight", "degree"), message)
        if self.weight_points or self.weight_points_file or self.nominal_is_point:
            message = "coefficients come from the matrix element or from weights of the files (weight_points), not both"
            raise SettingError(("reweight",), message)
