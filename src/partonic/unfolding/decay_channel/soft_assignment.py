"""Sums of objects, each shared out among the partons that it may come from: estimates that a network only corrects.

Every object is given a probability to come from each parton, or from none. The momenta of a parton's objects, weighted
with it, add up to an estimate of the parton. Which objects belong together is nowhere told: the probabilities are those
that make estimates and densities good.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.packing import Packing

__all__ = ["ESTIMATE_FEATURES", "SoftAssignment", "estimate_features"]

ESTIMATE_FEATURES = ("log_pt", "eta", "cos_phi", "sin_phi", "log_mass")
"""Features of an estimate; pT and mass as ½ log[(1 GeV² + p²)/(50 GeV)²]."""

_LOG_UNIT = math.log(50.0)


class SoftAssignment(nn.Module):
    """The probabilities of the objects, and the features of the estimates."""

    def __init__(self, width: int, partons: int) -> None:
        """Share objects of `width` numbers out among `partons` partons."""
        super().__init__()
        self.partons = partons
        self.scores = nn.Linear(width, partons + 1)

    @property
    def features(self) -> int:
        """How many numbers are returned: `ESTIMATE_FEATURES` for each parton, and for the sum of all objects."""
        return len(ESTIMATE_FEATURES) * (self.partons + 1)

    def forward(
        self, rows: Float[Tensor, "rows width"], packing: Packing, momenta: Float[Tensor, "events objects 4"]
    ) -> Float[Tensor, "events estimates 5"]:
        """Return the features of each parton's estimate, and of the sum of all objects.

        Args:
            rows: encoded objects, packed.
            packing: of these objects.
            momenta: their four-vectors, GeV; zero in padded slots and for what is no object.
        """
        shares = packing.unpack(torch.softmax(self.scores(rows), dim=-1))
        sums = torch.einsum("nop,nok->npk", shares[..., : self.partons], momenta)
        return estimate_features(torch.cat([sums, momenta.sum(dim=1, keepdim=True)], dim=1))


def estimate_features(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 5"]:
    """Return `ESTIMATE_FEATURES` of four-vectors in GeV; smooth everywhere, zero momenta included."""
    energy, px, py, pz = momenta.unbind(dim=-1)
    squared = px.square() + py.square()
    regular = (1.0 + squared).sqrt()
    mass_squared = (energy.square() - squared - pz.square()).clamp(min=0.0)
    return torch.stack(
        [
            0.5 * torch.log1p(squared) - _LOG_UNIT,
            torch.asinh(pz / regular),
            px / regular,
            py / regular,
            0.5 * torch.log1p(mass_squared) - _LOG_UNIT,
        ],
        dim=-1,
    )
