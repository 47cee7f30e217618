"""Losses of log likelihood ratios, linear in the densities of the events.

With p_0 = c_ref(z)/σ_ref and p_1 = c(z|θ)/σ(θ) of an event, all have their minimum, over functions of x, at
log r(x) = log E[p_1|x]/E[p_0|x].
"""

import math

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["cross_entropy", "squared_ratio_error"]


def cross_entropy(
    logs: Float[Tensor, "*shape"], reference: Float[Tensor, "*any"], other: Float[Tensor, "*some"]
) -> Float[Tensor, "*shape"]:
    """Return p_0 log(1 + r) + p_1 log(1 + 1/r), in units in which r = 1 everywhere gives 1 on the mean.

    Of sampled classes this is the loss of CARL (K. Cranmer, J. Pavez, G. Louppe, arXiv:1506.02169); with the exact
    p_0 and p_1 of the event that of ALICE (M. Stoye et al., arXiv:1808.00973), which has less variance.
    """
    return (reference * softplus(logs) + other * softplus(-logs)) / (2.0 * math.log(2.0))


def squared_ratio_error(
    logs: Float[Tensor, "*shape"], reference: Float[Tensor, "*any"], other: Float[Tensor, "*some"]
) -> Float[Tensor, "*shape"]:
    """Return p_0 r² − 2 p_1 r + p_1/r² − 2 p_0/r: squared errors of r on events of the reference, of 1/r on the others.

    The loss of ROLR (J. Brehmer et al., arXiv:1805.00020, eq. 31) without its constants.
    """
    ratio, inverse = logs.clamp(-20.0, 20.0).exp(), (-logs).clamp(-20.0, 20.0).exp()
    return reference * ratio.square() - 2.0 * other * ratio + other * inverse.square() - 2.0 * reference * inverse
