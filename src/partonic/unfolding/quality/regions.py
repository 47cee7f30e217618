"""Coverage of regions around random points (TARP, arXiv:2302.03026) and of highest-density regions.

TARP: for a reference point drawn without knowledge of the truth, the share of samples that are closer to it than the
truth is uniform if the posterior is calibrated; done in all directions at once it is a necessary and sufficient test.
Highest-density regions: the share of samples with a larger density than the truth is uniform likewise, and the region
of the densest 68% of the samples holds the truth in 68% of the events.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.unfolding.quality.observables import Variable
from partonic.unfolding.quality.ranks import rank_of_truth

__all__ = ["density_ranks", "distance_ranks", "joint_distance_ranks"]


def distance_ranks(
    truth: Float[Tensor, "events variables"],
    samples: Float[Tensor, "events samples variables"],
    variables: Sequence[Variable],
    generator: torch.Generator,
) -> Int[Tensor, "events variables"]:
    """Return for each variable how many samples are closer to a random reference value than the truth."""
    truth, samples = _from_reference(truth, samples, variables, generator)
    return rank_of_truth(truth.abs(), samples.abs(), generator)


def joint_distance_ranks(
    truth: Float[Tensor, "events variables"],
    samples: Float[Tensor, "events samples variables"],
    variables: Sequence[Variable],
    generator: torch.Generator,
) -> Int[Tensor, "events"]:
    """Return how many samples are closer to a random reference point than the truth, in all variables together.

    Distances are Euclidean, each variable in units of its range.
    """
    truth, samples = _from_reference(truth, samples, variables, generator)
    return rank_of_truth(truth.norm(dim=-1, keepdim=True), samples.norm(dim=-1, keepdim=True), generator)[:, 0]


def density_ranks(
    truth: Float[Tensor, "events"], samples: Float[Tensor, "events samples"], generator: torch.Generator
) -> Int[Tensor, "events"]:
    """Return how many samples have a larger density than the truth, given log q of both."""
    return rank_of_truth(-truth[:, None], -samples[..., None], generator)[:, 0]


def _from_reference(
    truth: Tensor, samples: Tensor, variables: Sequence[Variable], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    low = torch.tensor([variable.low for variable in variables], dtype=truth.dtype)
    width = torch.tensor([variable.high - variable.low for variable in variables], dtype=truth.dtype)
    reference = torch.rand(truth.shape, generator=generator, dtype=truth.dtype)
    return (truth - low) / width - reference, (samples - low) / width - reference[:, None]
