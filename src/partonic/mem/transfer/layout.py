"""What an event x is to the transfer function, and where it can be: objects, order and cuts of the selection.

x is the number of jets, and of each object, one after another: the leptons (pT, η, φ), the missing transverse momentum
(pT, φ), the jets in descending pT (b-tagged or not, pT, η, φ). Masses of jets, lepton flavour and isolation are no part
of x. The density is one of accepted events and vanishes outside the cuts.
"""

from dataclasses import asdict, dataclass
from typing import Any

from partonic.config.simulation import SimulationConfig
from partonic.events.batch import MAX_JETS
from partonic.features.decay_channel import DecayChannel, DecayChannelName

__all__ = ["TransferLayout"]


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

    @classmethod
    def of(cls, simulation: SimulationConfig, parton_pdg: tuple[int, ...]) -> "TransferLayout":
        """Return the layout of the events of a simulation.

        Raises:
            ProcessError: if the tops decay inclusively: such events have no fixed number of leptons.
        """
        cuts = simulation.selection
        return cls(
            decays=DecayChannel.of_decays(simulation.decays.tops, parton_pdg).name,
            parton_pdg=parton_pdg,
            jets_min=max(cuts.jets_min, cuts.b_tags_min),
            b_tags_min=cuts.b_tags_min,
            jet_pt_min=simulation.jets.pt_min,
            jet_eta_max=simulation.jets.eta_max,
            lepton_pt_min=cuts.lepton_pt_min,
            lepton_eta_max=cuts.lepton_eta_max,
            jets_max=min(simulation.jets.max_jets, MAX_JETS),
        )

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "TransferLayout":
        """Return the layout of a model's record."""
        others = {name: value for name, value in record.items() if name not in ("channel", "parton_pdg")}
        return cls(decays=record["channel"], parton_pdg=tuple(record["parton_pdg"]), **others)

    def record(self) -> dict[str, Any]:
        """Return the layout as JSON can hold it."""
        content = asdict(self)
        return {"channel": content.pop("decays"), **content}

    @property
    def decay_channel(self) -> DecayChannel:
        """The decay channel, with its partons."""
        return DecayChannel(self.decays, self.parton_pdg)

    @property
    def leptons(self) -> int:
        """Number of leptons."""
        return self.decay_channel.leptons

    @property
    def reference_parton(self) -> int:
        """Place of the parton whose azimuth the direction of an event is measured from: the leptonic top, or t."""
        return self.parton_pdg.index(-6 if self.decays == "semileptonic" else 6)

    @property
    def multiplicities(self) -> int:
        """Number of different numbers of jets."""
        return self.jets_max - self.jets_min + 1
