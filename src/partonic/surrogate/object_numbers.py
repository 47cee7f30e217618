"""Reconstructed objects of an event as a fixed number of real numbers, given partons: what generative models draw.

Numbers are in the frame of the partons: turned about the beam so that the reference parton has φ = 0, and by π across
it where the whole moves backward, both of which are exact symmetries. In this order:

    number of jets n    as a Gaussian number (`partonic.surrogate.whole_numbers`)
    leptons             ln(pT/cut − 1), logit[(1 + η/η_max)/2], logit of φ as a share of the circle
    photons             η and φ of the harder one likewise, and what is left (`partonic.surrogate.photon_pair`)
    missing momentum    ln pT, φ
    first jet           tag as a Gaussian number, ln(pT/cut − 1), η, φ, ln(m/pT)
    further jets        likewise, but pT as logit[ln(pT/cut)/ln(pT'/cut)], pT' of the jet before: they descend

Circles are cut where few objects are: opposite to the reference parton for leptons, photons and the missing momentum,
at it for jets. Slots of jets that an event does not have are NaN, and noise for the training.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from partonic.events.batch import MAX_LEPTONS, MAX_PHOTONS, RecoEvents
from partonic.features.lepton_order import order_by_charge
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.objects import SMALLEST_MET
from partonic.mem.transfer.partons import symmetric_features
from partonic.physics.kinematics import azimuth, delta_phi
from partonic.surrogate.photon_pair import photons_of_residuals, residuals_of_photons
from partonic.surrogate.whole_numbers import gaussian_of, gaussian_of_two, shares_of, whole_of

__all__ = ["ObjectNumbers", "TagShares"]

_MARGIN = 1e-6
"""Shares are kept this far from 0 and 1."""

_OF_JET = 5
"""Numbers of a jet."""

_MOST_TAGS = 2
"""Tags before a jet that are told apart; more count as so many."""

TagShares = tuple[tuple[tuple[float, ...], ...], ...]
"""Shares of tagged jets by place, number of tags before, and jets left."""

_LIGHTEST = 1e-3
"""Smallest m/pT of a jet that is told."""

_LARGEST_LOG = math.log(1e6)
"""Of pT/cut: beyond any collider."""


@dataclass(frozen=True)
class ObjectNumbers:
    """The map between reconstructed events and numbers.

    Attributes:
        layout: partons, objects and cuts.
        jets: jets that are kept, the hardest ones.
        count_shares: shares of events with so many jets, from the fewest of the layout to `jets`; () for equal ones.
        tag_shares: share of tagged ones among the jets of each place, the hardest first; of each, by the number of tags
            before (0, 1, 2 and more) and the number of jets left, itself included, from 1; () for a half. With them a
            model knows from the beginning how many tags events have.
    """

    layout: TransferLayout
    jets: int
    count_shares: tuple[float, ...] = ()
    tag_shares: TagShares = ()

    @classmethod
    def of(cls, reco: RecoEvents, layout: TransferLayout, jets: int) -> "ObjectNumbers":
        """Return the map with the shares of events."""
        whole = cls(layout, jets)
        reco = whole._with_slots(reco)
        mask = reco.jet_mask[:, :jets]
        counts = shares_of((mask.sum(dim=1) - layout.jets_min).clamp(min=0), jets - layout.jets_min + 1)
        tagged = reco.jet_tagged[:, :jets] & mask
        return cls(layout, jets, counts, tuple(_tag_shares(tagged, mask, place) for place in range(jets)))

    def _counts(self) -> Sequence[float]:
        number = self.jets - self.layout.jets_min + 1
        return self.count_shares or [1.0 / number] * number

    def _untagged(self, place: int, before: Tensor, left: Tensor) -> Tensor:
        """Return the share of jets without a tag at a place, given the tags before and the jets left, `(N,)`."""
        if not self.tag_shares:
            return torch.full(before.shape, 0.5, dtype=torch.float64)
        table = torch.tensor(self.tag_shares[place], dtype=torch.float64)
        return 1.0 - table[before.clamp(max=_MOST_TAGS), (left - 1).clamp(0, self.jets - 1)]

    @property
    def size(self) -> int:
        """Numbers of an event."""
        return 3 + 3 * (self.layout.leptons + self.layout.photons) + _OF_JET * self.jets

    @property
    def first_jet(self) -> int:
        """Place of the first number of the first jet."""
        return self.size - _OF_JET * self.jets

    def conditions(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, "events conditions"]:
        """Return what a model is given, float64: features of the partons in their frame."""
        return symmetric_features(momenta, self.layout.reference_parton).double()

    def encode(
        self, reco: RecoEvents, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator
    ) -> Float[Tensor, "events numbers"]:
        """Return the numbers of events, NaN in the slots of jets that they do not have.

        Args:
            reco: events within the cuts.
            momenta: their partons in the order of the decay channel, laboratory, GeV.
            generator: of the places of whole numbers.
        """
        frame = _Frame.of(momenta, self.layout.reference_parton)
        reco = self._with_slots(order_by_charge(reco) if self.layout.leptons > 1 else reco)
        mask = reco.jet_mask[:, : self.jets]
        layout = self.layout
        count = (mask.sum(dim=1) - layout.jets_min).clamp(min=0)
        columns = [gaussian_of(count, self._counts(), generator)]
        for place in range(layout.leptons):
            pt, eta, phi = reco.leptons[:, place, :3].double().unbind(dim=1)
            first = _above(pt, layout.lepton_pt_min)
            columns += [first, frame.eta_line(eta, layout.lepton_eta_max), frame.phi_line(phi, math.pi)]
        columns += self._of_photons(reco, momenta, frame)
        met_pt, met_phi = reco.met.double().unbind(dim=1)
        columns += [met_pt.clamp(min=SMALLEST_MET).log(), frame.phi_line(met_phi, math.pi)]
        before: Tensor | None = None
        for place in range(self.jets):
            there = mask[:, place]
            own, before = self._jet(reco, (place, mask), frame, before, generator)
            columns += [torch.where(there, values, torch.nan) for values in own]
        return torch.stack(columns, dim=1)

    def _with_slots(self, reco: RecoEvents) -> RecoEvents:
        """Return events with at least as many slots for jets as are told."""
        room = (0, max(self.jets - reco.jet_mask.shape[1], 0))
        return replace(
            reco,
            jets=functional.pad(reco.jets, (0, 0, *room)),
            jet_tagged=functional.pad(reco.jet_tagged, room),
            jet_mask=functional.pad(reco.jet_mask, room),
        )

    def _of_photons(self, reco: RecoEvents, momenta: Tensor, frame: "_Frame") -> list[Tensor]:
        """Return the numbers of two photons of H, six, or none."""
        if not self.layout.photons:
            return []
        photons, higgs = reco.photons[:, :2, :3].double(), momenta[:, self.layout.parton_pdg.index(25)].double()
        pt_1, mass, eta_2, phi_2 = residuals_of_photons(photons, higgs).unbind(dim=1)
        eta = frame.eta_line(photons[:, 0, 1], self.layout.photon_eta_max)
        phi = frame.phi_line(photons[:, 0, 2], math.pi)
        return [pt_1, eta, phi, mass, frame.sign * eta_2, frame.sign * phi_2]

    def _jet(
        self,
        reco: RecoEvents,
        slot: tuple[int, Tensor],
        frame: "_Frame",
        before: Tensor | None,
        generator: torch.Generator,
    ) -> tuple[list[Tensor], Tensor]:
        """Return the numbers of a jet, given its place and which jets are real, and its pT."""
        place, mask = slot
        pt, eta, phi, mass = reco.jets[:, place, :4].double().unbind(dim=1)
        tagged = reco.jet_tagged[:, : self.jets] & mask
        untagged = self._untagged(place, tagged[:, :place].sum(dim=1), mask.sum(dim=1) - place)
        tag = gaussian_of_two(tagged[:, place], untagged, generator)
        layout = self.layout
        line = _descending(pt, before, layout.jet_pt_min)
        ratio = (mass / pt.clamp(min=_MARGIN)).clamp(min=_LIGHTEST).log()
        return [tag, line, frame.eta_line(eta, layout.jet_eta_max), frame.phi_line(phi, 0.0), ratio], pt

    def decode(
        self, numbers: Float[Tensor, "events numbers"], momenta: Float[Tensor, "events partons 4"]
    ) -> RecoEvents:
        """Return the events of numbers: the inverse of `encode` up to rounding, and within the cuts whatever they are.

        Args:
            numbers: those of `encode`, without NaN.
            momenta: partons in the order of the decay channel, laboratory, GeV.
        """
        layout, frame = self.layout, _Frame.of(momenta, self.layout.reference_parton)
        count = layout.jets_min + whole_of(numbers[:, 0], self._counts())
        mask = torch.arange(self.jets) < count[:, None]
        objects = numbers[:, 1 : self.first_jet - 2].reshape(len(numbers), layout.leptons + layout.photons, 3)
        leptons = [self._lepton(objects[:, place], frame) for place in range(layout.leptons)]
        photons = self._photons(objects[:, layout.leptons :], momenta, frame)
        met = numbers[:, self.first_jet - 2 : self.first_jet]
        met_pt = met[:, 0].clamp(max=_LARGEST_LOG).exp().clamp(min=SMALLEST_MET)
        jets, tagged = self._jets(numbers[:, self.first_jet :].reshape(-1, self.jets, _OF_JET), mask, frame)
        charge = torch.ones(len(numbers), layout.leptons, dtype=torch.int64)
        charge[:, : layout.leptons - 1] = -1  # of two the first is positive, whose PDG id is negative
        no_lepton = (0, MAX_LEPTONS - layout.leptons)
        of_photons = {}
        if layout.photons:
            padded = (0, MAX_PHOTONS - layout.photons)
            there = torch.ones(len(numbers), layout.photons, dtype=torch.bool)
            of_photons = {"photons": functional.pad(photons, (0, 1, *padded)).float(),
                          "photon_mask": functional.pad(there, padded)}  # fmt: skip
        found = torch.stack(leptons, dim=1) if leptons else numbers.new_zeros(len(numbers), 0, 3)
        return RecoEvents(
            jets=jets.float(), jet_tagged=tagged, jet_mask=mask,
            leptons=functional.pad(found, (0, 2, *no_lepton)).float(),
            lepton_pdg=functional.pad(11 * charge, no_lepton),
            lepton_mask=functional.pad(torch.ones_like(charge, dtype=torch.bool), no_lepton),
            met=torch.stack([met_pt, frame.phi(met[:, 1], math.pi)], dim=1).float(),
            **of_photons,
        )  # fmt: skip

    def _lepton(self, numbers: Tensor, frame: "_Frame") -> Tensor:
        t, t_eta, t_phi = numbers.unbind(dim=1)
        pt = _pt(t, None, self.layout.lepton_pt_min)
        eta = frame.eta(t_eta, self.layout.lepton_eta_max)
        return torch.stack([pt, eta, frame.phi(t_phi, math.pi)], dim=1)

    def _photons(self, numbers: Tensor, momenta: Tensor, frame: "_Frame") -> Tensor:
        """Return pT, η and φ of two photons, the harder one first, `(N, 2, 3)`; none where there is none."""
        if not self.layout.photons:
            return numbers
        higgs = momenta[:, self.layout.parton_pdg.index(25)].double()
        (pt_1, eta, phi), (mass, eta_2, phi_2) = numbers.permute(1, 2, 0)
        first = [frame.eta(eta, self.layout.photon_eta_max), frame.phi(phi, math.pi)]
        residuals = torch.stack([pt_1, mass, frame.sign * eta_2, frame.sign * phi_2], dim=1)
        photons = photons_of_residuals(residuals, torch.stack(first, dim=1), higgs)
        largest = self.layout.photon_eta_max * (1.0 - _MARGIN)
        pt, etas = photons[..., 0].clamp(min=self.layout.photon_pt_min), photons[..., 1].clamp(-largest, largest)
        inside = torch.stack([pt, etas, photons[..., 2]], dim=2)
        order = pt.argsort(dim=1, descending=True, stable=True)
        return inside.gather(1, order[..., None].expand_as(inside))

    def _jets(self, numbers: Tensor, mask: Tensor, frame: "_Frame") -> tuple[Tensor, Tensor]:
        """Return the features of jets, `(N, J, 5)`, and which are tagged."""
        pt, rows = None, []
        for t, t_eta, t_phi, t_mass in numbers[..., 1:].permute(1, 2, 0):
            pt = _pt(t, pt, self.layout.jet_pt_min)
            eta, phi = frame.eta(t_eta, self.layout.jet_eta_max), frame.phi(t_phi, 0.0)
            rows.append(torch.stack([pt, eta, phi, pt * t_mass.clamp(max=0.0).exp()], dim=1))
        tagged = self._tagged(numbers[..., 0], mask)
        jets = torch.cat([torch.stack(rows, dim=1), tagged[..., None].double()], dim=2)
        return torch.where(mask[..., None], jets, 0.0), tagged

    def _tagged(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Return which jets are tagged: those whose number says so, and at least as many as the selection wants."""
        found, before = torch.zeros_like(mask), torch.zeros(len(mask), dtype=torch.long)
        for place in range(self.jets):
            untagged = self._untagged(place, before, mask.sum(dim=1) - place)
            found[:, place] = mask[:, place] & (torch.special.ndtr(numbers[:, place]) >= untagged)
            before = before + found[:, place]
        score = torch.where(mask, numbers, -torch.inf)
        rank = score.argsort(dim=1, descending=True).argsort(dim=1)
        lacking = (found.sum(dim=1) < self.layout.b_tags_min)[:, None]
        return found | (mask & lacking & (rank < self.layout.b_tags_min))


