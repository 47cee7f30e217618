r"""Derivative learning where every region of x counts by how well the derivatives are known there.

The mean of R_a(z) given x is the minimum of Σ h(x) c_ref (f_a(x) − R_a(z))² for any positive h. With h = 1 events count
by their density at the reference times the square of R_a, so that a few events of a tail where R_a is large, or where
copies and morphing have put many events of small weight, decide on all (arXiv:2410.07315 and `derivatives` have this
loss). Least squares are most efficient if residuals are in units of their errors (A. Aitken, 1935). The error of the
mean of R_a in a region is σ(R_a|x) in units of the root of the number of *simulated* events, so that
h = 1/(s_a² w̄), with the typical size s_a of R_a and the typical weight w̄ of an event at x (`magnitudes`): the loss is

    Σ (c_ref/w̄) u_a² − 2 (c_a/(w̄ s_a)) u_a,   R_a(x) = s_a(x) u_a(x),

in which all numbers are of the order of 1, in the bulk and in the tail. It is linear in the coefficients as the other
one, and what it converges to is the same.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.sbi.backbone import Backbone
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.method import MethodLoss, event_mean
from partonic.sbi.precision.magnitudes import Magnitudes

__all__ = ["PreciseDerivatives"]

_FLOOR = 1e-3
"""Part of the deviation of a derivative that it is always at least told from; the median of its size, if larger."""


class PreciseDerivatives(Derivatives):
    """Networks of derivatives in units of their typical size.

    Attributes:
        power: mean square of each derivative in these units in the training sample, `(A − 1,)`; 1 of what is constant.
    """

    power: Tensor

    def __init__(self, backbone: Backbone, magnitudes: Magnitudes, targets: int, members: int) -> None:
        """Take a backbone as `Derivatives` does, and the magnitudes of `targets` numbers."""
        super().__init__(backbone, targets, members)
        self.magnitudes = magnitudes
        self.register_buffer("power", torch.ones(targets - 1, dtype=torch.float64))

    def standardise(self, targets: Float[Tensor, "events monomials"]) -> None:
        """Take mean and deviation of the derivatives, and the range of their magnitudes, from the training sample.

        Raises:
            TrainingError: if no event depends on θ.
        """
        super().standardise(targets)
        self.magnitudes.take_range(targets, _FLOOR * self.deviation)

    @torch.no_grad()
    def take_magnitudes(
        self, inputs: Float[Tensor, "events inputs"], targets: Float[Tensor, "events monomials"], chunk: int = 50_000
    ) -> None:
        """Hold the magnitudes as they are, and take the power of the derivatives from the training sample."""
        for parameter in self.magnitudes.parameters():
            parameter.requires_grad_(False)
        total = torch.zeros_like(self.power)
        for start in range(0, len(inputs), chunk):
            some, wanted = inputs[start : start + chunk], targets[start : start + chunk]
            weight, rest = wanted[:, :1], (wanted[:, 1:] - self.mean * wanted[:, :1]) / self.deviation
            safe = torch.where(weight.abs() > 0, weight.abs(), torch.inf)
            total += (rest.square() / safe * self._importance(some)).sum(dim=0)
        self.power.copy_(torch.where(total > 0, total / len(inputs), 1.0))

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
        weights: Float[Tensor, "events members"] | None = None,
    ) -> MethodLoss:
        """Return 1 less the part of the power that each member explains, averaged over the derivatives."""
        weight = targets[:, :1]
        wanted = ((targets[:, 1:] - self.mean * weight) / self.deviation).float()
        importance = (self._importance(inputs) / self.power).float()
        raw = self._raw(inputs)
        outputs = self._in_deviations(raw, inputs)
        squares = ((weight.float() * outputs.square() - 2.0 * wanted * outputs) * importance).mean(dim=2)
        return 1.0 + event_mean(squares, weights), raw.flatten(1)

    def loss_slopes(
        self, inputs: Float[Tensor, "events inputs"], targets: Float[Tensor, "events monomials"]
    ) -> tuple[Float[Tensor, "members events outputs"], Float[Tensor, "members events outputs outputs"]]:
        """Return first and second derivatives of the loss of each event in the outputs of the networks."""
        weight = targets[:, :1]
        wanted = (targets[:, 1:] - self.mean * weight) / self.deviation
        importance = self._importance(inputs) / self.power
        slope = self._output_slopes(inputs)  # (events, derivatives, outputs)
        pull = 2.0 * (weight * self._outputs(inputs).double() - wanted) * importance
        first = torch.einsum("mnd,ndo->mno", pull, slope)
        second = torch.einsum("ndo,nd,ndp->nop", slope, 2.0 * weight * importance, slope)
        return first, second.expand(self.members, -1, -1, -1)

    def target_slopes(
        self, inputs: Float[Tensor, "events inputs"]
    ) -> Float[Tensor, "members events monomials outputs"]:
        """Return the derivatives of the learned targets in the outputs of the networks."""
        finite = torch.where(torch.isfinite(self.deviation), self.deviation, 0.0)
        rows = finite[:, None] * self._output_slopes(inputs)
        rows = torch.cat([torch.zeros_like(rows[:, :1]), rows], dim=1)
        return rows.expand(self.members, -1, -1, -1)

    def _importance(self, inputs: Tensor) -> Float[Tensor, "events derivatives"]:
        """Return h(x) of squares in standard deviations of the derivatives; 0 of what is constant."""
        weight, sizes = self.magnitudes(inputs)
        return torch.where(torch.isfinite(self.deviation), (self.deviation / sizes).square() / weight, 0.0)

    def _outputs(self, inputs: Tensor) -> Float[Tensor, "members events derivatives"]:
        return self._in_deviations(self._raw(inputs), inputs)

    def _raw(self, inputs: Tensor) -> Float[Tensor, "members events derivatives"]:
        outputs: Tensor = self.backbone(inputs).reshape(self.members, -1, inputs.shape[0]).transpose(1, 2)
        return outputs

    def _in_deviations(self, raw: Tensor, inputs: Tensor) -> Float[Tensor, "members events derivatives"]:
        sizes: Tensor = self.magnitudes(inputs)[1]
        projector = self.projector.to(raw)
        return (raw * sizes - self.mean.to(raw)).div(self.deviation.to(raw)).matmul(projector)

    def _output_slopes(self, inputs: Tensor) -> Float[Tensor, "events derivatives outputs"]:
        sizes: Tensor = self.magnitudes(inputs)[1]
        return self.projector.T * (sizes.double() / self.deviation)[:, None, :]
