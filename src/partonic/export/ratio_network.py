"""A trained estimator of simulation-based inference as one function: features of events → R_a with their covariance.

It is what `partonic.sbi.estimator.SbiEstimator` does to the features of a batch, in torch from end to end.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.export.elimination import eliminated
from partonic.sbi.conditional import LARGEST_LOG, ConditionalRatio
from partonic.sbi.estimator import pairing
from partonic.sbi.expansion import Expansion
from partonic.sbi.method import Method
from partonic.sbi.model import SbiModel

__all__ = ["RatioNetwork", "Ratios", "RatiosOfTargets"]


class Ratios(NamedTuple):
    """What is said of events.

    Attributes:
        ratios: R_a of the mean of the members, NaN where the density at the reference point is not positive.
        member_densities: P_a of each member in units of the density that was learned at, of which `ratios` are the
            means over the members, divided by their density at the reference point.
        covariance: of `ratios`, from the scatter of the members; 0 for a single one.
    """

    ratios: Float[Tensor, "events monomials"]
    member_densities: Float[Tensor, "members events monomials"]
    covariance: Float[Tensor, "events monomials monomials"]


class RatiosOfTargets(nn.Module):
    """From the learned targets of the members to R_a relative to the density at the reference point.

    Attributes:
        inverse: from targets to R_a relative to what was learned at, `(A, A)`.
        at_reference: monomials of the reference point, `(A,)`.
    """

    inverse: Tensor
    at_reference: Tensor

    def __init__(self, model: SbiModel) -> None:
        super().__init__()
        record = model.record
        theta = record.monomials.point(record.reference_point)
        inverse = Expansion.around(record.monomials, record.reference).inverse
        self.register_buffer("inverse", torch.from_numpy(inverse.copy()))
        self.register_buffer("at_reference", torch.from_numpy(record.monomials.evaluate(theta)))
        self.first_is_one = not theta.any()
        self.pairing = pairing(model).T.tolist()

    def forward(self, targets: Float[Tensor, "members events monomials"]) -> Ratios:
        """Return the ratios of events."""
        densities = targets @ self.inverse.T
        mean = self._relative(targets.mean(dim=0) @ self.inverse.T)
        members = targets.shape[0]
        if members == 1:
            return Ratios(mean, densities, torch.zeros_like(mean)[..., None] * self.at_reference)
        drawn = self._relative(self._drawn(targets) @ self.inverse.T)
        shift = drawn - drawn.mean(dim=0)
        covariance = (shift[..., :, None] * shift[..., None, :]).sum(dim=0) / (members - 1)
        return Ratios(mean, densities, covariance)

    def smallest_density(self, targets: Float[Tensor, "members events monomials"]) -> Float[Tensor, " events"]:
        """Return the smallest density at the reference point that is divided by, in units of that learned at."""
        means = torch.cat([targets.mean(dim=0, keepdim=True), self._drawn(targets)])
        return (means @ self.inverse.T @ self.at_reference).amin(dim=0)

    def _drawn(self, targets: Float[Tensor, "members events monomials"]) -> Float[Tensor, "members events monomials"]:
        """Return the targets with each taken from a member of its own."""
        columns = [targets[..., number][chosen] for number, chosen in enumerate(self.pairing)]
        return torch.stack(columns, dim=-1)

    def _relative(self, densities: Float[Tensor, "*batch monomials"]) -> Float[Tensor, "*batch monomials"]:
        at_point = (densities * self.at_reference).sum(dim=-1, keepdim=True)
        relative = densities / torch.where(at_point > 0, at_point, torch.nan)
        if not self.first_is_one:
            return relative
        first = torch.where(torch.isnan(relative[..., :1]), torch.nan, 1.0).to(relative)
        return torch.cat([first, relative[..., 1:]], dim=-1)


class RatioNetwork(nn.Module):
    """The whole way from features; see `Ratios`, with how far each event is outside of the training as a fourth."""

    def __init__(self, model: SbiModel) -> None:
        super().__init__()
        self.scaler, self.method, self.ratios = model.scaler, model.method, RatiosOfTargets(model)

    def forward(self, features: Float[Tensor, "events features"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return R_a, those of the members, the covariance, and the distance from the features of the training."""
        found = self.ratios(targets_of(self.method, self.scaler(features)))
        return *found, self.scaler.outside(features)


def targets_of(method: Method, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
    """Return the learned targets; those of networks of θ by an elimination in place of a solver."""
    if not isinstance(method, ConditionalRatio):
        return method.targets_of(inputs)
    solution = eliminated(*method.normal_equations(_ratios_at_points(method, inputs)))
    return torch.cat([torch.ones_like(solution[..., :1]), solution], dim=-1)


def _ratios_at_points(
    method: ConditionalRatio, inputs: Float[Tensor, "events inputs"]
) -> Float[Tensor, "members events points"]:
    """Return c(θ)/c_ref at all points of the projection by one call of the networks, so that the graph stays small."""
    points, members, events = len(method.units), method.members, inputs.shape[0]
    theta = method.units.float()[None, :, None, :].expand(members, -1, events, -1)
    logs = method.log_ratio(inputs.repeat(points, 1), theta.reshape(members, points * events, -1))
    ratios = logs.double().clamp(-LARGEST_LOG, LARGEST_LOG).exp().reshape(members, points, events)
    return ratios.transpose(1, 2) * method.sigma
