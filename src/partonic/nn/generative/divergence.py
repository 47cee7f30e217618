"""The divergence of a velocity field: exact by one derivative for each number, or Hutchinson's estimate.

For random directions e of ±1, e·(∂v/∂x)e has the divergence as its mean (M. F. Hutchinson, Commun. Stat. Simul. Comput.
18 (1989) 1059); as a part of a flow: FFJORD, arXiv:1810.01367.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["directional_divergences", "exact_divergence", "rademacher"]

Field = Callable[[Tensor], Tensor]
"""A velocity field at one time, `(N, D)` → `(N, D)`."""


def exact_divergence(
    field: Field, x: Float[Tensor, "events features"]
) -> tuple[Float[Tensor, "events features"], Float[Tensor, "events"]]:
    """Return the velocity and its divergence Σ_i ∂v_i/∂x_i; differentiable."""
    directions = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[:, None].expand(-1, *x.shape)
    value, terms = directional_divergences(field, x, directions)
    return value, terms.sum(dim=1)


def directional_divergences(
    field: Field, x: Float[Tensor, "events features"], directions: Float[Tensor, "probes events features"]
) -> tuple[Float[Tensor, "events features"], Float[Tensor, "events probes"]]:
    """Return the velocity, and e·(∂v/∂x)e for each direction e; differentiable."""
    value, pulled_back = cast("tuple[Tensor, Callable[[Tensor], tuple[Tensor]]]", torch.func.vjp(field, x))
    all_pulled_back: Callable[[Tensor], tuple[Tensor]] = torch.func.vmap(pulled_back)
    (slopes,) = all_pulled_back(directions)
    return value, (slopes * directions).sum(dim=2).T


def rademacher(
    probes: int, like: Float[Tensor, "events features"], generator: torch.Generator
) -> Float[Tensor, "probes events features"]:
    """Return random directions whose numbers are ±1."""
    bits = torch.randint(2, (probes, *like.shape), generator=generator, device=generator.device)
    return (2.0 * bits - 1.0).to(like)