@dataclass(frozen=True)
class _Frame:
    """The frame of the partons.

    Attributes:
        azimuth: of the reference parton, `(N,)`.
        sign: −1 where the whole moves backward, `(N,)`.
    """

    azimuth: Tensor
    sign: Tensor

    @classmethod
    def of(cls, momenta: Tensor, reference: int) -> "_Frame":
        momenta = momenta.double()
        backward = momenta[..., 3].sum(dim=-1) < 0.0
        return cls(azimuth(momenta[:, reference]), torch.where(backward, -1.0, 1.0).double())

    def eta_line(self, eta: Tensor, largest: float) -> Tensor:
        return _logit(0.5 + 0.5 * self.sign * eta / largest)

    def eta(self, line: Tensor, largest: float) -> Tensor:
        return self.sign * largest * (2.0 * torch.sigmoid(line).clamp(_MARGIN, 1.0 - _MARGIN) - 1.0)

    def phi_line(self, phi: Tensor, cut: float) -> Tensor:
        share = torch.remainder(self.sign * (phi - self.azimuth) - cut, 2.0 * math.pi) / (2.0 * math.pi)
        return _logit(share)

    def phi(self, line: Tensor, cut: float) -> Tensor:
        turned = self.sign * (cut + 2.0 * math.pi * torch.sigmoid(line)) + self.azimuth
        return delta_phi(turned, torch.zeros_like(turned))


