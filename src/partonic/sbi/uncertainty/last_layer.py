"""The error of learned ratios from the number of training events: the Laplace approximation of the last layer.

The outputs of a network are linear in the weights w of its last layer, f = h(x)·w, with the last hidden units h and 1.
At the minimum of the loss Σ_i ℓ_i, other events would have moved w by −H⁻¹ Σ_i ∂ℓ_i, with H = Σ_i ∂²ℓ_i. The loss is no
likelihood, and events have weights and copies, so the covariance of w is the sandwich

    C = H⁻¹ J H⁻¹,   J = Σ_groups g gᵀ,   g = Σ_{i in group} ∂ℓ_i

(P. Huber, Proc. 5th Berkeley Symp. (1967) 221; H. White, Econometrica 50 (1982) 1), over the last layers of all
outputs together, for they are trained on the same events. The layers before are taken as they are (E. Daxberger et al.,
arXiv:2106.14806, for the last layer alone; arXiv:2310.06068 in physics). To H is added what one event with average
units would add, so that units that hardly vary do no harm.
"""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import TrainingError
from partonic.sbi.method import Method, MethodLoss

__all__ = ["HasLastLayer", "LastLayerLaplace", "LinearOutputs"]

_CHUNK = 4096
"""Events that are worked on together."""


@runtime_checkable
class HasLastLayer(Protocol):
    """A backbone whose outputs are linear in weights of a last layer."""

    @property
    def last_width(self) -> int:
        """Number U of last hidden units of a network, with the constant."""

    def last_units(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "networks events units"]:
        """Return the last hidden units of every network, the last of them 1."""


