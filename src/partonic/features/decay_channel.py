"""Decay channels of a top pair: which order the partons of an event have, and which leptons an event must have.

A hard process lists t and t̄. What a detector sees tells hadronic and leptonic tops apart much better than t and t̄, so
networks see the partons in the order of their decay channel. In the semileptonic one the hadronic top stands in the
place of t and the leptonic one in that of t̄; the charge of the lepton says which is which. In the others the order is
that of the process; leptons are ordered by charge, so that the first one comes from t.

A *channel* without more is one of the process, an initial and a final state (`partonic.physics.process.Channel`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.errors import ProcessError, SchemaError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.physics.process import PartonEvents

__all__ = ["DECAY_CHANNELS", "DecayChannel", "DecayChannelName"]

DecayChannelName = Literal["semileptonic", "dilepton", "all_hadronic"]
"""Decays of the two W bosons."""

DECAY_CHANNELS: dict[DecayChannelName, int] = {"semileptonic": 1, "dilepton": 2, "all_hadronic": 0}
"""Number of charged leptons by decay channel."""

_TOP = 6


@dataclass(frozen=True)
class DecayChannel:
    """A decay channel of a process with a top pair.

    Attributes:
        name: of the decay channel.
        parton_pdg: PDG ids of the final state, in the order of the process; 6 and −6 once each.

    Raises:
        ProcessError: if the process has no top pair.
    """

    name: DecayChannelName
    parton_pdg: tuple[int, ...]

    def __post_init__(self) -> None:
        if sorted(pdg for pdg in self.parton_pdg if abs(pdg) == _TOP) != [-_TOP, _TOP]:
            raise ProcessError(f"a decay channel needs one t and one t̄ in the final state, got {self.parton_pdg}")

    @classmethod
    def of_decays(cls, tops: str, parton_pdg: tuple[int, ...]) -> "DecayChannel":
        """Return the decay channel of simulated decays (`simulation.decays.tops`).

        Raises:
            ProcessError: if the tops decay inclusively: such events have no fixed number of leptons.
        """
        if tops not in DECAY_CHANNELS:
            raise ProcessError(
                f"the matrix element method needs one decay channel, but the tops decay '{tops}'; set "
                f"simulation.decays.tops to one of: {', '.join(DECAY_CHANNELS)}"
            )
        return cls(next(name for name in DECAY_CHANNELS if name == tops), parton_pdg)

    @property
    def leptons(self) -> int:
        """Number of charged leptons."""
        return DECAY_CHANNELS[self.name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the partons in the order of the decay channel."""
        tops = {"semileptonic": ("t_had", "t_lep")}.get(self.name, ("t", "tbar"))
        named = {_TOP: tops[0], -_TOP: tops[1], 25: "H", 5: "b", -5: "bbar"}
        return tuple(named.get(pdg, str(pdg)) for pdg in self.parton_pdg)

    @property
    def exchangeable(self) -> bool:
        """Whether a detector cannot tell the last two partons apart: b and b̄, or two tops that decay to quarks."""
        pair = {abs(pdg) for pdg in self.parton_pdg[-2:]}
        return pair == {5} or (pair == {_TOP} and self.name == "all_hadronic")

    def truth(self, batch: EventBatch) -> PartonEvents:
        """Return the true partons of simulated events in the order of the decay channel, laboratory, GeV.

        Raises:
            SchemaError: if the events have other partons, or semileptonic ones no single hadronic top.
        """
        if tuple(batch.metadata.parton_pdg) != self.parton_pdg:
            raise SchemaError(
                f"the events have the partons {batch.metadata.parton_pdg}, expected {self.parton_pdg} of the process"
            )
        events = batch.partons()
        if self.name != "semileptonic":
            return events
        hadronic = batch.column("hadronic_top").astype(np.int64)
        if (wrong := int((hadronic == 0).sum())) > 0:
            raise SchemaError(f"{wrong} of {len(batch)} events have no or two hadronic tops: they are not semileptonic")
        return PartonEvents(self._exchanged(events.momenta, torch.from_numpy(hadronic < 0)), events.x1, events.x2)

    def process_order(
        self, momenta: Float[Tensor, "events samples partons 4"], reco: RecoEvents
    ) -> Float[Tensor, "events samples partons 4"]:
        """Return partons in the order of the process, given in the order of the channel, for events with these leptons.

        Args:
            momenta: sets of partons for each event.
            reco: the events; the leading lepton decides in the semileptonic decay channel.
        """
        if self.name != "semileptonic":
            return momenta
        return self._exchanged(momenta, reco.lepton_pdg[:, 0] < 0)  # ℓ⁺ (negative id) comes from t

    def _exchanged(
        self, momenta: Float[Tensor, "events *more 4"], exchange: Bool[Tensor, " events"]
    ) -> Float[Tensor, "events *more 4"]:
        """Exchange t and t̄ where asked."""
        order: Sequence[int] = list(range(len(self.parton_pdg)))
        top, antitop = self.parton_pdg.index(_TOP), self.parton_pdg.index(-_TOP)
        swapped = [antitop if place == top else top if place == antitop else place for place in order]
        turned = momenta[..., swapped, :]
        return torch.where(exchange.view(-1, *[1] * (momenta.dim() - 1)), turned, momenta)
