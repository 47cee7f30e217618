"""Times of the events of a batch, spread evenly so that the mean of a loss over them varies less."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["stratified_times"]


def stratified_times(events: Float[Tensor, "events _"], generator: torch.Generator) -> Float[Tensor, "events"]:
    """Return one time in each N-th part of [0, 1], in random order, for N events."""
    count = len(events)
    order = torch.randperm(count, generator=generator, device=generator.device)
    within = torch.rand(count, generator=generator, device=generator.device)
    return ((order + within) / max(count, 1)).to(events)