@runtime_checkable
class LinearOutputs(Protocol):
    """A method whose loss and targets follow from D outputs of each member, member after member in the backbone."""

    members: int
    backbone: HasLastLayer

    @property
    def outputs(self) -> int:
        """Number D of outputs of a member."""

    def loss_slopes(
        self, inputs: Float[Tensor, "events inputs"], targets: Float[Tensor, "events monomials"]
    ) -> tuple[Float[Tensor, "members events outputs"], Float[Tensor, "members events outputs outputs"]]:
        """Return first and second derivatives of the loss of each event in the outputs, float64."""

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the learned targets, float64."""

    def target_slopes(
        self, inputs: Float[Tensor, "events inputs"]
    ) -> Float[Tensor, "members events monomials outputs"]:
        """Return the derivatives of the learned targets in the outputs, float64."""


class LastLayerLaplace(Method):
    """A trained method with the covariance of its last layers.

    Attributes:
        inner: the method.
        spread: covariance C of the last weights of all outputs of each member, `(M, D·U, D·U)`.
    """

    spread: Tensor

    def __init__(self, inner: Method) -> None:
        """Take a method; `measure` fills in the covariance.

        Raises:
            TrainingError: if its targets do not follow from linear last layers.
        """
        super().__init__()
        if not isinstance(inner, LinearOutputs) or not isinstance(inner.backbone, HasLastLayer):
            raise TrainingError(
                f"`sbi.network.error: laplace` needs outputs that are linear in the weights of a last layer, which "
                f"{type(inner).__name__} with this backbone does not have: use `ensemble`"
            )
        self.inner, self.members = inner, inner.members
        size = inner.outputs * inner.backbone.last_width
        self.register_buffer("spread", torch.zeros(inner.members, size, size, dtype=torch.float64))

    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
        weights: Float[Tensor, "events members"] | None = None,
    ) -> MethodLoss:
        """Return the losses of the method."""
        return self.inner.losses(inputs, targets, generator, weights)

    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the targets of the method."""
        return self.inner.targets_of(inputs)

    def residual(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, " events"] | None:
        """Return the residual of the method."""
        return self.inner.residual(inputs)

    @torch.no_grad()
    def covariance_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "events monomials monomials"]:
        """Return the covariance of the targets: its average over the members, and their scatter.

        Members share their events, so that the error from these is not less for their mean. The scatter is that of the
        layers before: together the variance of a mixture of Gaussians (R. Eschenhagen et al., arXiv:2111.03577).
        """
        method = self._linear
        units, slopes = self._units(inputs), method.target_slopes(inputs)
        found = torch.zeros(len(inputs), slopes.shape[2], slopes.shape[2], dtype=torch.float64, device=slopes.device)
        for member in range(self.members):
            spread = self.spread[member].reshape(method.outputs, units.shape[-1], method.outputs, -1)
            outputs = torch.stack(
                [torch.einsum("nu,uev,env->ne", units[member, d], spread[d], units[member])
                 for d in range(method.outputs)], dim=1,
            )  # fmt: skip
            found += slopes[member] @ outputs @ slopes[member].transpose(1, 2)
        found = found / self.members
        if self.members > 1:
            shift = method.targets_of(inputs)
            shift = shift - shift.mean(dim=0)
            found += torch.einsum("mna,mnb->nab", shift, shift) / (self.members - 1)
        return found

    @torch.no_grad()
    def measure(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        group: NDArray[np.int64],
    ) -> None:
        """Take the covariance of the last layers from the events of the training.

        Args:
            inputs: standardised features.
            targets: y in units of the mean weight at the reference.
            group: equal for copies of one event, `(N,)`.

        Raises:
            TrainingError: if the loss has no minimum in the last layers, as negative weights can bring about.
        """
        size = self.spread.shape[-1]
        curvature, meat = (torch.zeros(self.members, size, size, dtype=torch.float64) for _ in range(2))
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=group[order[:1]] - 1))
        cuts = [*starts[np.unique(np.searchsorted(starts, np.arange(0, len(order), _CHUNK)).clip(0, len(starts) - 1))]]
        for low, high in zip(cuts, [*cuts[1:], len(order)], strict=True):
            rows = order[low:high]
            number = torch.from_numpy(np.unique(group[rows], return_inverse=True)[1])
            self._add(inputs[rows], targets[rows], number, curvature, meat)
        for member in range(self.members):
            self.spread[member] = _sandwich(curvature[member], meat[member], len(order))

    def _add(self, inputs: Tensor, targets: Tensor, group: Tensor, curvature: Tensor, meat: Tensor) -> None:
        """Add the events of whole groups to H and J."""
        units, (first, second) = self._units(inputs), self._linear.loss_slopes(inputs, targets)
        for member in range(self.members):
            gradient = torch.einsum("nd,dnu->ndu", first[member], units[member]).flatten(1)
            sums = torch.zeros(int(group.max()) + 1, gradient.shape[1], dtype=torch.float64)
            sums.index_add_(0, group, gradient)
            meat[member] += sums.T @ sums
            outputs, width = self._linear.outputs, units.shape[-1]
            block = curvature[member].view(outputs, width, outputs, width)
            for d in range(outputs):
                for e in range(d, outputs):
                    weight = second[member, :, d, e]
                    if bool(weight.any()):
                        part = units[member, d].T @ (weight[:, None] * units[member, e])
                        block[d, :, e] += part
                        if e > d:
                            block[e, :, d] += part.T

    def _units(self, inputs: Tensor) -> Float[Tensor, "members outputs events units"]:
        units = self._linear.backbone.last_units(inputs).double()
        return units.reshape(self.members, self._linear.outputs, *units.shape[1:])

    @property
    def _linear(self) -> LinearOutputs:
        if not isinstance(self.inner, LinearOutputs):  # the constructor has looked
            raise TypeError(type(self.inner).__name__)
        return self.inner


def _sandwich(curvature: Tensor, meat: Tensor, events: int) -> Tensor:
    """Return H⁻¹ J H⁻¹ with one event of average units added to H."""
    diagonal = curvature.diagonal()
    ridged = curvature + torch.eye(len(curvature), dtype=curvature.dtype) * (diagonal.mean() / events)
    values, vectors = torch.linalg.eigh(ridged)
    if not float(values.min()) > 0:
        message = (
            "the loss has no minimum in the last layers (negative weights?): `sbi.network.error: laplace` cannot tell "
            "the error; use `ensemble`"
        )
        raise TrainingError(message)
    inverse = (vectors / values) @ vectors.T
    found: Tensor = inverse @ meat @ inverse
    return found
