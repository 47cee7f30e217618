"""The network of the transfer function p_T(x|z) (idea: Transfermer, arXiv:2310.07752).

    p_T(x|z) = p(n_jets|z) p(φ_ref|z, n) Π_k p(object k | objects before, n, z)

Each object becomes a token: what it is, and how it stands to every parton. Causal attention over the tokens gives the
state that the density of the next object is conditioned on; pT, then η, then φ have one small spline each, a jet's tag
comes first. Every factor is normalised, so the whole is. What depends on x alone is computed once for all partons.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_training.transfer import TransferConfig
from partonic.mem.transfer.candidates import (
    CandidateMomenta,
    CandidatePlan,
    candidates_of,
    kinds_of_candidates,
    plan_candidates,
)
from partonic.mem.transfer.components import CircleDensity, LineDensity, SmallNetwork
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.mixture import CandidateDensity, CandidateKeys, ObjectPlace, Observed
from partonic.mem.transfer.objects import JET, LEPTON, MET, PHOTON, ObjectTable, cuts_of, first_of
from partonic.mem.transfer.partons import global_features, global_size, pair_features, pair_size, turned, turned_to
from partonic.nn.causal import CausalBlock
from partonic.nn.linear import linear
from partonic.nn.scaling import MaskedStandardiser

__all__ = ["ObjectHeads", "TransferNetwork"]

_OBJECT_FEATURES = 6

_SEQUENCE = (LEPTON, PHOTON, MET, JET)
"""Kinds of objects in the order in which they stand."""

_SMALLEST = 1e-6
"""Smallest room between the cut and the jet before, as the real line has it."""


@dataclass(frozen=True)
class NearCandidates:
    """Candidates with what the network says of them.

    Attributes:
        plan: which they are.
        found: their momenta.
        keys, shapes: `(N, S, C, ...)`.
    """

    plan: CandidatePlan
    found: CandidateMomenta
    keys: Tensor
    shapes: Tensor

    def first(self, count: int) -> "NearCandidates":
        """Return the first candidates, with the plan of all."""
        found = CandidateMomenta(**{name: values[:, :, :count] for name, values in vars(self.found).items()})
        return NearCandidates(self.plan, found, self.keys[:, :, :count], self.shapes[:, :, :count])


class _Dense(nn.Module):
    """Standardised inputs and one hidden layer."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.scales = MaskedStandardiser(inputs)
        self.inner, self.outer = nn.Linear(inputs, width), nn.Linear(width, width)

    def forward(self, features: Tensor) -> Tensor:
        mean, deviation = (values.to(features.dtype) for values in (self.scales.mean, self.scales.deviation))
        return linear(self.outer, linear(self.inner, (features - mean) / deviation, relu=True))


class ObjectHeads(nn.Module):
    """Densities of the components of one kind of object; components that it lacks are None.

    Objects that are `ordered` by pT have another density of pT after the first one.
    """

    def __init__(self, config: TransferConfig, *, tag: bool = False, eta: bool = True, ordered: bool = False) -> None:
        super().__init__()
        width, hidden, bins = config.width, config.head_hidden, config.bins
        self.tag = SmallNetwork(width, hidden, 1) if tag else None
        self.first_pt = LineDensity(width + 1, hidden, bins)
        self.next_pt = LineDensity(width + 1, hidden, bins) if ordered else None
        self.eta = LineDensity(width + 2, hidden, bins) if eta else None
        self.phi = CircleDensity(width + 3, hidden, bins)
        self.near = CandidateDensity(width, config.candidates) if config.candidates else None


