"""SALLY and SALLINO: the score at the reference as the observable, and the likelihood of its histogram.

The score t(x) = ∇_θ log p(x|θ)|_θ0 is a sufficient statistic for θ near θ0, and the mean of the joint scores at x, so a
regression learns it (J. Brehmer, K. Cranmer, G. Louppe, J. Pavez, arXiv:1805.00013 and 1805.00020). SALLY keeps all its
components, SALLINO its projection on one direction θ − θ0. The density of the learned t̂ is that of a histogram with
adaptive bins (`partonic.sbi.score.bins`), filled with events that the networks have not seen; it is known at every θ,
for events have weights there.

So the likelihood of t̂ is right at every θ, whatever the networks learned: a bad t̂ costs information, not
truth. What is lost beyond that is what x tells at θ far from θ0 and t̂ does not, and what varies within a bin.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ParameterError, TrainingError
from partonic.sbi.backbone import Backbone
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.expansion import Expansion
from partonic.sbi.method import Method, MethodLoss
from partonic.sbi.score.bins import ScoreBins, adaptive_bins

__all__ = ["LocalScore", "score_rows"]

Array = NDArray[np.float64]

_TYPES = {
    "axis": torch.int64, "cut": torch.float64, "child": torch.int64, "ratios": torch.float64,
    "covariance": torch.float64, "effective": torch.float64,
}  # fmt: skip


class LocalScore(Method):
    """Networks of D components of the score, and the densities in bins of their mean over the members.

    Attributes:
        rows: from the targets to the weight at the reference and its D derivatives, `(A, 1 + D)`.
        axis, cut, child, ratios, covariance, effective: of the bins (`partonic.sbi.score.bins.ScoreBins`).
    """

    rows: Tensor
    axis: Tensor
    cut: Tensor
    child: Tensor
    ratios: Tensor
    covariance: Tensor
    effective: Tensor

    def __init__(self, backbone: Backbone, rows: Array, members: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Take `members` × D networks, and make room for the bins of a trained model, whose `shapes` its record tells.

        Args:
            backbone: all components of a member together.
            rows: of `score_rows`, `(A, 1 + D)`.
            members: of the ensemble.
            shapes: of the numbers of the bins; empty before the training.
        """
        super().__init__()
        self.members = members
        self.scores = Derivatives(backbone, rows.shape[1], members)
        self.register_buffer("rows", torch.from_numpy(rows))
        for name, kind in _TYPES.items():
            self.register_buffer(name, torch.zeros(tuple(shapes.get(name, (0,))), dtype=kind))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the numbers of the bins by name."""
        return {name: tuple(getattr(self, name).shape) for name in _TYPES}

    def standardise(self, targets: Float[Tensor, "events monomials"]) -> None:
        """Take mean and deviation of the joint scores from the training sample.

        Raises:
            TrainingError: if no event depends on θ to first order.
        """
        try:
            self.scores.standardise(targets @ self.rows)
        except TrainingError as error:
            message = (
                "no event depends on θ to first order at the reference, so the score there is 0: move `sbi.reference` "
                "to where it is not, or use `sbi.method: derivatives`"
            )
            raise TrainingError(message) from error

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
        weights: Float[Tensor, "events members"] | None = None,
    ) -> MethodLoss:
        """Return 1 − R² of the score of each member."""
        return self.scores.losses(inputs, targets @ self.rows, generator, weights)

    def score(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "events components"]:
        """Return the learned score, the mean over the members, float64."""
        return self.scores.targets_of(inputs)[..., 1:].mean(dim=0)

    @torch.no_grad()
    def fill(
        self, inputs: Float[Tensor, "events inputs"], targets: Array, group: NDArray[np.int64], fewest: float
    ) -> None:
        """Make the bins, from events that the networks were not trained on.

        Args:
            inputs: standardised features.
            targets: y, `(N, A)`.
            group: equal for copies of one event, `(N,)`.
            fewest: effective events of a bin.

        Raises:
            TrainingError: if there are too few events.
        """
        found = adaptive_bins(self.score(inputs).cpu().numpy(), targets, group, fewest)
        for name, kind in _TYPES.items():
            values = np.ascontiguousarray(getattr(found, name))
            self.register_buffer(name, torch.from_numpy(values).to(device=self.rows.device, dtype=kind))

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the averages in the bins of the events: the same for all members, which share the score."""
        return self.ratios[self._bins(inputs)].expand(self.members, -1, -1)

    def covariance_of(
        self, inputs: Float[Tensor, "events inputs"]
    ) -> Float[Tensor, "events monomials monomials"] | None:
        """Return the covariance of the averages from the number of events in the bins."""
        return self.covariance[self._bins(inputs)]

    def _bins(self, inputs: Float[Tensor, "events inputs"]) -> Tensor:
        arrays = {name: getattr(self, name).cpu().numpy() for name in _TYPES}
        number = ScoreBins(**arrays).find(self.score(inputs).detach().cpu().numpy())
        return torch.from_numpy(number).to(self.rows.device)


def score_rows(expansion: Expansion, method: str, direction: Mapping[str, float]) -> Array:
    """Return what the targets are multiplied by to give the weight at the reference and its derivatives, `(A, 1 + D)`.

    Args:
        expansion: of the events, around one point.
        method: ``sally`` for a derivative in each parameter, ``sallino`` for that along a direction.
        direction: of ``sallino``; empty for the only parameter.

    Raises:
        ParameterError: if the reference is a mixture, or the direction is none, unknown or zero.
    """
    names = expansion.monomials.parameters
    if len(expansion.points) != 1:
        raise ParameterError(
            f"`{method}` learns the score at one point, and `sbi.reference` has {len(expansion.points)}: give one"
        )
    slopes = expansion.gradient(expansion.points[0])
    if method == "sallino":
        if not direction and len(names) > 1:
            raise ParameterError(
                f"`sallino` needs one direction of the parameters {', '.join(names)}: give `sbi.score.direction`, e.g. "
                f"{{{names[0]}: 1.0}}"
            )
        along = expansion.monomials.point(direction or {names[0]: 1.0})
        if not along.any():
            message = "`sbi.score.direction` is zero: expected a direction in θ, e.g. of a point to tell from the rest"
            raise ParameterError(message)
        slopes = slopes @ along[:, None]
    rows: Array = np.concatenate([np.eye(len(slopes))[:, :1], slopes], axis=1)
    return rows
