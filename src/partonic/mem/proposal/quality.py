"""How well a proposal covers the truth: the share of held-out events within its regions of given content.

For each event, points are drawn from q(u|x) and ordered by density. Where q is the posterior of the events, the truth
is among the densest 68% of the points in 68% of the events (`partonic.unfolding.quality`).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.rng import torch_generator
from partonic.unfolding.decay_channel.network import DecayChannelConditions, DecayChannelNetwork
from partonic.unfolding.quality import coverage
from partonic.unfolding.quality.regions import density_ranks

__all__ = ["ProposalCoverage", "proposal_coverage"]

_SAMPLES = 99
_EVENTS = 5_000


@dataclass(frozen=True)
class ProposalCoverage:
    """Shares of events in the regions of highest density that should hold 68% and 95% of them.

    Attributes:
        low, high: the shares.
        events: number of events.
    """

    low: float
    high: float
    events: int

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of the two shares if q is the posterior."""
        low, high = (math.sqrt(level * (1.0 - level) / self.events) for level in (0.68, 0.95))
        return low, high

    def __str__(self) -> str:
        """Return the shares in percent, with their errors."""
        low, high = self.errors
        return (
            f"coverage {100 * self.low:.1f} ± {100 * low:.1f}% of 68%, {100 * self.high:.1f} ± {100 * high:.1f}% of 95%"
        )


@torch.no_grad()
def proposal_coverage(
    model: DecayChannelNetwork,
    numbers: Float[Tensor, "events dimensions"],
    conditions: DecayChannelConditions,
    seed: int = 0,
) -> ProposalCoverage:
    """Return the coverage on events that the model was not trained on, at most 5000 of them.

    Args:
        model: the networks.
        numbers: true numbers, in the frame of each event.
        conditions: of the same events.
        seed: root seed of the points drawn.
    """
    numbers, conditions = numbers[:_EVENTS], conditions.map(lambda part: part[:_EVENTS])
    generator = torch_generator(seed, "proposal coverage")
    noise = torch.randn((len(numbers), _SAMPLES, numbers.shape[1]), generator=generator) * model.flow.base_scale
    _, log_slope = model.transport(conditions, noise)
    drawn = model.flow.flow.base_log_prob(noise).double() + log_slope
    truth = model.log_density(numbers, conditions)
    # Points beyond the faces of the cube are no points of it: behind all others.
    ranks = density_ranks(truth, drawn.masked_fill(torch.isposinf(log_slope), -torch.inf), generator).numpy()
    low, high = coverage(ranks, _SAMPLES, np.array([0.68, 0.95]))
    return ProposalCoverage(float(low), float(high), len(numbers))
