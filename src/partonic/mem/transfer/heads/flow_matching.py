"""The head of conditional flow matching: a flow of pT, η and φ of one object together, given the state before it.

The idea of a velocity network that is conditioned on the state of a transformer is that of Transfusion
(arXiv:2310.07752). A coarse density, which the state gives at once, makes the numbers of an object standard ones
(`partonic.mem.transfer.heads.whitening`), and a flow from time 0 to 1 carries a Gaussian and the uniform angle to what
they really are. On the line paths are y(t) = cos(πt/2) ε + sin(πt/2) y, whose mean velocity vanishes where the coarse
density is right already (M. Albergo, E. Vanden-Eijnden, arXiv:2209.15571), on the circle they are the shorter arc
(R. Chen, Y. Lipman, arXiv:2302.03660), and velocities are periodic. So paths are short and nearly straight, and few
steps do. The density is

    ln p(y) = ln p_0(y(0)) − ∫₀¹ div v dt,

with the exact divergence of three numbers. The network sees an object relative to means of the candidates.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from partonic.config.mem_training.transfer import FlowHeadConfig, TransferConfig
from partonic.mem.transfer.components import SmallNetwork
from partonic.mem.transfer.heads.candidate_attention import VALUES, CandidateAttention
from partonic.mem.transfer.heads.flow import ObjectFlow
from partonic.mem.transfer.heads.head import DrawnObjects, ObjectHead
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind
from partonic.mem.transfer.heads.velocity import VelocityNetwork
from partonic.mem.transfer.heads.whitening import PARAMETERS, Whitening
from partonic.nn.linear import linear

__all__ = ["FlowMatchingHead"]

_ROWS = 4096
"""Objects at a time where no gradient is asked for: their numbers stay in the cache."""


class FlowMatchingHead(ObjectHead):
    """Density of one kind of object by a coarse density and a flow."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: TransferConfig, *, tag: bool = False, eta: bool = True, ordered: bool = False) -> None:
        """Build the networks, with weights from torch's global generator.

        Raises:
            ValueError: if the settings are those of another head.
        """
        super().__init__()
        if config.flow is None:
            raise ValueError(f"the head 'flow_matching' needs its settings `flow`; the head is '{config.head}'")
        width, hidden = config.width, config.head_hidden
        self.flow: FlowHeadConfig = config.flow
        self.ordered, self.numbers = ordered, (0, 1, 2) if eta else (0, 2)
        queries = self.flow.queries if config.candidates else 0
        self.tag = SmallNetwork(width, hidden, 1) if tag else None
        self.attention = CandidateAttention(width + 2, config.candidates, queries) if queries else None
        self.inner = nn.Linear(width + 2 + queries * VALUES, hidden)
        self.coarse = nn.Linear(hidden, PARAMETERS)
        self.velocity = VelocityNetwork(self.flow, hidden, queries)
        with torch.no_grad():
            self.coarse.weight.mul_(0.1)
            self.coarse.bias.zero_()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("deviation", torch.ones(3))

    def fit_scales(self, line: Float[Tensor, "events slots 2"], mask: Bool[Tensor, "events slots"]) -> None:
        """Take means and standard deviations of t of the first pT, of η, and of the other pTs from a sample."""
        samples = [line[..., 0][mask], line[..., 1][mask], line[..., 0][mask]]
        if self.ordered:
            samples[0], samples[2] = line[:, 0, 0][mask[:, 0]], line[:, 1:, 0][mask[:, 1:]]
        for number, values in enumerate(samples):
            if len(values) > 1:
                self.mean[number] = values.double().mean()
                self.deviation[number] = values.double().std().clamp(min=1e-3)

    def log_prob(self, objects: ObjectsOfKind) -> Float[Tensor, "events samples slots"]:
        """Return the log-density of (t_pT, t_η, φ) given the tag."""
        flow, scale = self._flow_of(objects, objects.column(objects.table.tagged))
        line, phi = self._numbers_of(objects, scale)
        pieces = [slice(0, len(phi))]
        if not torch.is_grad_enabled():
            pieces = [slice(start, start + _ROWS) for start in range(0, len(phi), _ROWS)]
        found = torch.cat([flow.rows(piece).log_prob(line[piece], phi[piece], self.flow.solver) for piece in pieces])
        of_scale = torch.log(scale[1])[:, : 2 if 1 in self.numbers else 1].sum(dim=1)
        return (found - of_scale).view(objects.states.shape[:3])

    def loss(self, objects: ObjectsOfKind, generator: torch.Generator) -> Float[Tensor, "events samples slots"]:
        """Return the squared error of the velocity, and −log p of the coarse density."""
        flow, scale = self._flow_of(objects, objects.column(objects.table.tagged))
        line, phi = self._numbers_of(objects, scale)
        return flow.loss(line, phi, self.flow.draws, generator).view(objects.states.shape[:3])

    def sample(
        self, objects: ObjectsOfKind, tagged: Bool[Tensor, " events"], generator: torch.Generator
    ) -> DrawnObjects:
        """Draw the object in the first slot, for one set of partons an event."""
        flow, (mean, deviation) = self._flow_of(objects, tagged)
        line, phi = flow.sample(self.flow.solver, generator)
        line = line * deviation + mean
        return objects.pt(line[:, 0]), objects.eta(line[:, 1]), phi

    def _flow_of(self, objects: ObjectsOfKind, tagged: Tensor) -> tuple[ObjectFlow, tuple[Tensor, Tensor]]:
        """Return the flow of each row, and mean and deviation of its numbers on the line, `(rows, 2)`."""
        states, shape = objects.rows(), objects.states.shape[:3]
        mean, deviation, first = self._scales(objects)
        given = torch.cat([states, tagged.to(states)[:, None], first[:, None]], dim=1)
        means = given.new_zeros(len(given), 0, VALUES)
        if self.attention is not None:
            wide = given.view(*shape, -1)
            found = [
                self.attention(wide[:, :, number], objects.candidates_before(slot), objects.place_of(slot))
                for number, slot in enumerate(objects.slots)
            ]
            means = torch.stack(found, dim=2).flatten(0, 2)
        line = (means[..., :2] - mean[:, None]) / deviation[:, None]
        hidden = linear(self.inner, torch.cat([given, line.flatten(1), means[..., 2:].flatten(1)], dim=1), relu=True)
        at = torch.cat([line, means[..., 2:4]], dim=2)
        near = at[:, 0] if at.shape[1] else at.new_zeros(len(at), 4)
        flow = ObjectFlow(
            network=self.velocity,
            whitening=Whitening.of(linear(self.coarse, hidden), near[:, :2], near[:, 2:]),
            given=self.velocity.given(hidden),
            means=at,
            present=self._present(objects),
            numbers=self.numbers,
        )
        return flow, (mean, deviation)

    def _scales(self, objects: ObjectsOfKind) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and deviation of each row, `(rows, 2)`, and 1 for the first of its kind, else 0, `(rows,)`."""
        events, samples, slots = objects.states.shape[:3]
        first = torch.zeros(slots, device=objects.states.device)
        first[0] = 1.0 if objects.is_first else 0.0
        place = torch.where(first > 0.0, 0, 2) if self.ordered else torch.zeros_like(first).long()
        both = torch.stack([place, torch.ones_like(place)], dim=1).expand(events, samples, -1, -1).flatten(0, 2)
        return self.mean[both], self.deviation[both], first.expand(events, samples, -1).flatten()

    def _present(self, objects: ObjectsOfKind) -> Tensor:
        """Return 1 for the numbers that an object has, else 0, `(rows, 3)`."""
        present = torch.zeros(*objects.states.shape[:3], 3, device=objects.states.device)
        present[..., list(self.numbers)] = 1.0
        if objects.is_reference:
            present[:, :, 0, 2] = 0.0
        return present.flatten(0, 2)

    def _numbers_of(self, objects: ObjectsOfKind, scale: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return standardised t of pT and η, and φ."""
        table, (mean, deviation) = objects.table, scale
        line = torch.stack([objects.column(table.line[..., 0]), objects.column(table.line[..., 1])], dim=1)
        return (line - mean) / deviation, objects.column(table.phi).float()
