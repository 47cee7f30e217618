"""Ratios as a function of θ: CARL, ALICE, ROLR, and with the score CASCAL, ALICES, RASCAL.

A network takes x and θ and gives log r(x|θ, ref). In every step each event has a θ of its own from the prior, and
counts with the weights that morphing gives it there and at the reference.

- ``carl``: classes drawn with the probability that these weights give (arXiv:1506.02169);
- ``alice``: the cross entropy with the weights themselves (arXiv:1808.00973);
- ``rolr``: squared errors of r and 1/r (arXiv:1805.00020);
- ``cascal``, ``alices``, ``rascal``: the same, plus the squared error of the score ∇_θ log p(z|θ), which the network
  gives as its derivative in θ (arXiv:1805.00020, 1808.00973).

The network need not be a polynomial in θ. Its ratio at many θ is projected onto the polynomial for each event by least
squares with relative weights, and by how much it differs is reported.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.sbi.backbone import ConditionalBackbone
from partonic.sbi.losses import cross_entropy, squared_ratio_error
from partonic.sbi.method import Method, MethodLoss
from partonic.sbi.theta_draws import ThetaDraws

__all__ = ["LARGEST_LOG", "ConditionalRatio", "Projection"]

LARGEST_LOG = 30.0
"""Largest size of log r that is projected onto the polynomial: the exponential of more says nothing but overflow."""

_WITH_SCORE = ("cascal", "alices", "rascal")
_SAMPLED_CLASSES = ("carl", "cascal")
_SQUARED = ("rolr", "rascal")


@dataclass(frozen=True, eq=False)
class Projection:
    """θ points at which ratios are projected onto the polynomial.

    Attributes:
        units: θ in units of the prior, `(Q, K)`.
        design: weights with which the targets sum to c(θ), `(Q, A)`.
        sigma: σ(θ) in units of σ_ref, `(Q,)`.
    """

    units: Tensor
    design: Tensor
    sigma: Tensor


class ConditionalRatio(Method):
    """One network of (x, θ) for each member."""

    units: Tensor
    design: Tensor
    sigma: Tensor

    def __init__(
        self,
        backbone: ConditionalBackbone,
        members: int,
        kind: str,
        projection: Projection,
        draws: ThetaDraws | None = None,
        score_weight: float = 0.0,
    ) -> None:
        """Take the networks.

        Args:
            backbone: `members` networks of features and θ.
            members: of the ensemble.
            kind: ``carl``, ``alice``, ``rolr``, ``cascal``, ``alices`` or ``rascal``.
            projection: onto the polynomial.
            draws: θ of the training; None for a model that is not trained any more.
            score_weight: of the squared error of the score, where the kind has one.
        """
        super().__init__()
        self.backbone, self.members, self.kind, self.draws = backbone, members, kind, draws
        self.score_weight = score_weight if kind in _WITH_SCORE else 0.0
        for name in ("units", "design", "sigma"):
            self.register_buffer(name, getattr(projection, name))

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
    ) -> MethodLoss:
        """Return the mean loss of each member at random θ.

        Raises:
            ValueError: if the model was made without θ to train at.
        """
        if self.draws is None:
            message = "this network was loaded to be used: make it with θ to train at"
            raise ValueError(message)
        number = self.draws.numbers(len(inputs), generator)
        reference, other = self.draws.densities(targets, number)
        if self.kind in _SAMPLED_CLASSES and generator is not None:
            reference, other = _sampled(reference, other, generator)
        with torch.enable_grad():
            theta = self.draws.units[number].float().expand(self.members, -1, -1)
            theta = theta.detach().clone().requires_grad_(self.score_weight > 0.0)
            logs = self.log_ratio(inputs, theta)
            kind = squared_ratio_error if self.kind in _SQUARED else cross_entropy
            loss = kind(logs, reference.float(), other.float()).mean(dim=1)
            if self.score_weight > 0.0:
                loss = loss + self.score_weight * self._score_error(logs, theta, targets, number)
        return loss, logs

    def _score_error(self, logs: Tensor, theta: Tensor, targets: Tensor, number: Tensor) -> Float[Tensor, " members"]:
        """Return the mean of p_1 t̂² − 2 t̂·∇p_1, the squared error of the score t̂ on events of θ."""
        if self.draws is None:
            message = "the score needs θ to train at"
            raise ValueError(message)
        (score,) = torch.autograd.grad(logs.sum(), theta, create_graph=torch.is_grad_enabled())
        density = self.draws.densities(targets, number)[1].float()
        slope = self.draws.slopes(targets, number).float()
        return (density[None, :, None] * score.square() - 2.0 * slope * score).sum(dim=2).mean(dim=1)

    def log_ratio(
        self, inputs: Float[Tensor, "events inputs"], units: Float[Tensor, "members events parameters"]
    ) -> Float[Tensor, "members events"]:
        """Return log p(x|θ)/p(x|ref) of each member, θ in units of the prior."""
        return self.backbone(inputs, units)

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the targets of the polynomial that is nearest to the ratio."""
        solution = torch.linalg.solve(*self.normal_equations(self._ratios(inputs)))
        return torch.cat([torch.ones_like(solution[..., :1]), solution], dim=-1)

    def normal_equations(
        self, ratios: Float[Tensor, "members events points"]
    ) -> tuple[Float[Tensor, "members events free free"], Float[Tensor, "members events free"]]:
        """Return matrix and right side of the equations of the polynomial, of first target 1, nearest to ratios.

        Args:
            ratios: c(θ)/c_ref at the points of the projection.
        """
        weight = 1.0 / (1.0 + ratios)
        free, wanted = self.design[:, 1:], ratios - self.design[:, 0]
        weighted = weight.square()[..., None] * free
        normal = weighted.transpose(-1, -2) @ free
        return normal, (weighted * wanted[..., None]).sum(dim=-2)

    def residual(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, " events"]:
        """Return the root mean square over θ of (r − polynomial)/(1 + r), averaged over the members."""
        ratios = self._ratios(inputs)
        fitted = self.targets_of(inputs) @ self.design.T
        return ((fitted - ratios) / (1.0 + ratios)).square().mean(dim=-1).sqrt().mean(dim=0)

    def _ratios(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events points"]:
        """Return c(θ)/c_ref at the points of the projection."""
        columns, seen = [], self.backbone.encode(inputs)
        for units, sigma in zip(self.units.float(), self.sigma, strict=True):
            theta = units.expand(self.members, len(inputs), -1)
            columns.append(self.backbone.decide(seen, theta).double().clamp(-LARGEST_LOG, LARGEST_LOG).exp() * sigma)
        return torch.stack(columns, dim=-1)


def _sampled(reference: Tensor, other: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return weights of a class drawn for each event, whose expectation are the given ones."""
    total = reference.abs() + other.abs()
    uniform = torch.rand(len(total), generator=generator, device=total.device, dtype=total.dtype)
    is_other = uniform * total < other.abs()
    return torch.where(is_other, 0.0, reference.sign() * total), torch.where(is_other, other.sign() * total, 0.0)
