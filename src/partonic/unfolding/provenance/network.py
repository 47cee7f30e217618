"""The assignment network: which jets H, t_had and t_lep decayed to (the idea of SPANet, arXiv:2106.03898).

All objects of an event look at each other (attention, no order); each target then looks again on its own. From the
tokens x_i of the jets come the scores of its candidates, with e = A x, c = C x of length R and networks g:

    H      (i, j):      g(c_i ∘ c_j, k_ij)                         symmetric in i and j
    t_had  (b; q, q'):  g(e_b ∘ c_q ∘ c_q', c_q ∘ c_q', e_b, k)    symmetric in q and q'
    t_lep  (b):         g(x_b)

where k are masses and distances of the candidate, which spares the network to learn them. One more score says that the
target left no complete set of jets. The scores define the probability of every conflict-free assignment of the whole
event (`joint`), which cross entropy trains; an event with lost jets thus trains the network as a whole one does.

A last network tells for each jet the probability to come from H, t_had, t_lep or none, from its token and from how much
the scores of each target alone (softmax) favour candidates with that jet. Trained on all jets, it also knows those of
incomplete targets.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.unfolding import ProvenanceConfig
from partonic.features.frame import EventFrame
from partonic.features.inputs import BOOST_TOKEN, JET_TOKEN, LEPTON_TOKEN, MET_TOKEN, EventTokens
from partonic.nn.attention import AttentionStack
from partonic.nn.set_encoder import SetEncoder
from partonic.unfolding.provenance.candidates import TARGETS, candidates
from partonic.unfolding.provenance.decoding import decode_assignment
from partonic.unfolding.provenance.kinematics import (
    JET_LEPTON_FEATURES,
    PAIR_FEATURES,
    TRIPLE_FEATURES,
    EventKinematics,
)
from partonic.unfolding.provenance.losses import provenance_losses
from partonic.unfolding.provenance.prediction import ProvenancePrediction
from partonic.unfolding.provenance.scores import CandidateScores
from partonic.unfolding.provenance.truth import AssignmentTruth

__all__ = ["AssignmentNetwork"]

_RANK = 8
"""Length R of the vectors that are multiplied jet by jet."""

_CHUNK = 2048
"""Events looked at together where no gradient is needed."""


class AssignmentNetwork(nn.Module):
    """Probabilities of all candidates, and of the origin of each jet."""

    def __init__(self, config: ProvenanceConfig) -> None:
        """Create an untrained network of the given size; call `fit_scales` before the training."""
        super().__init__()
        width = config.width
        shape = (width, config.heads, config.feedforward, config.dropout)
        jet_features = len(JET_TOKEN) + len(JET_LEPTON_FEATURES)
        self.encoder = SetEncoder(
            (jet_features, len(LEPTON_TOKEN), len(MET_TOKEN), len(BOOST_TOKEN)),
            AttentionStack(config.layers, *shape),
            width,
        )
        self.targets = nn.ModuleList([AttentionStack(config.target_layers, *shape) for _ in TARGETS])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in TARGETS])
        self.higgs_jets = nn.Linear(width, _RANK)
        self.higgs_score = _network(_RANK + len(PAIR_FEATURES), width)
        self.top_jets = nn.Linear(width, 2 * _RANK)
        self.top_score = _network(3 * _RANK + len(TRIPLE_FEATURES), width)
        self.leptonic_score = _network(width, width)
        self.missing_scores = nn.ModuleList([_network(width, width) for _ in TARGETS])
        self.jet_origin = _network(width + len(TARGETS), width, outputs=1 + len(TARGETS))

    def fit_scales(self, tokens: EventTokens) -> None:
        """Set mean and standard deviation of all features from training events."""
        self.encoder.fit_scales(*_kinds(tokens, EventKinematics(tokens)))

    def forward(self, tokens: EventTokens) -> ProvenancePrediction:
        """Return the probabilities for events in the canonical frame.

        The scores are those of candidates among the first jets, up to the last slot that any of the events fills.
        """
        tokens = _without_empty_slots(tokens)
        kinematics = EventKinematics(tokens)
        slots = tokens.jets.shape[1]
        rows, packing = self.encoder(*_kinds(tokens, kinematics))
        of_target = [
            norm(cast("AttentionStack", stack).on_rows(rows, packing))
            for stack, norm in zip(self.targets, self.norms, strict=True)
        ]
        missing = [score(packing.mean(x)) for score, x in zip(self.missing_scores, of_target, strict=True)]
        higgs, hadronic, leptonic = (packing.unpack(x)[:, :slots] for x in of_target)
        scores = CandidateScores(
            higgs=self._pair_scores(higgs, tokens.jet_mask, kinematics),
            hadronic_top=self._triple_scores(hadronic, tokens.jet_mask, kinematics),
            leptonic_top=torch.where(tokens.jet_mask, self.leptonic_score(leptonic)[..., 0], -torch.inf),
            missing=torch.cat(missing, dim=1),
        )
        membership = torch.stack(scores.normalised().jet_membership(), dim=-1).detach()
        origin = self.jet_origin(torch.cat([packing.unpack(rows)[:, :slots], membership], dim=-1))
        return ProvenancePrediction(scores, functional.log_softmax(origin, dim=-1), tokens.jet_mask)

    def losses(self, tokens: EventTokens, truth: AssignmentTruth) -> dict[str, Float[Tensor, ""]]:
        """Return the losses of training by name; ``total`` is the one to minimise, see `provenance_losses`."""
        return provenance_losses(self(tokens), truth)

    def jet_probabilities(self, tokens: EventTokens) -> Float[Tensor, "events jets 3"]:
        """Return the probability of each jet to come from H, t_had, t_lep, without gradient; 0 for padded slots."""
        slots = tokens.jets.shape[1]
        found = _in_chunks(tokens, lambda chunk: self(chunk).jet_probabilities(slots))
        return torch.cat([tokens.jets.new_zeros(0, slots, len(TARGETS)), *found])

    def assign(self, tokens: EventTokens, as_many_as_possible: bool = False) -> Int[Tensor, "events 6"]:
        """Return the best conflict-free assignment of each event, see `decode_assignment`."""
        found = _in_chunks(tokens, lambda chunk: decode_assignment(self(chunk).scores, as_many_as_possible))
        return torch.cat([torch.zeros(0, 6, dtype=torch.long, device=tokens.jets.device), *found])

    def _pair_scores(
        self, jets: Tensor, mask: Bool[Tensor, "events jets"], kinematics: EventKinematics
    ) -> Float[Tensor, "events pairs"]:
        real, events, chosen = _real_candidates(0, mask)
        first, second = (self.higgs_jets(jets)[events, jet] for jet in chosen.unbind(dim=1))
        features = torch.cat([first * second, kinematics.pairs(events, chosen)], dim=-1)
        return _spread(self.higgs_score(features)[:, 0], real)

    def _triple_scores(
        self, jets: Tensor, mask: Bool[Tensor, "events jets"], kinematics: EventKinematics
    ) -> Float[Tensor, "events triples"]:
        real, events, chosen = _real_candidates(1, mask)
        as_bottom, as_light = self.top_jets(jets).split(_RANK, dim=-1)
        bottom, first, second = chosen.unbind(dim=1)
        of_top = as_bottom[events, bottom]
        of_w = as_light[events, first] * as_light[events, second]
        features = torch.cat([of_top * of_w, of_w, of_top, kinematics.triples(events, chosen)], dim=-1)
        return _spread(self.top_score(features)[:, 0], real)


def _network(inputs: int, hidden: int, outputs: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def _kinds(tokens: EventTokens, kinematics: EventKinematics) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return features and masks of jets, lepton, missing momentum and boost."""
    one = torch.ones(len(tokens), 1, dtype=torch.bool, device=tokens.jet_mask.device)
    jets = torch.cat([tokens.jets, kinematics.jets_with_lepton()], dim=-1)
    singles = (part[:, None] for part in (tokens.lepton, tokens.met, tokens.boost))
    return (jets, *singles), (tokens.jet_mask, one, one, one)


