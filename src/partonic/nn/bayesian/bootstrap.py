"""Bootstrap samples of the training events, one for each member of an ensemble.

Members that are trained on the same events agree on what these events have by chance, whatever keeps their weights
apart. In a bootstrap sample each group of events (copies of one parton event) is there as often as a Poisson number of
mean 1 says (B. Efron, Ann. Statist. 7 (1979) 1; with Poisson numbers N. Oza, S. Russell, AISTATS 2001). The scatter of
members that are trained on samples of their own is the error of one network from the number of training events, with
the correlation of all that is learned from the same events.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.rng import numpy_generator

__all__ = ["bootstrap_weights"]


def bootstrap_weights(
    group: NDArray[np.int64], members: int, seed: int, purpose: str = "sbi"
) -> Float[Tensor, "events members"]:
    """Return how often each member has each event, float32; equal for events of one group.

    Args:
        group: of the events, `(N,)`.
        members: number M of members.
        seed: root seed; a member has the same sample whatever the number of the others.
        purpose: name of what is trained, so that others have other samples.
    """
    names, number = np.unique(group, return_inverse=True)
    generators = [numpy_generator(seed, purpose, "bootstrap", member) for member in range(members)]
    counts = [generator.poisson(1.0, len(names)) for generator in generators]
    return torch.from_numpy(np.stack(counts, axis=1)[number].astype(np.float32))
