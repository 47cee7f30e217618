"""Features of pairs of objects, and the attention bias that is learned from them (arXiv:2202.03772, section 3)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.packing import Packing

__all__ = ["PAIR_FEATURES", "PairBias", "pair_features"]

PAIR_FEATURES = ("log_distance", "log_kt", "log_share", "log_mass_squared", "delta_y", "cos_delta_phi")
"""log Δ with Δ² = Δy² + Δφ²; log of kT = min(pT) Δ; log of min(pT)/Σ pT; log m²; |Δy|; cos Δφ."""

_SMALLEST = 1e-4


def pair_features(momenta: Float[Tensor, "events objects 4"]) -> Float[Tensor, "events objects objects 7"]:
    """Return `PAIR_FEATURES` of all pairs and a last column that is 1 for them.

    Zero for an object with itself and for pairs with a momentum of zero, which have no direction.

    Args:
        momenta: (E, px, py, pz) in any unit.
    """
    energy, px, py, pz = momenta.unbind(dim=-1)
    pt = torch.hypot(px, py)
    there = energy > 0.0
    rapidity = torch.asinh(pz / (energy.square() - pz.square()).clamp(min=_SMALLEST**2).sqrt())
    safe = torch.where(pt > 0.0, pt, 1.0)
    cosine, sine = px / safe, py / safe
    delta_y = (rapidity[:, :, None] - rapidity[:, None]).abs()
    cos_delta = cosine[:, :, None] * cosine[:, None] + sine[:, :, None] * sine[:, None]
    sin_delta = sine[:, :, None] * cosine[:, None] - cosine[:, :, None] * sine[:, None]
    distance = torch.hypot(delta_y, torch.atan2(sin_delta, cos_delta)).clamp(min=_SMALLEST)
    smaller = torch.minimum(pt[:, :, None], pt[:, None]).clamp(min=_SMALLEST)
    total = momenta[:, :, None] + momenta[:, None]
    mass = total[..., 0].square() - total[..., 1:].square().sum(dim=-1)
    share = smaller / (pt[:, :, None] + pt[:, None]).clamp(min=_SMALLEST)
    columns = [
        distance.log(), (smaller * distance).log(), share.log(), mass.clamp(min=_SMALLEST).log(), delta_y, cos_delta,
        torch.ones_like(mass),
    ]  # fmt: skip
    other = ~torch.eye(momenta.shape[1], dtype=torch.bool, device=momenta.device)
    valid = there[:, :, None] & there[:, None] & other
    return torch.where(valid[..., None], torch.stack(columns, dim=-1), 0.0)


class PairBias(nn.Module):
    """A small network from the features of a pair to its bias in each head; 0 where there is no pair."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.expand = nn.Linear(len(PAIR_FEATURES) + 1, hidden, bias=False)
        self.contract = nn.Linear(hidden, heads, bias=False)

    def forward(self, features: Sequence[Float[Tensor, "_ _ _ 7"]]) -> list[Float[Tensor, "_ heads _ _"]]:
        """Return the biases of blocks of events (`partonic.nn.packing`), whose sizes differ."""
        rows = torch.cat([block.flatten(0, 2) for block in features])
        biases = self.contract(nn.functional.silu(self.expand(rows)))
        parts = torch.split(biases, [block.shape[0] * block.shape[1] ** 2 for block in features])
        return [
            part.view(*block.shape[:3], -1).permute(0, 3, 1, 2) for part, block in zip(parts, features, strict=True)
        ]


@torch.no_grad()
def packed_pair_features(momenta: Float[Tensor, "rows 4"], packing: Packing) -> list[Float[Tensor, "_ _ _ 7"]]:
    """Return the features of the pairs of packed objects, block by block."""
    return [pair_features(block) for block in packing.split(momenta)]