def _without_empty_slots(tokens: EventTokens) -> EventTokens:
    """Return the tokens up to the last slot that some event fills; real jets may stand in any slot."""
    filled = torch.nonzero(tokens.jet_mask.any(dim=0))
    used = int(filled.max()) + 1 if len(filled) else 1
    return replace(tokens, jets=tokens.jets[:, :used], jet_mask=tokens.jet_mask[:, :used])


def _real_candidates(target: int, mask: Bool[Tensor, "events jets"]) -> tuple[Tensor, Tensor, Tensor]:
    """Return which candidates have real jets only, `(N, C)`, and event and jets of each of those, one after another."""
    table = candidates(mask.shape[1], str(mask.device))
    real = table.real(target, mask)
    events, numbers = torch.nonzero(real).unbind(dim=1)
    return real, events, table.jets[target][numbers]


def _spread(scores: Float[Tensor, " rows"], real: Bool[Tensor, "events candidates"]) -> Tensor:
    """Return the scores of real candidates at their places, −∞ elsewhere."""
    return torch.full(real.shape, -torch.inf, dtype=scores.dtype, device=scores.device).masked_scatter(real, scores)


def _in_chunks(tokens: EventTokens, look: Callable[[EventTokens], Tensor]) -> list[Tensor]:
    """Look at a few events at a time, without gradient."""
    with torch.no_grad():
        return [look(_rows(tokens, slice(start, start + _CHUNK))) for start in range(0, len(tokens), _CHUNK)]


def _rows(tokens: EventTokens, rows: slice) -> EventTokens:
    return EventTokens(
        jets=tokens.jets[rows],
        jet_mask=tokens.jet_mask[rows],
        lepton=tokens.lepton[rows],
        met=tokens.met[rows],
        boost=tokens.boost[rows],
        frame=EventFrame(tokens.frame.azimuth[rows], tokens.frame.mirrored[rows]),
    )
