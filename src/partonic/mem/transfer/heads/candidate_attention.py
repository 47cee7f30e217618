"""Mean candidates: where an object is expected by what the state before it asks of the candidates."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.mem.transfer.candidates import CandidateMomenta
from partonic.mem.transfer.heads.near_candidates import NearCandidates
from partonic.mem.transfer.mixture import ObjectPlace
from partonic.nn.linear import linear

__all__ = ["VALUES", "CandidateAttention"]

_PENALTIES = 3
"""Terms of a weight by `ObjectPlace.penalties`."""

_SHAPES = 4
"""Learned numbers of a candidate."""

VALUES = 4 + _SHAPES
"""Numbers of a mean candidate: t of pT and of η, cos φ, sin φ, and learned ones."""

_MARGIN = 0.02
"""Candidates beyond a cut are put so close to it, as a fraction."""


class CandidateAttention(nn.Module):
    """Weights of the candidates by products of queries and keys, and the mean of what they are."""

    def __init__(self, inputs: int, size: int, queries: int) -> None:
        """Create it for states of `inputs` numbers and keys of `size` numbers."""
        super().__init__()
        self.size, self.queries = size, queries
        self.query = nn.Linear(inputs, queries * (size + _PENALTIES))

    def forward(
        self, given: Float[Tensor, "events samples inputs"], near: NearCandidates, place: ObjectPlace
    ) -> Float[Tensor, "events samples queries values"]:
        """Return the mean candidates of an object; t of pT and η are on the line of that object.

        Args:
            given: states.
            near: the candidates.
            place: where the object can be.
        """
        numbers = linear(self.query, given).view(*given.shape[:2], self.queries, -1)
        query, slopes = torch.split(numbers, [self.size, _PENALTIES], dim=-1)
        penalties = torch.stack(place.penalties(near.found.log_pt), dim=-2)
        logits = query @ near.keys.transpose(-1, -2) * self.size**-0.5 + slopes @ penalties
        values = torch.cat([_on_the_line(near.found, place), near.shapes], dim=-1)
        mean: Tensor = torch.softmax(logits, dim=-1) @ values
        return mean


def _on_the_line(found: CandidateMomenta, place: ObjectPlace) -> Float[Tensor, "events samples candidates 4"]:
    """Return t of pT and η, which `partonic.mem.transfer.objects` defines, and cos φ, sin φ."""
    t_pt, t_eta = found.log_pt, torch.zeros_like(found.eta)
    if place.low is not None and place.high is not None:
        whole = (place.high - place.low).clamp(min=_MARGIN)[:, None, None]
        t_pt = torch.logit(((found.log_pt - place.low) / whole).clamp(_MARGIN, 1.0 - _MARGIN))
    elif place.low is not None:
        t_pt = torch.log((found.log_pt - place.low).clamp(min=_MARGIN))
    if place.eta_max is not None:
        t_eta = 2.0 * torch.atanh((found.eta / place.eta_max).clamp(_MARGIN - 1.0, 1.0 - _MARGIN))
    return torch.stack([t_pt, t_eta, found.cosine, found.sine], dim=-1)