def _tag_shares(tagged: Tensor, mask: Tensor, place: int) -> tuple[tuple[float, ...], ...]:
    """Return the shares of tagged jets at a place, each as if one with and one without a tag had been found, too."""
    jets = mask.shape[1]
    before, left = tagged[:, :place].sum(dim=1).clamp(max=_MOST_TAGS), mask.sum(dim=1) - place
    there = mask[:, place]
    cell = (before * jets + left - 1)[there]
    size = (_MOST_TAGS + 1) * jets
    total = torch.bincount(cell, minlength=size).double() + 2.0
    share = (torch.bincount(cell, tagged[:, place][there].double(), minlength=size) + 1.0) / total
    return tuple(tuple(row) for row in share.reshape(_MOST_TAGS + 1, jets).tolist())


def _logit(share: Tensor) -> Tensor:
    return torch.logit(share.clamp(_MARGIN, 1.0 - _MARGIN))


def _above(pt: Tensor, cut: float) -> Tensor:
    return (pt / cut - 1.0).clamp(min=_MARGIN).log()


def _descending(pt: Tensor, before: Tensor | None, cut: float) -> Tensor:
    """Return pT on the line: above the cut, or between the cut and the pT of the object before."""
    if before is None:
        return _above(pt, cut)
    logs = [(values / cut).clamp(min=1.0 + _MARGIN).log() for values in (pt, before)]
    return _logit(logs[0] / logs[1])


def _pt(line: Tensor, before: Tensor | None, cut: float) -> Tensor:
    """Return pT in GeV of a number on the line."""
    if before is None:
        return cut * (1.0 + line.clamp(max=_LARGEST_LOG).exp())
    return cut * (before / cut) ** torch.sigmoid(line)
