"""What an event x is to the transfer function, and where it can be: objects, order and cuts of the selection.

x is the number of jets, and of each object, one after another: the leptons (pT, η, φ), the photons in descending pT
(pT, η, φ), the missing transverse momentum (pT, φ), the jets in descending pT (b-tagged or not, pT, η, φ). Masses of
jets, lepton flavour and isolation are no part of x. The density is one of accepted events and vanishes outside the
cuts.
"""

from dataclasses import asdict, dataclass
from typing import Any

from partonic.config.simulation import SelectionConfig, SimulationConfig
from partonic.errors import ProcessError
from partonic.events.batch import MAX_JETS
from partonic.features.decay_channel import DecayChannel, DecayChannelName, HiggsObjects

__all__ = ["TransferLayout"]

_OF_PHOTONS = ("higgs", "photon_pt_min", "photon_eta_max")


@dataclass(frozen=True)
class TransferLayout:
    """Partons, objects and cuts that a transfer function is made for.

    Attributes:
        decays: of the tops; they say how many leptons there are.
        parton_pdg: PDG ids of the partons, in the order of the process.
        jets_min, b_tags_min: fewest jets and b-tagged jets.
        jet_pt_min: smallest pT of a jet, GeV.
        jet_eta_max: largest |η| of a jet.
        lepton_pt_min: smallest pT of a lepton, GeV.
        lepton_eta_max: largest |η| of a lepton.
        jets_max: jets that are looked at; an event with more counts as one with so many.
        higgs: what H is seen as; it says how many photons there are.
        photon_pt_min: smallest pT of a photon, GeV.
        photon_eta_max: largest |η| of a photon.
    """

    decays: DecayChannelName
    parton_pdg: tuple[int, ...]
    jets_min: int
    b_tags_min: int
    jet_pt_min: float
    jet_eta_max: float
    lepton_pt_min: float
    lepton_eta_max: float
    jets_max: int = MAX_JETS
    higgs: HiggsObjects = "jets"
    photon_pt_min: float = 0.0
    photon_eta_max: float = 0.0

    @classmethod
    def of(cls, simulation: SimulationConfig, parton_pdg: tuple[int, ...]) -> "TransferLayout":
        """Return the layout of the events of a simulation.

        Raises:
            ProcessError: if the tops decay inclusively, such events have no fixed number of leptons; if the final state
                has no decay channel; or if the selection does not ask for the photons that H decays to.
        """
        cuts, decays = simulation.selection, simulation.decays
        decay_channel = DecayChannel.of_decays(decays.tops, parton_pdg, decays.higgs)
        _check_photons(decay_channel.photons, cuts)
        with_photons = decay_channel.photons > 0
        return cls(
            decays=decay_channel.name,
            parton_pdg=parton_pdg,
            jets_min=max(cuts.jets_min, cuts.b_tags_min),
            b_tags_min=cuts.b_tags_min,
            jet_pt_min=simulation.jets.pt_min,
            jet_eta_max=simulation.jets.eta_max,
            lepton_pt_min=cuts.lepton_pt_min,
            lepton_eta_max=cuts.lepton_eta_max,
            jets_max=min(simulation.jets.max_jets, MAX_JETS),
            higgs=decay_channel.higgs,
            photon_pt_min=cuts.photon_pt_min if with_photons else 0.0,
            photon_eta_max=cuts.photon_eta_max if with_photons else 0.0,
        )

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "TransferLayout":
        """Return the layout of a model's record."""
        others = {name: value for name, value in record.items() if name not in ("channel", "parton_pdg")}
        return cls(decays=record["channel"], parton_pdg=tuple(record["parton_pdg"]), **others)

    def record(self) -> dict[str, Any]:
        """Return the layout as JSON can hold it; without photons, where there are none."""
        content = asdict(self)
        if not self.photons:
            content = {name: value for name, value in content.items() if name not in _OF_PHOTONS}
        return {"channel": content.pop("decays"), **content}

    @property
    def decay_channel(self) -> DecayChannel:
        """The decay channel, with its partons."""
        return DecayChannel(self.decays, self.parton_pdg, self.higgs)

    @property
    def leptons(self) -> int:
        """Number of leptons."""
        return self.decay_channel.leptons

    @property
    def photons(self) -> int:
        """Number of photons."""
        return self.decay_channel.photons

    @property
    def missing(self) -> int:
        """Place of the missing transverse momentum among the objects: after leptons and photons."""
        return self.leptons + self.photons

    @property
    def reference_object(self) -> int:
        """Place of the object that has φ = 0 in the frame of the event: the first lepton, photon or jet."""
        return 0 if self.missing else 1

    @property
    def reference_parton(self) -> int:
        """Place of the parton whose azimuth the direction of an event is measured from.

        That is the leptonic top, or t; H where a photon is the reference object.
        """
        if self.decays == "semileptonic":
            return self.parton_pdg.index(-6)
        if self.photons and not self.leptons:
            return self.parton_pdg.index(25)
        return self.parton_pdg.index(6 if 6 in self.parton_pdg else -6)

    @property
    def multiplicities(self) -> int:
        """Number of different numbers of jets."""
        return self.jets_max - self.jets_min + 1


def _check_photons(wanted: int, cuts: SelectionConfig) -> None:
    """Refuse a selection that leaves the number of photons open, where H decays to photons."""
    asked = cuts.photons_min if cuts.photons is None else cuts.photons
    if wanted and (asked < wanted or cuts.photons not in (None, wanted)):
        raise ProcessError(
            f"the partons decay to {wanted} photons, but the selection asks for {asked}: set "
            f"simulation.selection.photons to {wanted} and simulate the events anew"
        )
