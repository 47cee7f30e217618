"""Drawing of reconstructed events from the transfer function: the number of jets, then one object after another.

Each component is drawn from the density that `TransferNetwork.log_prob` gives it, and put back from the real line or
the circle to GeV, η and φ (`partonic.mem.transfer.objects` has the maps). What p_T says nothing of is filled in: jets
and leptons have no mass, b-tags are 1 or 0, leptons are electrons, isolated like the photons.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from partonic.events.batch import LEPTON_FEATURES, MAX_LEPTONS, MAX_PHOTONS, PHOTON_FEATURES, RecoEvents
from partonic.features.known_of_event import ELECTRON
from partonic.mem.transfer.heads.head import ObjectHead
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.network import TransferNetwork
from partonic.mem.transfer.objects import (
    JET,
    LEPTON,
    MET,
    SMALLEST_MET,
    ObjectTable,
    cuts_of,
    first_of,
    kinds_of,
)
from partonic.mem.transfer.partons import turned
from partonic.physics.kinematics import delta_phi

__all__ = ["sample_objects"]

_LARGEST_PT = 1e6
"""GeV; beyond any collider. Densities on the real line have tails that know no such limit."""


class _Drawing:
    """Objects of events with as many jets as were drawn, filled in from the first to the last."""

    def __init__(self, layout: TransferLayout, momenta: Tensor, jets: Tensor, azimuth: Tensor) -> None:
        slots = layout.missing + 1 + int(jets.max())
        self.layout, self.momenta, self.jets, self.azimuth = layout, turned(momenta, azimuth).float(), jets, azimuth
        self.kind = torch.tensor(kinds_of(layout, slots), device=momenta.device)
        places = torch.arange(slots, device=momenta.device)
        self.mask = places < (layout.missing + 1 + jets)[:, None]
        self.pt, self.eta, self.phi = (torch.full(self.mask.shape, x, device=momenta.device) for x in (1.0, 0.0, 0.0))
        self.tagged = torch.zeros_like(self.mask)

    def table(self, rows: Tensor, objects: int) -> ObjectTable:
        """Return the first objects of some events; of the last one nothing is known yet."""
        seen = (rows, slice(objects))
        return ObjectTable(
            kind=self.kind[:objects], mask=self.mask[seen], pt=self.pt[seen], eta=self.eta[seen], phi=self.phi[seen],
            tagged=self.tagged[seen], forced=torch.zeros_like(self.mask[seen]),
            line=torch.zeros(*self.mask[seen].shape, 2), log_jacobian=torch.zeros(len(rows)),
            inside=torch.ones(len(rows), dtype=torch.bool), azimuth=self.azimuth[rows], jets=self.jets[rows],
        )  # fmt: skip

    def draw(self, network: TransferNetwork, place: int, generator: torch.Generator) -> None:
        """Draw the object at `place` of all events that have one."""
        rows = self.mask[:, place].nonzero()[:, 0]
        table, momenta = self.table(rows, place + 1), self.momenta[rows][:, None]
        states = network.states(table, momenta)[:, :, -1:]
        kind = int(self.kind[place])
        head = network.head_of(kind)
        if head is None:
            raise ValueError(f"the network has no head for the kind of object {kind}")
        tagged = self._tags(head, states[:, 0, 0], rows, place, generator)
        near = network.near_candidates(table, momenta)
        objects = ObjectsOfKind(self.layout, table, states, range(place, place + 1), near)
        pt, eta, phi = head.sample(objects, tagged, generator)
        reference = place == self.layout.reference_object
        self.tagged[rows, place] = tagged
        self.pt[rows, place] = self._within(kind, pt, rows, place)
        self.eta[rows, place] = eta
        self.phi[rows, place] = torch.zeros_like(phi) if reference else phi

    def _tags(self, head: ObjectHead, state: Tensor, rows: Tensor, place: int, generator: torch.Generator) -> Tensor:
        """Draw tags; those without which the event could not have as many as it needs are given."""
        if head.tag is None:
            return torch.zeros(len(rows), dtype=torch.bool, device=state.device)
        left = self.jets[rows] - (place - first_of(self.layout, JET))
        forced = self.layout.b_tags_min - self.tagged[rows].sum(dim=1) >= left
        uniform = torch.rand(len(rows), generator=generator, device=generator.device).to(state)
        return forced | (uniform < torch.sigmoid(head.tag(state)[0]))

    def _within(self, kind: int, pt: Tensor, rows: Tensor, place: int) -> Tensor:
        """Return pT that no rounding takes out of the cuts or out of order, and no tail out of what floats hold."""
        pt = pt.clamp(max=_LARGEST_PT)
        if kind == MET:
            return pt.clamp(min=SMALLEST_MET)
        pt = pt.clamp(min=cuts_of(self.layout, kind)[0])
        if kind == LEPTON or place == first_of(self.layout, kind):
            return pt
        return torch.minimum(pt, self.pt[rows, place - 1])

    def events(self) -> RecoEvents:
        """Return the events, in the laboratory, padded as those of a store are."""
        leptons, jets_max = self.layout.leptons, self.layout.jets_max
        azimuth = self.azimuth[:, None].expand_as(self.phi)
        phi = delta_phi(self.phi.to(azimuth) + azimuth, torch.zeros_like(azimuth)).float()
        missing = self.layout.missing
        mask = self.mask[:, missing + 1 :]
        nothing = torch.zeros_like(self.pt)
        jets = torch.stack([self.pt, self.eta, phi, nothing, self.tagged.float()], dim=-1)[:, missing + 1 :]
        room = (0, jets_max - mask.shape[1])
        jets = torch.where(mask[..., None], jets, 0.0)
        features = {"pt": self.pt, "eta": self.eta, "phi": phi}
        found = torch.stack([features.get(name, nothing) for name in LEPTON_FEATURES], dim=-1)[:, :leptons]
        charge = torch.ones(len(mask), leptons, dtype=torch.int64)
        charge[:, : leptons - 1] = -1  # of two the first is positive, whose PDG id is negative
        no_lepton = (0, MAX_LEPTONS - leptons)
        return RecoEvents(
            jets=functional.pad(jets, (0, 0, *room)),
            jet_tagged=functional.pad(self.tagged[:, missing + 1 :], room),
            jet_mask=functional.pad(mask, room),
            leptons=functional.pad(found, (0, 0, *no_lepton)),
            lepton_pdg=functional.pad(ELECTRON * charge, no_lepton),
            lepton_mask=functional.pad(torch.ones(len(mask), leptons, dtype=torch.bool), no_lepton),
            met=torch.stack([self.pt[:, missing], phi[:, missing]], dim=-1),
            **self._photons(phi),
        )

    def _photons(self, phi: Tensor) -> dict[str, Tensor]:
        """Return photons and their mask, if there are any."""
        count, place = self.layout.photons, slice(self.layout.leptons, self.layout.missing)
        if not count:
            return {}
        found = torch.stack([self.pt, self.eta, phi], dim=-1)[:, place]
        room = (0, MAX_PHOTONS - count)
        return {
            "photons": functional.pad(found, (0, len(PHOTON_FEATURES) - found.shape[-1], *room)),
            "photon_mask": functional.pad(self.mask[:, place], room),
        }


@torch.no_grad()
def sample_objects(
    network: TransferNetwork, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator
) -> RecoEvents:
    """Draw one accepted event for each set of partons.

    Args:
        network: the network of a transfer function, in evaluation mode.
        momenta: partons in the order of the decay channel, laboratory, GeV.
        generator: of the random numbers.

    Returns:
        events in the laboratory, on the CPU, jets in descending pT. The lepton of semileptonic events is an electron:
        which of the two tops it came from is not said by p_T, whose partons are in the order of the decay channel.
    """
    jets, azimuth = network.sample_event(momenta, generator)
    drawing = _Drawing(network.layout, momenta, jets, azimuth)
    for place in range(len(drawing.kind)):
        drawing.draw(network, place, generator)
    return drawing.events()
