"""Derivative learning: all R_a(x) = E[c_a/c_ref | x] regressed on events at the reference.

The minimum of Σ_events c_ref (f_a(x) − R_a(z))² over functions f_a is the mean of R_a(z) given x, which is the ratio of
the densities of x (arXiv:2410.07315, eq. 29–31; J. Brehmer et al., arXiv:1805.00020 for the score). Multiplied out it
is Σ c_ref f² − 2 c_a f + const., linear in the coefficients. Each derivative has networks of its own.

Derivatives that depend on each other linearly in every event (a parameter that enters by its square alone has
R_1 = 2 θ0 R_2 at a reference θ0) do so in what is learned: the outputs are projected onto the space of the targets.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import TrainingError
from partonic.sbi.backbone import Backbone
from partonic.sbi.method import Method, MethodLoss

__all__ = ["Derivatives"]

_EXACT = 1e-10
"""Relative size below which a target, or a combination of targets, does not vary at all."""


class Derivatives(Method):
    """Networks of standardised derivatives.

    Attributes:
        mean, deviation: of each target in the training sample, `(A − 1,)`.
        projector: onto the space of the standardised targets, `(A − 1, A − 1)`.
    """

    mean: Tensor
    deviation: Tensor
    projector: Tensor

    def __init__(self, backbone: Backbone, targets: int, members: int) -> None:
        """Take a backbone of `members` × (`targets` − 1) networks, all derivatives of a member together."""
        super().__init__()
        self.backbone, self.members = backbone, members
        self.register_buffer("mean", torch.zeros(targets - 1, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(targets - 1, dtype=torch.float64))
        self.register_buffer("projector", torch.eye(targets - 1, dtype=torch.float64))

    def standardise(self, targets: Float[Tensor, "events monomials"]) -> None:
        """Take mean and deviation of the derivatives, with the weights of the reference, from the training sample.

        Raises:
            TrainingError: if no event depends on θ.
        """
        weight, rest = targets[:, :1], targets[:, 1:]
        mean = rest.sum(dim=0) / weight.sum()
        shift = rest - mean * weight
        safe = torch.where(weight.abs() > 0, weight.abs(), torch.inf)
        deviation = (shift.square() / safe).sum(dim=0).div(weight.abs().sum()).sqrt()
        if not bool((deviation > 0).any()):
            message = "no event depends on θ: all have the same ratios of coefficients; expected others"
            raise TrainingError(message)
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > _EXACT * deviation.max(), deviation, torch.inf))
        scaled = shift / self.deviation
        values, vectors = torch.linalg.eigh((scaled / safe).T @ scaled / weight.abs().sum())
        space = vectors[:, values > _EXACT * values.max()]
        self.projector.copy_(space @ space.T)

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
    ) -> MethodLoss:
        """Return 1 − R² of each member, averaged over the derivatives: 0 is perfect, 1 knows nothing but the mean."""
        weight = targets[:, :1]
        wanted = ((targets[:, 1:] - self.mean * weight) / self.deviation).float()
        outputs = self._outputs(inputs)
        loss = 1.0 + (weight.float() * outputs.square() - 2.0 * wanted * outputs).mean(dim=(1, 2))
        return loss, outputs.flatten(1)

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return 1 and the derivatives."""
        finite = torch.where(torch.isfinite(self.deviation), self.deviation, 0.0)
        values = self._outputs(inputs).double() * finite + self.mean
        return torch.cat([torch.ones_like(values[..., :1]), values], dim=-1)

    def _outputs(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events derivatives"]:
        outputs = self.backbone(inputs)
        separate = outputs.reshape(self.members, -1, inputs.shape[0]).transpose(1, 2)
        return separate @ self.projector.to(separate)
