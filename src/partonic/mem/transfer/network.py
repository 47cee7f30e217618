"""The network of the transfer function p_T(x|z) (idea: Transfermer, arXiv:2310.07752).

    p_T(x|z) = p(n_jets|z) p(φ_ref|z, n) Π_k p(object k | objects before, n, z)

Each object becomes a token: what it is, and how it stands to every parton. Causal attention over the tokens gives the
state that the density of the next object is conditioned on; pT, then η, then φ have one small spline each, a jet's tag
comes first. Every factor is normalised, so the whole is. What depends on x alone is computed once for all partons.
"""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_training.transfer import TransferConfig
from partonic.mem.transfer.candidates import candidates_of, kinds_of_candidates, plan_candidates
from partonic.mem.transfer.components import CircleDensity, SmallNetwork
from partonic.mem.transfer.heads.build import build_head
from partonic.mem.transfer.heads.head import ObjectHead
from partonic.mem.transfer.heads.near_candidates import NearCandidates
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.mixture import CandidateKeys
from partonic.mem.transfer.objects import JET, LEPTON, MET, PHOTON, ObjectTable, first_of
from partonic.mem.transfer.partons import global_features, global_size, pair_features, pair_size, turned, turned_to
from partonic.nn.causal import CausalBlock
from partonic.nn.linear import linear
from partonic.nn.scaling import MaskedStandardiser

__all__ = ["TransferNetwork"]

_OBJECT_FEATURES = 6

_SEQUENCE = (LEPTON, PHOTON, MET, JET)
"""Kinds of objects in the order in which they stand."""

OfObjects = Callable[[ObjectHead, ObjectsOfKind], Tensor]
"""A number for each object of one kind, `(N, S, T)`."""


class _Dense(nn.Module):
    """Standardised inputs and one hidden layer."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.scales = MaskedStandardiser(inputs)
        self.inner, self.outer = nn.Linear(inputs, width), nn.Linear(width, width)

    def forward(self, features: Tensor) -> Tensor:
        mean, deviation = (values.to(features.dtype) for values in (self.scales.mean, self.scales.deviation))
        return linear(self.outer, linear(self.inner, (features - mean) / deviation, relu=True))


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
        self.lepton = build_head(config) if layout.leptons else None
        self.met = build_head(config, eta=False)
        self.jet = build_head(config, tag=True, ordered=True)
        self.photon = build_head(config, ordered=True) if layout.photons else None
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
        for head, slots in self.heads_and_slots(table.mask.shape[1]):
            place = slice(slots.start, slots.stop)
            head.fit_scales(table.line[:, place], table.mask[:, place])

    def head_of(self, kind: int) -> ObjectHead | None:
        """Return the density of one kind of object; None where there is no such object."""
        return {LEPTON: self.lepton, PHOTON: self.photon, MET: self.met, JET: self.jet}[kind]

    def heads_and_slots(self, slots: int) -> Iterator[tuple[ObjectHead, range]]:
        """Yield the density of each kind of object, and where they stand among so many slots."""
        ends = [first_of(self.layout, kind) for kind in _SEQUENCE[1:]]
        for kind, end in zip(_SEQUENCE, [*ends, slots], strict=True):
            head = self.head_of(kind)
            if head is not None:
                yield head, range(first_of(self.layout, kind), end)

    def log_prob(
        self, table: ObjectTable, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples"]:
        """Return the log-density with respect to Π dt_pT dt_η dφ; the Jacobian to pT and η is that of the table."""
        return self._whole(table, momenta, lambda head, objects: head.log_prob(objects))

    def loss(
        self, table: ObjectTable, momenta: Float[Tensor, "events samples partons 4"], generator: torch.Generator
    ) -> Float[Tensor, "events samples"]:
        """Return what the training minimises: −log p_T, with other losses of the same minimum where heads have them.

        Args:
            table: the events.
            momenta: partons in the laboratory, GeV.
            generator: of the random numbers of such losses.
        """
        return -self._whole(table, momenta, lambda head, objects: -head.loss(objects, generator))

    def _whole(self, table: ObjectTable, momenta: Tensor, of_objects: OfObjects) -> Tensor:
        """Return log p of all that is no object's own, and the sum over objects of a function of them, `(N, S)`."""
        azimuth = table.azimuth.to(momenta.dtype)[:, None].expand(momenta.shape[:2])
        in_frame = turned(momenta, azimuth).float()
        states, near = self.states(table, in_frame), self.near_candidates(table, in_frame)
        whole = self._of_the_event(table, momenta, azimuth)
        for head, slots in self.heads_and_slots(states.shape[2]):
            part = states[:, :, slots.start : slots.stop]
            objects = ObjectsOfKind(self.layout, table, part, slots, near)
            total, of_tag = of_objects(head, objects), head.log_prob_of_tag(objects)
            total = total if of_tag is None else total + of_tag
            mask = objects.column(table.mask).view(total.shape)
            whole = whole + torch.where(mask, total, 0.0).sum(dim=2)
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
