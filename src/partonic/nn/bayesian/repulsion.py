"""Repulsion of the members of an ensemble in function space.

Members that minimise one loss alone may agree by chance where there are few events. A repulsion of what they say of
the events of a batch keeps them apart by the uncertainty of the training sample (F. D'Angelo, V. Fortuin,
arXiv:2106.11642; in physics S. Bieringer et al., arXiv:2403.13899). The loss of member i gets
(β/N) Σ_j k(f_i, f̄_j)/Σ_j k(f̄_i, f̄_j), with N training events, f̄ without gradient, and a Gaussian kernel whose width
is the median distance: the loss of all events together is a log-likelihood, of which a batch shows 1/N an event.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["repulsion"]


def repulsion(outputs: Float[Tensor, "members events"]) -> Float[Tensor, ""]:
    """Return Σ_i Σ_j k(f_i, f̄_j)/Σ_j k(f̄_i, f̄_j) of M members, without the factor β/N; 0 of a single one.

    Its gradient is that of the log of the kernel density of the members: they drive apart.
    """
    members = len(outputs)
    if members == 1:
        return outputs.new_zeros(())
    still = outputs.detach()
    squares = (outputs[:, None] - still[None]).square().sum(dim=-1)
    fixed = squares.detach()
    different = ~torch.eye(members, dtype=torch.bool, device=outputs.device)
    width = fixed[different].median().clamp(min=torch.finfo(outputs.dtype).tiny) / math.log(members + 1.0)
    kernel = torch.exp(-squares / width)
    return (kernel.sum(dim=1) / kernel.detach().sum(dim=1)).sum()
