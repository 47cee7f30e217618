"""Probability of a b tag as a function of the jet's pT, by flavour: a logistic polynomial in ln(pT / 100 GeV)."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from partonic.errors import ModelError, TrainingError
from partonic.mem.classical.maximum_likelihood import minimise

__all__ = ["FLAVOURS", "TagProbability", "fit_tags"]

FLAVOURS = (5, 4, 0)
"""True flavours of jets: b, c, and light quarks and gluons."""

_NAMES = ("b", "c", "light")
_POWERS = 3
_FEWEST = 50


@dataclass(frozen=True)
class TagProbability:
    """P(tag | flavour, pT).

    Attributes:
        coefficients: of 1, t, t² with t = ln(pT / 100 GeV), one row for each of `FLAVOURS`, `(3, 3)`.
    """

    coefficients: Float[Tensor, "3 3"]

    def __post_init__(self) -> None:
        if not bool(torch.isfinite(self.coefficients).all()):
            raise ModelError(f"the coefficients of the b tag must be finite, got {self.coefficients.tolist()}")

    def probability(self, pt: Float[Tensor, "*jets"], tagged: Bool[Tensor, "*jets"]) -> Float[Tensor, "*jets 3"]:
        """Return the probability of what was seen, a tag or none, if the jet had each of `FLAVOURS`."""
        odds = _powers(pt) @ self.coefficients.T
        return torch.sigmoid(torch.where(tagged[..., None], odds, -odds))

    def as_json(self) -> dict[str, Any]:
        """Return the coefficients by flavour."""
        return dict(zip(_NAMES, self.coefficients.tolist(), strict=True))

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "TagProbability":
        """Read what `as_json` gave; a missing key raises `KeyError`."""
        return cls(torch.tensor([content[name] for name in _NAMES], dtype=torch.float64))


def fit_tags(
    pt: Float[Tensor, " jets"], flavour: Int[Tensor, " jets"], tagged: Bool[Tensor, " jets"]
) -> TagProbability:
    """Fit the probabilities to probe jets: jets of events that are selected whether these jets are tagged or not.

    Args:
        pt: of the jets, GeV.
        flavour: 5, 4 or 0.
        tagged: whether they are tagged.

    Raises:
        TrainingError: if there are fewer than 50 jets of a flavour.
    """
    rows = []
    for number, name in zip(FLAVOURS, _NAMES, strict=True):
        chosen = flavour == number
        if int(chosen.sum()) < _FEWEST:
            raise TrainingError(
                f"the b tag of {name} jets needs {_FEWEST} jets in events that are selected without their tag, but "
                f"there are {int(chosen.sum())}: fit a larger sample"
            )
        rows.append(_fit(_powers(pt[chosen].double()), tagged[chosen].double(), name))
    return TagProbability(torch.stack(rows))


def _fit(powers: Tensor, tagged: Tensor, name: str) -> Tensor:
    def loss(free: Tensor) -> Tensor:
        # A weak prior on the slopes: a flavour that is never tagged in a small sample still has a finite fit.
        penalty = 1e-3 * free[1:].square().sum() / len(tagged) + 1e-6 * free[0].square()
        return torch.nn.functional.binary_cross_entropy_with_logits(powers @ free, tagged) + penalty

    return minimise(loss, torch.zeros(_POWERS, dtype=torch.float64), f"the b tag of {name} jets")


def _powers(pt: Tensor) -> Tensor:
    t = torch.log(pt / 100.0)
    return torch.stack([torch.ones_like(t), t, t.square()], dim=-1)
