"""Morphing-aware learning: likelihood ratios at basis points, from which the one at any θ follows.

c(z|θ) is a polynomial with A coefficients, so densities at A points give those at all others (arXiv:1805.00020;
arXiv:2410.07315, eq. 21–25). One of the A is the reference, whose ratio to itself is 1; each of the others has
networks of its own that learn log p(x|θ_i)/p(x|ref) alone. The variant with one joint loss of the combined ratio at
random θ (the morphing-aware estimators of arXiv:1907.10621) is there for comparison.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ParameterError
from partonic.sbi.backbone import Backbone
from partonic.sbi.expansion import Expansion
from partonic.sbi.losses import cross_entropy, squared_ratio_error
from partonic.sbi.method import Method, MethodLoss
from partonic.sbi.theta_draws import ThetaDraws

__all__ = ["MorphingRatios", "basis_rows"]

Array = NDArray[np.float64]


class MorphingRatios(Method):
    """Networks of log ratios at basis points.

    Attributes:
        rows: weights with which the targets sum to c(θ_i)/σ(θ_i) in units of σ_ref, `(A − 1, A)`.
        solution: from (1, r_1, …) to the targets y/y_0, `(A, A)`.
    """

    rows: Tensor
    solution: Tensor

    def __init__(
        self,
        backbone: Backbone,
        rows: Array,
        means: Array,
        members: int,
        loss: Literal["cross_entropy", "regression"],
        draws: ThetaDraws | None = None,
    ) -> None:
        """Take the basis.

        Args:
            backbone: `members` × (A − 1) networks.
            rows: weights of the targets at the basis points (`basis_rows`), `(A − 1, A)`.
            means: σ_a of the targets in units of σ_ref, `(A,)`; the first is 1.
            members: of the ensemble.
            loss: of each ratio.
            draws: θ of the joint loss; None for one loss a basis point.

        Raises:
            ParameterError: if a cross section at a basis point is not positive, or the points do not determine c(θ).
        """
        super().__init__()
        sigma = rows @ means
        if not (sigma > 0).all():
            raise ParameterError(
                f"the cross sections at the basis points must be positive, got {sigma} of that at the reference"
            )
        matrix = np.concatenate([np.eye(1, len(means)), rows])
        if np.linalg.matrix_rank(matrix) < len(matrix):
            message = (
                f"{len(rows)} basis points and the reference do not determine {len(means)} monomials: choose others"
            )
            raise ParameterError(message)
        self.backbone, self.members, self.loss, self.draws = backbone, members, loss, draws
        self.register_buffer("rows", torch.from_numpy(rows / sigma[:, None]))
        scale = np.concatenate([[1.0], sigma])
        self.register_buffer("solution", torch.from_numpy(np.linalg.inv(matrix) * scale))

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
    ) -> MethodLoss:
        """Return the mean loss of the ratios of each member, or that of the combined one at random θ."""
        logs = self._logs(inputs)
        if self.draws is not None:
            theta = self.draws.rows(len(inputs), generator)
            ratio = torch.einsum("men,en->me", self._targets(logs), theta)
            at_theta = (targets * theta).sum(dim=1)
            values = targets[:, 0] * ratio.square() - 2.0 * at_theta * ratio
            return values.mean(dim=1).float(), logs.flatten(1)
        at_points = (targets @ self.rows.T).float()
        kind = cross_entropy if self.loss == "cross_entropy" else squared_ratio_error
        return kind(logs, targets[:, :1].float(), at_points).mean(dim=(1, 2)), logs.flatten(1)

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the targets that follow from the ratios."""
        return self._targets(self._logs(inputs))

    def _targets(self, logs: Float[Tensor, "members events points"]) -> Float[Tensor, "members events monomials"]:
        ratios = logs.double().exp()
        return torch.cat([torch.ones_like(ratios[..., :1]), ratios], dim=-1) @ self.solution.T

    def _logs(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events points"]:
        outputs = self.backbone(inputs)
        return outputs.reshape(self.members, -1, inputs.shape[0]).transpose(1, 2)


def basis_rows(
    expansion: Expansion,
    points: "tuple[Mapping[str, float], ...]",
    ranges: Array,
    generator: np.random.Generator,
    candidates: int = 400,
) -> tuple[Array, Array]:
    """Return basis points beside the reference `(A − 1, K)`, and the weights of the targets there `(A − 1, A)`.

    Points that are not given are searched: of random ones in the ranges, each next is the one that leaves the smallest
    condition number, and then each is exchanged as long as that lowers it.

    Args:
        expansion: of the events.
        points: given points; empty to search.
        ranges: lowest and highest value of each parameter, `(K, 2)`.
        generator: draws the candidates.
        candidates: number of them.

    Raises:
        ParameterError: if a number of points is given that is not A − 1.
    """
    needed = len(expansion.monomials) - 1
    if points:
        if len(points) != needed:
            raise ParameterError(
                f"{needed} basis points are needed beside the reference, for {needed + 1} monomials "
                f"({', '.join(expansion.monomials.names)}); got {len(points)}"
            )
        chosen = np.stack([expansion.monomials.point(point) for point in points])
        return chosen, expansion.row(chosen)
    low, high = ranges[:, 0], ranges[:, 1]
    corners = np.stack(np.meshgrid(*([0.0, 0.5, 1.0],) * len(low)), axis=-1).reshape(-1, len(low))[:729]
    unit = np.concatenate([corners, generator.uniform(size=(candidates, len(low)))])
    drawn = low + unit * (high - low)
    rows = expansion.row(drawn)
    scale = np.abs(rows).max(axis=0)
    picked = _well_conditioned(rows / np.where(scale > 0, scale, 1.0), needed)
    return drawn[picked], rows[picked]


def _well_conditioned(rows: Array, needed: int) -> list[int]:
    """Return the numbers of `needed` rows that with (1, 0, …) have a small condition number."""

    def condition(chosen: list[int]) -> float:
        return float(np.linalg.cond(np.concatenate([np.eye(1, rows.shape[1]), rows[chosen]])))

    chosen: list[int] = []
    for _ in range(needed):
        chosen.append(min(range(len(rows)), key=lambda each: condition([*chosen, each])))
    for _ in range(3):
        before = condition(chosen)
        for place in range(needed):
            others = chosen[:place] + chosen[place + 1 :]
            chosen[place] = min(range(len(rows)), key=lambda each: condition([*others, each]))
        if condition(chosen) > 0.999 * before:
            break
    return chosen
