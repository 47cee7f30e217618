"""Jets of no quark: how many there are, their pT, and the flavours that their tags come from.

Extra jets are independent of each other and of the quarks: their number has a fitted distribution, their pT beyond the
threshold two exponentials, η is uniform in the acceptance and φ on the circle.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import ModelError, TrainingError
from partonic.mem.classical.maximum_likelihood import minimise
from partonic.mem.classical.tagging import FLAVOURS

__all__ = ["ExtraJets", "fit_extra_jets"]

_MOST = 6
"""Numbers of extra jets from here on fall off like a geometric series."""

_FEWEST = 200


@dataclass(frozen=True)
class ExtraJets:
    """The density of extra jets.

    Attributes:
        multiplicity: probability of 0, 1, …, 6 extra jets; further ones follow with the last ratio, `(7,)`.
        scales: of the two exponentials in pT, GeV, `(2,)`.
        hard_fraction: weight of the second one.
        flavours: fractions of b, c and light extra jets, `(3,)`.
        jet_pt_min: threshold, GeV.
        eta_max: acceptance.
    """

    multiplicity: Float[Tensor, "7"]
    scales: Float[Tensor, "2"]
    hard_fraction: float
    flavours: Float[Tensor, "3"]
    jet_pt_min: float
    eta_max: float

    def __post_init__(self) -> None:
        positive = bool((self.multiplicity > 0).all()) and bool((self.scales > 0).all())
        if not (positive and 0.0 <= self.hard_fraction <= 1.0 and bool((self.flavours >= 0).all())):
            raise ModelError(f"extra jets need positive probabilities and scales, got {self}: fit them again")

    def log_multiplicity(self, count: int) -> float:
        """Return log P(count)."""
        if count <= _MOST:
            return math.log(float(self.multiplicity[count]))
        ratio = min(float(self.multiplicity[-1] / self.multiplicity[-2]), 0.9)
        return math.log(float(self.multiplicity[-1])) + (count - _MOST) * math.log(ratio)

    def log_density(self, pt: Float[Tensor, "*jets"]) -> Float[Tensor, "*jets"]:
        """Return the log-density of each extra jet in pT (GeV), η and φ."""
        return _log_exponentials(
            pt - self.jet_pt_min, self.scales, torch.tensor(self.hard_fraction, dtype=torch.float64)
        ) - math.log(2.0 * self.eta_max * 2.0 * math.pi)

    def as_json(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            "multiplicity": self.multiplicity.tolist(), "scales": self.scales.tolist(),
            "hard_fraction": self.hard_fraction, "flavours": self.flavours.tolist(),
            "jet_pt_min": self.jet_pt_min, "eta_max": self.eta_max,
        }  # fmt: skip

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ExtraJets":
        """Read what `as_json` gave; a missing key raises `KeyError`."""
        multiplicity, scales, flavours = (
            torch.tensor(content[name], dtype=torch.float64) for name in ("multiplicity", "scales", "flavours")
        )
        hard, threshold, eta_max = (float(content[name]) for name in ("hard_fraction", "jet_pt_min", "eta_max"))
        return cls(multiplicity, scales, hard, flavours, threshold, eta_max)


def fit_extra_jets(
    count: Int[Tensor, " events"], pt: Float[Tensor, " jets"], flavour: Int[Tensor, " jets"], jet_pt_min: float,
    eta_max: float,
) -> ExtraJets:  # fmt: skip
    """Fit the density of extra jets.

    Args:
        count: number of extra jets of events with a jet for each quark, which are selected with any number of them.
        pt: of extra jets, GeV.
        flavour: of extra jets, 5, 4 or 0.
        jet_pt_min: threshold, GeV.
        eta_max: acceptance.

    Raises:
        TrainingError: if there are fewer than 200 events or jets.
    """
    if min(len(count), len(pt)) < _FEWEST:
        raise TrainingError(
            f"the density of extra jets needs {_FEWEST} events with a jet for each quark and as many extra jets, but "
            f"there are {len(count)} and {len(pt)}: fit a larger sample"
        )
    numbers = torch.bincount(count.clamp(max=_MOST + 1), minlength=_MOST + 2).double() + 0.5
    beyond = (pt - jet_pt_min).double()

    def loss(free: Tensor) -> Tensor:
        return -_log_exponentials(beyond, free[:2].exp(), torch.sigmoid(free[2])).mean()

    fitted = minimise(loss, torch.tensor([3.0, 4.5, -1.0], dtype=torch.float64), "the pT of extra jets")
    fractions = torch.stack([(flavour == number).double().mean() for number in FLAVOURS])
    share = numbers[:-1] / numbers.sum()
    return ExtraJets(share, fitted[:2].exp(), float(torch.sigmoid(fitted[2])), fractions, jet_pt_min, eta_max)


def _log_exponentials(beyond: Tensor, scales: Tensor, hard_fraction: Tensor) -> Tensor:
    soft = -beyond / scales[0] - torch.log(scales[0]) + torch.log1p(-hard_fraction)
    hard = -beyond / scales[1] - torch.log(scales[1]) + torch.log(hard_fraction)
    return torch.logaddexp(soft, hard)
