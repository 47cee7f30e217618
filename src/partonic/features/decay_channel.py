"""Decay channels: which objects the partons of an event leave in a detector, and which order the partons have.

A hard process lists its partons; each of them has a *slot* here that says what is seen of it: jets, a lepton and
missing momentum, photons. From the slots follow how many leptons and photons an event must have, and what the networks
may look for near a parton. Known are H, one top or a top pair, quarks and gluons.

What a detector sees tells hadronic and leptonic tops of a pair apart much better than t and t̄, so networks see the
partons in the order of their decay channel. In the semileptonic one the hadronic top stands in the place of t and the
leptonic one in that of t̄; the charge of the lepton says which is which. In the others the order is that of the process;
leptons are ordered by charge, so that the first one comes from t. Whether a single top that decays to jets is t or t̄
nothing tells: the cross section of both is added up.

A *channel* without more is one of the process, an initial and a final state (`partonic.physics.process.Channel`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.errors import ProcessError, SchemaError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.physics.process import PartonEvents

__all__ = [
    "DECAY_CHANNELS",
    "DecayChannel",
    "DecayChannelName",
    "HiggsObjects",
    "ObjectKind",
    "PartonSlot",
]

DecayChannelName = Literal["semileptonic", "dilepton", "all_hadronic", "hadronic"]
"""Decays of the W bosons of a top pair, or of the one of a single top: ``hadronic``."""

HiggsObjects = Literal["jets", "photons"]
"""What H is seen as: two jets, or two photons."""

ObjectKind = Literal["jet", "lepton", "photon", "missing"]
"""Kinds of reconstructed objects."""

DECAY_CHANNELS: dict[DecayChannelName, int] = {"semileptonic": 1, "dilepton": 2, "all_hadronic": 0, "hadronic": 0}
"""Number of charged leptons by decay channel."""

_TOP, _HIGGS, _GLUON = 6, 25, 21
_OF_PAIR, _OF_ONE = ("semileptonic", "dilepton", "all_hadronic"), ("hadronic",)

_HADRONIC_TOP: tuple[ObjectKind, ...] = ("jet", "jet", "jet")
_LEPTONIC_TOP: tuple[ObjectKind, ...] = ("jet", "lepton", "missing")


@dataclass(frozen=True)
class PartonSlot:
    """What a detector sees of one parton.

    Attributes:
        name: of the parton.
        pdg_id: its PDG id in the first channel of the process.
        objects: the objects that it leaves.
        lepton: place of its lepton among those of the event, ordered as the decay channel orders them; None for none.
    """

    name: str
    pdg_id: int
    objects: tuple[ObjectKind, ...]
    lepton: int | None = None


@dataclass(frozen=True)
class DecayChannel:
    """A decay channel of a process with one top or a top pair.

    Attributes:
        name: of the decay of the tops.
        parton_pdg: PDG ids of the final state, in the order of the process; 6 and −6 once each, or one of them.
        higgs: what H is seen as, where there is one.

    Raises:
        ProcessError: if the process has no such tops.
    """

    name: DecayChannelName
    parton_pdg: tuple[int, ...]
    higgs: HiggsObjects = "jets"

    def __post_init__(self) -> None:
        tops = sorted(pdg for pdg in self.parton_pdg if abs(pdg) == _TOP)
        if self.name in _OF_ONE and len(tops) != 1:
            raise ProcessError(
                f"the decay channel '{self.name}' needs a single t or t̄ in the final state, got {self.parton_pdg}"
            )
        if self.name not in _OF_ONE and tops != [-_TOP, _TOP]:
            raise ProcessError(f"a decay channel needs one t and one t̄ in the final state, got {self.parton_pdg}")

    @classmethod
    def of_decays(cls, tops: str, parton_pdg: tuple[int, ...], higgs: str = "bb") -> "DecayChannel":
        """Return the decay channel of simulated decays (`simulation.decays`).

        Args:
            tops: decay of the tops.
            parton_pdg: PDG ids of the final state.
            higgs: decay of H, if there is one; all but ``gammagamma`` are taken to leave jets.

        Raises:
            ProcessError: if the final state has other partons than H, tops, quarks and gluons, no top, or one of
                leptonic decay; or if the tops decay inclusively: such events have no fixed number of leptons.
        """
        _check_partons(parton_pdg)
        single = sum(abs(pdg) == _TOP for pdg in parton_pdg) == 1
        known = _OF_ONE if single else _OF_PAIR
        if single and tops == "leptonic":
            message = (
                "the matrix element method adds up t and t̄ of a single top, and the charge of its lepton tells which "
                "it is: set simulation.decays.tops to hadronic"
            )
            raise ProcessError(message)
        if tops not in known:
            raise ProcessError(
                f"the matrix element method needs one decay channel, but the tops decay '{tops}'; set "
                f"simulation.decays.tops to one of: {', '.join(known)}"
            )
        name = cast("DecayChannelName", tops)
        return cls(name, parton_pdg, "photons" if higgs == "gammagamma" and _HIGGS in parton_pdg else "jets")

    @property
    def leptons(self) -> int:
        """Number of charged leptons."""
        return DECAY_CHANNELS[self.name]

    @property
    def photons(self) -> int:
        """Number of photons."""
        return sum(slot.objects.count("photon") for slot in self.slots)

    @property
    def slots(self) -> tuple[PartonSlot, ...]:
        """What is seen of each parton, in the order of the decay channel."""
        return tuple(self._slot(name, pdg) for name, pdg in zip(self.names, self.parton_pdg, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the partons in the order of the decay channel."""
        tops = {"semileptonic": ("t_had", "t_lep"), "hadronic": ("t", "t")}.get(self.name, ("t", "tbar"))
        named = {_TOP: tops[0], -_TOP: tops[1], _HIGGS: "H", 5: "b", -5: "bbar"}
        if self.name in _OF_ONE:
            named |= {sign * flavour: "q" for sign in (1, -1) for flavour in range(1, 5)}
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

    def _slot(self, name: str, pdg: int) -> PartonSlot:
        if pdg == _HIGGS:
            return PartonSlot(name, pdg, ("photon", "photon") if self.higgs == "photons" else ("jet", "jet"))
        if pdg in (23, 24, -24):
            return PartonSlot(name, pdg, ("jet", "jet"))
        if abs(pdg) != _TOP:
            return PartonSlot(name, pdg, ("jet",))
        if self.name == "semileptonic":  # the leptonic top stands in the place of t̄
            return PartonSlot(name, pdg, *((_HADRONIC_TOP, None) if pdg > 0 else (_LEPTONIC_TOP, 0)))
        if self.name == "dilepton":  # the positive lepton is the first
            return PartonSlot(name, pdg, _LEPTONIC_TOP, 0 if pdg > 0 else 1)
        return PartonSlot(name, pdg, _HADRONIC_TOP)


def _check_partons(parton_pdg: tuple[int, ...]) -> None:
    """Refuse final states that have no decay channel."""
    known = {*range(1, _TOP + 1), _GLUON, _HIGGS}
    others = [pdg for pdg in parton_pdg if abs(pdg) not in known]
    if others or not any(abs(pdg) == _TOP for pdg in parton_pdg):
        what = f"PDG ids {others}" if others else "no top"
        raise ProcessError(
            f"a decay channel needs one t and one t̄ in the final state, or one of them, and beside them H, quarks and "
            f"gluons; got {what} in {parton_pdg}. Decays of the matrix element itself are not integrated over"
        )
