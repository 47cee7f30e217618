"""Quarks of simulated semileptonic events and their jets: what the transfer functions are fitted to.

A probe is a quark or a jet whose event passes the cuts on jets and tags whatever happens to it. Probabilities to be
found or tagged are taken from probes alone, since the selection prefers events in which much was found and tagged.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.config.simulation import SelectionConfig
from partonic.errors import SchemaError
from partonic.events.batch import EventBatch
from partonic.physics.kinematics import pseudorapidity

__all__ = ["COLUMNS", "MatchedEvents", "matched_events"]

COLUMNS = (
    "decay_partons", "decay_pdg", "decay_origin", "hadronic_top", "jet_pt", "jet_eta", "jet_phi", "jet_tagged",
    "jet_flavour", "jet_match", "met_pt", "met_phi",
)  # fmt: skip
"""Columns of the event store that the fit reads."""


@dataclass(frozen=True)
class MatchedEvents:
    """Quarks, jets and neutrinos of N selected events, float64, GeV; padded, with masks.

    Attributes:
        quarks: (E, px, py, pz) of the decay quarks, `(N, Q, 4)`.
        is_quark: real quarks, `(N, Q)`.
        is_bottom: from H, or from a top itself, `(N, Q)`; the others come from W.
        jet_of: index of the jet of each quark, −1 for none, `(N, Q)`.
        jets: pT, η, φ, `(N, J, 3)`.
        is_jet: real jets, `(N, J)`.
        is_extra: jets of no quark, `(N, J)`.
        tagged: b-tagged jets, `(N, J)`.
        flavour: true flavour of the jets, 5, 4 or 0, `(N, J)`.
        neutrino: summed transverse momentum of the neutrinos, `(N, 2)`.
        total: summed transverse momentum of all decay products, `(N, 2)`.
        met: missing transverse momentum, `(N, 2)`.
    """

    quarks: Float[Tensor, "events quarks 4"]
    is_quark: Bool[Tensor, "events quarks"]
    is_bottom: Bool[Tensor, "events quarks"]
    jet_of: Int[Tensor, "events quarks"]
    jets: Float[Tensor, "events jets 3"]
    is_jet: Bool[Tensor, "events jets"]
    is_extra: Bool[Tensor, "events jets"]
    tagged: Bool[Tensor, "events jets"]
    flavour: Int[Tensor, "events jets"]
    neutrino: Float[Tensor, "events 2"]
    total: Float[Tensor, "events 2"]
    met: Float[Tensor, "events 2"]

    @property
    def jet_momenta(self) -> Float[Tensor, "events jets 2"]:
        """Transverse momenta (x, y) of the jets, 0 for padding."""
        pt, phi = self.jets[..., 0] * self.is_jet, self.jets[..., 2]
        return torch.stack([pt * torch.cos(phi), pt * torch.sin(phi)], dim=-1)

    @property
    def found(self) -> Bool[Tensor, "events quarks"]:
        """Quarks with a jet."""
        return self.is_quark & (self.jet_of >= 0)

    def of_quarks(self, values: Tensor) -> Tensor:
        """Return values of jets `(N, J)` for the jet of each quark, `(N, Q)`; those of jet 0 where there is none."""
        return values.gather(1, self.jet_of.clamp(min=0))

    def quark_probes(self, selection: SelectionConfig) -> Bool[Tensor, "events quarks"]:
        """Return the quarks whose event is selected without their jet, `(N, Q)`."""
        without = self.is_jet.sum(dim=1, keepdim=True) - self.found.long() >= selection.jets_min
        its_tag = (self.found & self.of_quarks(self.tagged)).long()
        tags = (self.is_jet & self.tagged).sum(dim=1, keepdim=True) - its_tag >= selection.b_tags_min
        return self.is_quark & without & tags

    def tag_probes(self, selection: SelectionConfig) -> Bool[Tensor, "events jets"]:
        """Return the jets whose event has enough tags without theirs, `(N, J)`."""
        tags = (self.is_jet & self.tagged).sum(dim=1, keepdim=True) - (self.is_jet & self.tagged).long()
        return self.is_jet & (tags >= selection.b_tags_min)

    def quark_eta(self) -> Float[Tensor, "events quarks"]:
        """Return the pseudorapidities of the quarks, 0 for padding."""
        return torch.where(self.is_quark, pseudorapidity(self.quarks), torch.zeros(()).double())


def matched_events(batch: EventBatch) -> MatchedEvents:
    """Return the matched quarks and jets of semileptonic events.

    Args:
        batch: selected events with `COLUMNS`.

    Raises:
        SchemaError: if the events have no matched jets, or are not semileptonic.
    """
    for name in COLUMNS:
        if not batch.has(name):
            raise SchemaError(
                f"transfer functions are fitted to jets matched to quarks, but the column '{name}' was not read or is "
                "null for some events: use selected events of a simulated sample whose decays are known"
            )
    if wrong := int((batch.column("hadronic_top").astype(np.int64) == 0).sum()):
        raise SchemaError(f"{wrong} of {len(batch)} events have no single hadronic top: they are not semileptonic")
    pdg, origin, momenta = _decays(batch)
    size = np.abs(pdg)
    quark = (size >= 1) & (size <= 5)
    # t → W b: down-type and a quark for t; W⁺ gives an up-type quark and a down-type antiquark.
    of_top = (np.abs(origin) == 6) & (size % 2 == 1) & (pdg * origin > 0)
    jet_pt, is_jet = batch.padded("jet_pt", _width(batch, "jet_pt"))
    match = np.where(is_jet, batch.padded("jet_match", is_jet.shape[1])[0].astype(np.int64), -1)
    columns = [jet_pt, *(batch.padded(name, is_jet.shape[1])[0] for name in ("jet_eta", "jet_phi"))]
    neutrino = np.isin(size, (12, 14, 16))
    met, phi = batch.column("met_pt").astype(np.float64), batch.column("met_phi").astype(np.float64)
    return MatchedEvents(
        quarks=torch.from_numpy(momenta),
        is_quark=torch.from_numpy(quark),
        is_bottom=torch.from_numpy(quark & ((origin == 25) | of_top)),
        jet_of=torch.from_numpy(_jet_of(match, pdg.shape[1])),
        jets=torch.from_numpy(np.stack([column.astype(np.float64) for column in columns], axis=-1)),
        is_jet=torch.from_numpy(is_jet),
        is_extra=torch.from_numpy(is_jet & (match < 0)),
        tagged=torch.from_numpy(batch.padded("jet_tagged", is_jet.shape[1])[0].astype(np.bool_)),
        flavour=torch.from_numpy(batch.padded("jet_flavour", is_jet.shape[1])[0].astype(np.int64)),
        neutrino=torch.from_numpy((momenta[..., 1:3] * neutrino[..., None]).sum(axis=1)),
        total=torch.from_numpy(momenta[..., 1:3].sum(axis=1)),
        met=torch.from_numpy(np.stack([met * np.cos(phi), met * np.sin(phi)], axis=-1)),
    )


def _decays(batch: EventBatch) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    width = _width(batch, "decay_pdg")
    pdg = batch.padded("decay_pdg", width)[0].astype(np.int64)
    origin = batch.padded("decay_origin", width)[0].astype(np.int64)
    momenta = batch.padded("decay_partons", 4 * width)[0].astype(np.float64).reshape(len(batch), width, 4)
    return pdg, origin, momenta


def _width(batch: EventBatch, name: str) -> int:
    return max(int(batch.counts(name).max(initial=0)), 1)


def _jet_of(match: NDArray[np.int64], quarks: int) -> NDArray[np.int64]:
    """Return the jet of each decay product, −1 for none, from the decay product of each jet."""
    jet_of = np.full((len(match), quarks), -1, dtype=np.int64)
    event, jet = np.nonzero(match >= 0)
    jet_of[event, match[event, jet]] = jet
    return jet_of