class TransferNetwork(nn.Module):
    """log p_T of events in the coordinates of `ObjectTable`, for sets of partons."""

    def __init__(self, config: TransferConfig, layout: TransferLayout) -> None:
        """Build the network, with weights from torch's global generator."""
        super().__init__()
        self.config, self.layout = config, layout
        partons, width = len(layout.parton_pdg), config.width
        self.partons = _Dense(global_size(partons), width)
        self.pairs = _Dense(pair_size(partons), width)
        self.objects = nn.Linear(_OBJECT_FEATURES, width)
        self.start = nn.Parameter(torch.zeros(width))
        kinds = 4 if layout.photons else 3
        self.kinds = nn.Embedding(kinds, width)
        self.next_kinds = nn.Embedding(kinds, width)
        self.numbers = nn.Embedding(layout.multiplicities, width)
        candidates = kinds_of_candidates(layout)
        self.keys = CandidateKeys(candidates, config.candidates, 2 * config.candidates) if config.candidates else None
        self.blocks = nn.ModuleList(
            [CausalBlock(width, config.heads, config.feedforward, config.dropout) for _ in range(config.layers)]
        )
        self.norm = nn.LayerNorm(width)
        self.lepton = ObjectHeads(config) if layout.leptons else None
        self.met = ObjectHeads(config, eta=False)
        self.jet = ObjectHeads(config, tag=True, ordered=True)
        self.photon = ObjectHeads(config, ordered=True) if layout.photons else None
        self.alone = _Dense(global_size(partons), 2 * width)
        self.count = SmallNetwork(2 * width, 2 * width, layout.multiplicities)
        self.numbers_alone = nn.Embedding(layout.multiplicities, 2 * width)
        self.reference = CircleDensity(2 * width, config.head_hidden, config.bins)

    @torch.no_grad()
    def fit_scales(self, table: ObjectTable, momenta: Float[Tensor, "events partons 4"]) -> None:
        """Set means and standard deviations from training events."""
        everything = torch.ones_like(table.mask[:, :1])
        in_event = turned(momenta, table.azimuth.to(momenta.dtype)).float()
        self.partons.scales.fit(global_features(in_event)[:, None], everything)
        self.pairs.scales.fit(pair_features(in_event, table.momenta().float()), table.mask)
        self.alone.scales.fit(global_features(self._alone(momenta)[0].float())[:, None], everything)
        for heads, place in self.heads_and_places(table.mask.shape[1]):
            _fit_heads(heads, table.line[:, place], table.mask[:, place])

    def heads_of(self, kind: int) -> ObjectHeads | None:
        """Return the densities of one kind of object; None where there is no such object."""
        return {LEPTON: self.lepton, PHOTON: self.photon, MET: self.met, JET: self.jet}[kind]

    def heads_and_places(self, slots: int) -> Iterator[tuple[ObjectHeads, slice]]:
        """Yield the densities of each kind of object, and where they stand among so many slots."""
        ends = [first_of(self.layout, kind) for kind in _SEQUENCE[1:]]
        for kind, end in zip(_SEQUENCE, [*ends, slots], strict=True):
            heads = self.heads_of(kind)
            if heads is not None:
                yield heads, slice(first_of(self.layout, kind), end)

    def log_prob(
        self, table: ObjectTable, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples"]:
        """Return the log-density with respect to Π dt_pT dt_η dφ; the Jacobian to pT and η is that of the table."""
        azimuth = table.azimuth.to(momenta.dtype)[:, None].expand(momenta.shape[:2])
        in_frame = turned(momenta, azimuth).float()
        states, near = self.states(table, in_frame), self.near_candidates(table, in_frame)
        whole = self._of_the_event(table, momenta, azimuth)
        for heads, place in self.heads_and_places(states.shape[2]):
            reference = place.start == self.layout.reference_object
            whole = whole + self._of_kind(heads, states, near, table, place, reference=reference)
        return whole

    def near_candidates(
        self, table: ObjectTable, momenta: Float[Tensor, "events samples partons 4"]
    ) -> NearCandidates | None:
        """Return candidates with their keys, None if the network has none; partons in the frame of the event."""
        if self.keys is None:
            return None
        plan = plan_candidates(self.layout, len(table.kind))
        found = candidates_of(plan, momenta, table.momenta().float(), table.tagged.float())
        return NearCandidates(plan, found, *self.keys(found, plan.kind))

    def sample_event(
        self, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator
    ) -> tuple[Tensor, Float[Tensor, " events"]]:
        """Draw the number of jets and the azimuth of the reference object in the laboratory, for one set of partons."""
        in_frame, direction = self._alone(momenta)
        trunk = self.alone(global_features(in_frame.float()))
        shares = torch.softmax(self.count(trunk), dim=0).t()
        number = torch.multinomial(shares.to(generator.device), 1, generator=generator)[:, 0].to(trunk.device)
        angle = self.reference.sample(torch.relu(trunk + self.numbers_alone(number)), generator)
        return number + self.layout.jets_min, angle.to(direction) + direction

    def _alone(self, momenta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the partons in the frame of the reference parton, and its azimuth."""
        return turned_to(momenta, self.layout.reference_parton)

    def _of_the_event(self, table: ObjectTable, momenta: Tensor, azimuth: Tensor) -> Tensor:
        """Return log p(n_jets|z) + log p(φ_ref|z, n)."""
        in_frame, direction = self._alone(momenta)
        trunk = self.alone(global_features(in_frame.float())).flatten(0, -2)
        number = self._number(table)[:, None].expand(momenta.shape[:2]).flatten()
        of_number = torch.log_softmax(self.count(trunk), dim=0).gather(0, number[None])[0]
        given = torch.relu(trunk + self.numbers_alone(number))
        of_direction = self.reference.log_prob((azimuth - direction).flatten().float(), given)
        return (of_number + of_direction).view(momenta.shape[:2])

    def _number(self, table: ObjectTable) -> Tensor:
        return (table.jets - self.layout.jets_min).clamp(0, self.layout.multiplicities - 1)

    def states(
        self, table: ObjectTable, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples objects width"]:
        """Return the state before each object, which knows the objects before it; partons in the frame of the event."""
        events, samples = momenta.shape[:2]
        objects = table.momenta()[:, None, :-1].expand(-1, samples, -1, -1).float()
        kinds, seen = table.kind, len(table.kind) - 1
        of_x = self.objects(table.features().float()[:, :-1]) + self.kinds(kinds[:seen])
        of_x = torch.cat([self.start.expand(events, 1, -1), of_x], dim=1) + self.next_kinds(kinds)
        of_x = of_x + self.numbers(self._number(table))[:, None]
        pairs = functional.pad(self.pairs(pair_features(momenta, objects)), (0, 0, 1, 0))
        tokens = pairs + of_x[:, None] + self.partons(global_features(momenta))[:, :, None]
        rows = tokens.flatten(0, 1)
        for block in self.blocks:
            rows = cast("CausalBlock", block)(rows)
        return cast("Tensor", self.norm(rows)).view(events, samples, *rows.shape[1:])

    def _of_kind(
        self,
        heads: ObjectHeads,
        states: Tensor,
        near: NearCandidates | None,
        table: ObjectTable,
        places: slice,
        *,
        reference: bool = False,
    ) -> Tensor:
        """Return the sum of the log-densities of objects of one kind, `(N, S)`.

        `reference` says that the first of them has φ = 0 by the choice of the frame.
        """
        part = states[:, :, places]
        shape = part.shape[:3]
        rows, wide = part.flatten(0, 2), [values[:, None, places].expand(shape) for values in _columns(table)]
        t_pt, t_eta, phi, tag, forced, mask = (values.flatten() for values in wide)
        with_tag = torch.cat([rows, tag.to(rows.dtype)[:, None]], dim=1)
        total = _of_pt(heads, t_pt, with_tag, shape)
        given = torch.cat([with_tag, heads.first_pt.standardised(t_pt)[:, None]], dim=1)
        if heads.eta is not None:
            total = total + heads.eta.log_prob(t_eta, given)
            given = torch.cat([given, heads.eta.standardised(t_eta)[:, None]], dim=1)
        else:
            given = functional.pad(given, (0, 1))
        of_phi = heads.phi.log_prob(phi, given).view(shape)
        if reference:
            of_phi = torch.cat([torch.zeros_like(of_phi[..., :1]), of_phi[..., 1:]], dim=-1)
        total = total.view(shape) + of_phi
        if near is not None and heads.near is not None:
            total = self._mixed(heads.near, total, with_tag.view(*shape, -1), near, table, places, reference=reference)
        if heads.tag is not None:
            sign = 2.0 * tag.to(rows.dtype) - 1.0
            of_tag = torch.where(forced, 0.0, functional.logsigmoid(sign * heads.tag(rows)[0]))
            total = total + of_tag.view(shape)
        return torch.where(mask.view(shape), total, 0.0).sum(dim=2)

    def _mixed(
        self,
        density: CandidateDensity,
        of_splines: Tensor,
        given: Tensor,
        near: NearCandidates,
        table: ObjectTable,
        places: slice,
        *,
        reference: bool,
    ) -> Tensor:
        """Return the log-densities of objects near candidates or not, given those of the splines, `(N, S, objects)`."""
        mixed = []
        for number, slot in enumerate(range(places.start, places.stop)):
            part, place = near.first(near.plan.counts[slot]), self.place_of(table, slot)
            parameters = density.parameters_of(given[:, :, number], part.keys, part.shapes, part.found.log_pt, place)
            has_phi = not (reference and number == 0)
            observed = self._observed(table, slot)
            mixed.append(
                density.log_prob(of_splines[..., number], observed, parameters, part.found, place, has_phi=has_phi)
            )
        return torch.stack(mixed, dim=-1)

    def _observed(self, table: ObjectTable, slot: int) -> Observed:
        """Return the object in a slot."""
        t_pt, t_eta = table.line[:, slot].unbind(dim=-1)
        place, phi = self.place_of(table, slot), table.phi[:, slot].float()
        log_volume = torch.zeros_like(t_pt)
        if place.high is not None and place.low is not None:
            whole = torch.log((place.high - place.low).clamp(min=_SMALLEST))
            log_volume = whole + functional.logsigmoid(t_pt) + functional.logsigmoid(-t_pt)
        elif place.low is not None:
            log_volume = t_pt
        if place.eta_max is not None:
            of_eta = functional.logsigmoid(t_eta) + functional.logsigmoid(-t_eta)
            log_volume = log_volume + of_eta + math.log(2.0 * place.eta_max)
        log_pt, eta = torch.log(table.pt[:, slot]).float(), table.eta[:, slot].float()
        return Observed(log_pt, eta, torch.cos(phi), torch.sin(phi), log_volume)

    def place_of(self, table: ObjectTable, slot: int) -> ObjectPlace:
        """Return where the object in a slot can be."""
        kind = int(table.kind[slot])
        if kind == MET:
            return ObjectPlace(None, None, None)
        pt_min, eta_max = cuts_of(self.layout, kind)
        follows = kind in (JET, PHOTON) and slot > first_of(self.layout, kind)
        before = torch.log(table.pt[:, slot - 1]).float() if follows else None
        return ObjectPlace(math.log(pt_min), before, eta_max)


def _fit_heads(heads: ObjectHeads, line: Tensor, mask: Tensor) -> None:
    if heads.next_pt is None:
        heads.first_pt.fit_scales(line[..., 0][mask])
    else:
        heads.first_pt.fit_scales(line[:, 0, 0])
        heads.next_pt.fit_scales(line[:, 1:, 0][mask[:, 1:]])
    if heads.eta is not None:
        heads.eta.fit_scales(line[..., 1][mask])


def _of_pt(heads: ObjectHeads, t_pt: Tensor, given: Tensor, shape: torch.Size) -> Tensor:
    """Return the log-density of t of pT, whose map is another for the first jet than for those that follow."""
    if heads.next_pt is None:
        return heads.first_pt.log_prob(t_pt, given)
    values, conditions = t_pt.view(shape), given.view(*shape, -1)
    first = heads.first_pt.log_prob(values[..., 0].flatten(), conditions[..., 0, :].flatten(0, 1))
    following = heads.next_pt.log_prob(values[..., 1:].flatten(), conditions[..., 1:, :].flatten(0, 2))
    return torch.cat([first.view(*shape[:2], 1), following.view(*shape[:2], -1)], dim=-1).flatten()


def _columns(table: ObjectTable) -> tuple[Tensor, ...]:
    return table.line[..., 0], table.line[..., 1], table.phi, table.tagged, table.forced, table.mask
