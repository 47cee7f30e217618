"""The head of splines, one after another for pT, η and φ, alone or mixed with objects near candidates."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from partonic.config.mem_training.transfer import TransferConfig
from partonic.mem.transfer.components import CircleDensity, LineDensity, SmallNetwork
from partonic.mem.transfer.heads.head import DrawnObjects, ObjectHead
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind
from partonic.mem.transfer.mixture import CandidateDensity

__all__ = ["SplineHead"]


class SplineHead(ObjectHead):
    """Densities of the components of one kind of object; components that it lacks are None.

    Objects that are `ordered` by pT have another density of pT after the first one.
    """

    def __init__(self, config: TransferConfig, *, tag: bool = False, eta: bool = True, ordered: bool = False) -> None:
        """Build the networks, with weights from torch's global generator."""
        super().__init__()
        width, hidden, bins = config.width, config.head_hidden, config.bins
        self.tag = SmallNetwork(width, hidden, 1) if tag else None
        self.first_pt = LineDensity(width + 1, hidden, bins)
        self.next_pt = LineDensity(width + 1, hidden, bins) if ordered else None
        self.eta = LineDensity(width + 2, hidden, bins) if eta else None
        self.phi = CircleDensity(width + 3, hidden, bins)
        self.near = CandidateDensity(width, config.candidates) if config.candidates else None

    def fit_scales(self, line: Float[Tensor, "events slots 2"], mask: Bool[Tensor, "events slots"]) -> None:
        """Take means and standard deviations from a sample."""
        if self.next_pt is None:
            self.first_pt.fit_scales(line[..., 0][mask])
        else:
            self.first_pt.fit_scales(line[:, 0, 0])
            self.next_pt.fit_scales(line[:, 1:, 0][mask[:, 1:]])
        if self.eta is not None:
            self.eta.fit_scales(line[..., 1][mask])

    def log_prob(self, objects: ObjectsOfKind) -> Float[Tensor, "events samples slots"]:
        """Return the log-density of (t_pT, t_η, φ) given the tag."""
        table, rows, shape = objects.table, objects.rows(), objects.states.shape[:3]
        t_pt, t_eta = objects.column(table.line[..., 0]), objects.column(table.line[..., 1])
        with_tag = torch.cat([rows, objects.column(table.tagged).to(rows.dtype)[:, None]], dim=1)
        total = self._of_pt(t_pt, with_tag, shape)
        given = torch.cat([with_tag, self.first_pt.standardised(t_pt)[:, None]], dim=1)
        if self.eta is not None:
            total = total + self.eta.log_prob(t_eta, given)
            given = torch.cat([given, self.eta.standardised(t_eta)[:, None]], dim=1)
        else:
            given = functional.pad(given, (0, 1))
        of_phi = self.phi.log_prob(objects.column(table.phi), given).view(shape)
        if objects.is_reference:
            of_phi = torch.cat([torch.zeros_like(of_phi[..., :1]), of_phi[..., 1:]], dim=-1)
        total = total.view(shape) + of_phi
        if objects.near is None or self.near is None:
            return total
        return self._mixed(self.near, total, with_tag.view(*shape, -1), objects)

    def sample(
        self, objects: ObjectsOfKind, tagged: Bool[Tensor, " events"], generator: torch.Generator
    ) -> DrawnObjects:
        """Draw the object in the first slot, for one set of partons an event."""
        state = objects.states[:, 0, 0]
        given = torch.cat([state, tagged.to(state)[:, None]], dim=1)
        line = self.first_pt if self.next_pt is None or objects.is_first else self.next_pt
        t_pt = line.sample(given, generator)
        inputs = torch.cat([given, self.first_pt.standardised(t_pt)[:, None]], dim=1)
        t_eta = torch.zeros_like(t_pt) if self.eta is None else self.eta.sample(inputs, generator)
        place_in_eta = t_eta if self.eta is None else self.eta.standardised(t_eta)
        phi = self.phi.sample(torch.cat([inputs, place_in_eta[:, None]], dim=1), generator)
        pt, eta = objects.pt(t_pt), objects.eta(t_eta)
        if objects.near is None or self.near is None:
            return pt, eta, phi
        slot = objects.slots.start
        part, where = objects.candidates_before(slot), objects.place_of(slot)
        query = (given[:, None], part.keys, part.shapes, part.found.log_pt, where)
        from_candidate, *new = self.near.sample(self.near.parameters_of(*query), part.found, where, generator)
        found = zip((torch.exp(new[0]), new[1], new[2]), (pt, eta, phi), strict=True)
        pt, eta, phi = (torch.where(from_candidate, one, other) for one, other in found)
        return pt, eta, phi

    def _of_pt(self, t_pt: Tensor, given: Tensor, shape: torch.Size) -> Tensor:
        """Return the log-density of t of pT, whose map is another for the first jet than for those that follow."""
        if self.next_pt is None:
            return self.first_pt.log_prob(t_pt, given)
        values, conditions = t_pt.view(shape), given.view(*shape, -1)
        first = self.first_pt.log_prob(values[..., 0].flatten(), conditions[..., 0, :].flatten(0, 1))
        following = self.next_pt.log_prob(values[..., 1:].flatten(), conditions[..., 1:, :].flatten(0, 2))
        return torch.cat([first.view(*shape[:2], 1), following.view(*shape[:2], -1)], dim=-1).flatten()

    def _mixed(
        self, density: CandidateDensity, of_splines: Tensor, given: Tensor, objects: ObjectsOfKind
    ) -> Float[Tensor, "events samples slots"]:
        """Return the log-densities of objects near candidates or not, given those of the splines."""
        mixed = []
        for number, slot in enumerate(objects.slots):
            part, place = objects.candidates_before(slot), objects.place_of(slot)
            parameters = density.parameters_of(given[:, :, number], part.keys, part.shapes, part.found.log_pt, place)
            has_phi = not (objects.is_reference and number == 0)
            observed = objects.observed(slot)
            mixed.append(
                density.log_prob(of_splines[..., number], observed, parameters, part.found, place, has_phi=has_phi)
            )
        return torch.stack(mixed, dim=-1)
