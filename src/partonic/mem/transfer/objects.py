"""Reconstructed objects of events in sequence, as the transfer function takes them: components, support and Jacobian.

Each component is mapped to the real line or to the circle such that the cuts are its ends:

    lepton, first jet   t = ln ln(pT/cut), the first photon likewise
    further jets        t = logit[ln(pT/cut)/ln(pT'/cut)], pT' of the jet before: they are in descending order
    further photons     likewise
    missing momentum    t = ln pT
    all                 t = logit[(1 + η/η_max)/2], and φ in the frame of the event

The frame is turned about the beam so that the first lepton (without leptons: the first photon, else the first jet) has
φ = 0. The map depends
on x alone, so that its Jacobian is the same for all partons; with it, densities are in dpT dη dφ for each object.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.features.lepton_order import order_by_charge
from partonic.mem.transfer.layout import TransferLayout
from partonic.physics.kinematics import delta_phi

__all__ = [
    "JET",
    "LEPTON",
    "MET",
    "PHOTON",
    "SMALLEST_MET",
    "ObjectTable",
    "cuts_of",
    "first_of",
    "kinds_of",
    "object_table",
]

LEPTON, MET, JET, PHOTON = range(4)
"""Kinds of objects."""

_MARGIN = 1e-6
"""Fractions are kept this far from 0 and 1, where two jets have equal pT or an object sits on a cut."""

SMALLEST_MET = 1e-3
"""GeV; the missing momentum of an event without any."""


@dataclass(frozen=True)
class ObjectTable:
    """Objects of events: leptons, photons, missing momentum, jets; padded after the last jet.

    Attributes:
        kind: kind of each object, `(T,)`, the same for all events.
        mask: real objects, `(N, T)`.
        pt: in GeV, `(N, T)`, 1 in padding.
        eta: pseudorapidity, `(N, T)`; 0 for the missing momentum.
        phi: in the frame of the event, `(N, T)`.
        tagged: b-tagged jets, `(N, T)`.
        forced: jets that had to be tagged for the event to be selected, given those before, `(N, T)`.
        line: t of pT and of η, `(N, T, 2)`; that of the η of the missing momentum is 0.
        log_jacobian: Σ log |dt/d(pT, η)| over all objects, `(N,)`.
        inside: events within the cuts, `(N,)`.
        azimuth: φ of the reference object in the laboratory, `(N,)`.
        jets: number of jets, `(N,)`.
    """

    kind: Tensor
    mask: Bool[Tensor, "events objects"]
    pt: Float[Tensor, "events objects"]
    eta: Float[Tensor, "events objects"]
    phi: Float[Tensor, "events objects"]
    tagged: Bool[Tensor, "events objects"]
    forced: Bool[Tensor, "events objects"]
    line: Float[Tensor, "events objects 2"]
    log_jacobian: Float[Tensor, " events"]
    inside: Bool[Tensor, " events"]
    azimuth: Float[Tensor, " events"]
    jets: Tensor

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.mask)

    def rows(self, chosen: Tensor, objects: int | None = None) -> "ObjectTable":
        """Return some events, with the first `objects` slots (all if None)."""
        columns = {
            name: values if name == "kind" else values[chosen] for name, values in vars(self).items() if name != "kind"
        }
        table = ObjectTable(kind=self.kind, **columns)
        return table if objects is None else table.trimmed(objects)

    def trimmed(self, objects: int) -> "ObjectTable":
        """Return the same events with the first `objects` slots."""
        padded = ("mask", "pt", "eta", "phi", "tagged", "forced", "line")
        cut = {name: getattr(self, name)[:, :objects] for name in padded}
        return replace(self, kind=self.kind[:objects], **cut)

    def to(self, device: torch.device | str) -> "ObjectTable":
        """Return the events on another device."""
        return ObjectTable(**{name: values.to(device) for name, values in vars(self).items()})

    def mirrored(self, flip: Bool[Tensor, " events"]) -> "ObjectTable":
        """Return events turned by π about the x axis of their frame where `flip`: φ → −φ, η → −η."""
        sign = torch.where(flip, -1.0, 1.0)[:, None]
        line = torch.stack([self.line[..., 0], self.line[..., 1] * sign], dim=-1)
        return replace(self, phi=self.phi * sign, eta=self.eta * sign, line=line)

    def features(self) -> Float[Tensor, "events objects 6"]:
        """Return what the network sees of each object, whatever the partons."""
        log_pt = torch.log(self.pt) - math.log(50.0)
        tag = self.tagged.to(log_pt.dtype)
        position = torch.arange(len(self.kind), dtype=log_pt.dtype, device=log_pt.device).expand_as(log_pt) * 0.1
        return torch.stack([log_pt, self.eta, torch.cos(self.phi), torch.sin(self.phi), tag, position], dim=-1)

    def momenta(self) -> Float[Tensor, "events objects 4"]:
        """Return massless four-vectors in the frame of the event, GeV; the missing momentum with η = 0."""
        return torch.stack(
            [
                self.pt * torch.cosh(self.eta),
                self.pt * torch.cos(self.phi),
                self.pt * torch.sin(self.phi),
                self.pt * torch.sinh(self.eta),
            ],
            dim=-1,
        )


def kinds_of(layout: TransferLayout, slots: int) -> list[int]:
    """Return the kind of the object in each slot."""
    before = [LEPTON] * layout.leptons + [PHOTON] * layout.photons + [MET]
    return before + [JET] * (slots - len(before))


def first_of(layout: TransferLayout, kind: int) -> int:
    """Return the slot of the first object of a kind."""
    return {LEPTON: 0, PHOTON: layout.leptons, MET: layout.missing, JET: layout.missing + 1}[kind]


def cuts_of(layout: TransferLayout, kind: int) -> tuple[float, float]:
    """Return smallest pT in GeV and largest |η| of leptons, photons or jets."""
    return {
        LEPTON: (layout.lepton_pt_min, layout.lepton_eta_max),
        PHOTON: (layout.photon_pt_min, layout.photon_eta_max),
        JET: (layout.jet_pt_min, layout.jet_eta_max),
    }[kind]


def object_table(reco: RecoEvents, layout: TransferLayout) -> ObjectTable:
    """Return the objects of reconstructed events in sequence.

    Events that have too few leptons, photons or jets, or lie outside the cuts, are marked by `ObjectTable.inside`.
    """
    reco = order_by_charge(reco) if layout.leptons > 1 else reco
    leptons, before = layout.leptons, layout.missing
    photons, photon_mask = _photons(reco, layout)
    jets, jet_mask = reco.jets[:, : layout.jets_max], reco.jet_mask[:, : layout.jets_max]
    met = torch.stack([reco.met[:, 0].clamp(min=SMALLEST_MET), torch.zeros_like(reco.met[:, 0]), reco.met[:, 1]], -1)
    stacked = torch.cat([reco.leptons[:, :leptons, :3], photons, met[:, None], jets[..., :3]], dim=1)
    ones = torch.ones_like(jet_mask[:, :1])
    mask = torch.cat([reco.lepton_mask[:, :leptons], photon_mask, ones, jet_mask], dim=1)
    kind = torch.tensor(kinds_of(layout, mask.shape[1]), device=mask.device)
    tagged = torch.cat([torch.zeros_like(mask[:, : before + 1]), reco.jet_tagged[:, : layout.jets_max]], dim=1) & mask
    pt = torch.where(mask, stacked[..., 0], 1.0)
    eta, phi = torch.where(mask, stacked[..., 1], 0.0), torch.where(mask, stacked[..., 2], 0.0)
    azimuth = phi[:, layout.reference_object]
    turned = torch.where(mask, delta_phi(phi, azimuth[:, None].expand_as(phi)), 0.0)
    fractions, log_jacobian, inside = _on_the_line(pt, eta, kind, mask, layout)
    forced = _forced_tags(tagged, mask, kind, layout)
    number = jet_mask.sum(dim=1)
    finite = (torch.isfinite(stacked).all(dim=-1) | ~mask).all(dim=1)
    inside = inside & finite & mask[:, :before].all(dim=1) & (number >= layout.jets_min)
    inside = inside & ~(forced & ~tagged).any(dim=1) & (tagged.sum(dim=1) >= layout.b_tags_min)
    return ObjectTable(
        kind=kind, mask=mask, pt=pt, eta=eta, phi=turned, tagged=tagged, forced=forced, line=fractions.float(),
        log_jacobian=log_jacobian, inside=inside, azimuth=azimuth, jets=number,
    )  # fmt: skip


def _photons(reco: RecoEvents, layout: TransferLayout) -> tuple[Tensor, Tensor]:
    """Return pT, η and φ of the hardest photons of each event and which are real; empty slots where it has fewer."""
    room = (0, max(layout.photons - reco.photons.shape[1], 0))
    photons = torch.nn.functional.pad(reco.photons[:, : layout.photons, :3], (0, 0, *room))
    return photons.to(reco.jets), torch.nn.functional.pad(reco.photon_mask[:, : layout.photons], room)


def _on_the_line(
    pt: Tensor, eta: Tensor, kind: Tensor, mask: Tensor, layout: TransferLayout
) -> tuple[Tensor, Tensor, Tensor]:
    """Return t of pT and η, the sum of log |dt/d(pT, η)|, and whether all objects are within the cuts; float64."""
    pt, eta = pt.double(), eta.double()
    is_met, is_jet = kind == MET, kind == JET
    is_photon = kind == PHOTON
    cut = torch.where(is_jet, layout.jet_pt_min, layout.lepton_pt_min).to(pt)
    cut = torch.where(is_photon, layout.photon_pt_min, cut)
    eta_max = torch.where(is_jet, layout.jet_eta_max, layout.lepton_eta_max).to(pt)
    eta_max = torch.where(is_photon, layout.photon_eta_max, eta_max)
    before = torch.cat([torch.full_like(pt[:, :1], math.inf), pt[:, :-1]], dim=1)
    place = torch.arange(len(kind), device=kind.device)
    follows = (place > first_of(layout, JET)) | (is_photon & (place > first_of(layout, PHOTON)))
    in_pt = (pt >= cut) & (~follows | (pt <= before)) | is_met
    in_eta = (eta.abs() <= eta_max) | is_met
    excess = torch.log(pt / cut).clamp(min=_MARGIN)
    whole = torch.log(before / cut).clamp(min=_MARGIN)
    share = torch.where(follows, (excess / whole).clamp(_MARGIN, 1.0 - _MARGIN), 0.5)
    t_pt = torch.where(follows, torch.logit(share), torch.log(excess))
    jacobian_pt = -torch.log(pt) - torch.log(excess) - torch.where(follows, torch.log1p(-share), 0.0)
    t_pt, jacobian_pt = torch.where(is_met, torch.log(pt), t_pt), torch.where(is_met, -torch.log(pt), jacobian_pt)
    part = (0.5 * (1.0 + eta / eta_max)).clamp(_MARGIN, 1.0 - _MARGIN)
    t_eta = torch.where(is_met, 0.0, torch.logit(part))
    jacobian_eta = torch.where(is_met, 0.0, -torch.log(part) - torch.log1p(-part) - torch.log(2.0 * eta_max))
    log_jacobian = torch.where(mask, jacobian_pt + jacobian_eta, 0.0).sum(dim=1)
    inside = (in_pt & in_eta | ~mask).all(dim=1)
    line = torch.where(mask[..., None], torch.stack([t_pt, t_eta], dim=-1), 0.0)
    return line, log_jacobian, inside


def _forced_tags(tagged: Tensor, mask: Tensor, kind: Tensor, layout: TransferLayout) -> Tensor:
    """Return jets without whose tag the event could not have as many tags as it needs."""
    is_jet = mask & (kind == JET)
    before = tagged.long().cumsum(dim=1) - tagged.long()
    left = is_jet.long().flip(1).cumsum(dim=1).flip(1)  # jets from here on, this one included
    return is_jet & (layout.b_tags_min - before >= left)
