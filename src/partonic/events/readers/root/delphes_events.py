"""The objects of Delphes events: jets, leptons, missing momentum and generator particles."""

from dataclasses import dataclass, field

import numpy as np

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hard_process import mothers
from partonic.events.readers.notes import Notes
from partonic.events.readers.objects import Objects, joined
from partonic.events.readers.reconstruction import DetectorEvents
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.photons import photon_candidates

__all__ = ["TagBits", "detector_events", "generator_record"]

_MASSES = {"electron": 0.000511, "muon": 0.10566}
_PDG = {"electron": 11, "muon": 13}
_ALL_BITS = 2**32


@dataclass
class TagBits:
    """Which bits of the b-tag branch are set in any jet.

    Attributes:
        bit: the one that holds the working point.
        seen: all bits that are set in some jet.
    """

    bit: int
    seen: int = field(default=0)

    def tagged(self, values: np.ndarray) -> np.ndarray:
        """Return which jets have the bit."""
        bits = values.astype(np.int64)
        self.seen |= int(np.bitwise_or.reduce(bits, initial=0))
        result: np.ndarray = (bits >> self.bit) & 1 > 0
        return result

    def finish(self, branch: str, notes: Notes) -> None:
        """Warn if the bit is set in no jet, though others are."""
        if self.seen and not self.seen >> self.bit & 1:
            others = ", ".join(str(bit) for bit in range(32) if self.seen >> bit & 1)
            notes.warn(
                f"no jet is b-tagged: bit {self.bit} of {branch} is set in no jet, bits {others} are (import.btag.bit)"
            )


def detector_events(batch: Batch, record: GeneratorRecord, config: ImportConfig, bits: TagBits) -> DetectorEvents:
    """Return the objects of a batch, before any cut.

    Args:
        batch: the events.
        record: their generator particles.
        config: the section `import`.
        bits: told the b-tag bits.
    """
    true_jets = None
    if batch.has_all("true_jet_pt", "true_jet_eta", "true_jet_phi"):
        true_jets = batch.objects(pt="true_jet_pt", eta="true_jet_eta", phi="true_jet_phi")
    return DetectorEvents(
        jets=_jets(batch, config, bits),
        leptons=joined(_leptons(batch, "electron"), _leptons(batch, "muon")),
        met=np.stack([batch.scalar("met_pt").astype(np.float64), batch.angle("met_phi")], axis=-1),
        true_jets=true_jets,
        photons=photon_candidates(batch, config),
        record=record,
    )


def _jets(batch: Batch, config: ImportConfig, bits: TagBits) -> Objects:
    features = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_mass", "btag": "jet_btag"}
    if "jet_flavour" in batch:
        features["flavour"] = "jet_flavour"
    jets = batch.objects(**features)
    if config.btag.branch is None and config.btag.working_point is None:
        values = jets["btag"]
        if ((values != np.round(values)) | (values < 0) | (values >= _ALL_BITS)).any():
            raise EventFileError(
                f"{batch.file}: branch {batch.names['jet_btag']} holds fractions or negative numbers, so it is a "
                "discriminator and no bits: give its working point with import.btag.working_point"
            )
        tagged = bits.tagged(jets["btag"])
        jets = jets.with_columns(btag=tagged.astype(np.float32))
    else:
        tagged = jets["btag"] >= (1.0 if config.btag.working_point is None else config.btag.working_point)
    if "jet_flavour" in batch:
        flavour = np.abs(jets["flavour"].astype(np.int64))
        jets = jets.with_columns(flavour=np.where(np.isin(flavour, (4, 5)), flavour, 0))
    return jets.with_columns(tagged=tagged, identified=np.ones(len(tagged), dtype=bool))


def _leptons(batch: Batch, kind: str) -> Objects:
    leptons = batch.objects(**{name: f"{kind}_{name}" for name in ("pt", "eta", "phi", "charge", "isolation")})
    charge = leptons["charge"].astype(np.int64)
    return leptons.with_columns(
        pdg=-charge * _PDG[kind],
        mass=np.full(len(charge), _MASSES[kind]),
        identified=np.ones(len(charge), dtype=bool),
    )


def generator_record(batch: Batch) -> GeneratorRecord:
    """Return the generator particles of a batch.

    Raises:
        EventFileError: if a mother is no particle of the event.
    """
    features = ("pdg", "mother", "e", "px", "py", "pz")
    particles = batch.objects(**{name: f"generator_{name}" for name in features})
    return GeneratorRecord(
        pdg=particles["pdg"].astype(np.int64),
        mother=mothers(batch, particles),
        momenta=np.stack([particles[name] for name in ("e", "px", "py", "pz")], axis=-1).astype(np.float64),
        counts=particles.counts,
    )
