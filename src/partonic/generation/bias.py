"""Biased generation: events that follow g(z) dσ instead of dσ, with weights ∝ 1/g.

A selection that one event in fifty passes wastes most of the showers. With a bias 0 < g ≤ 1 that is small where few
events pass, more of the events are worth their shower. The weights are exact: sums of them over any region are
unbiased, only their errors change.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.generation import BiasConfig, PowerBiasConfig
from partonic.errors import GenerationError
from partonic.physics.process import PartonEvents, Process

__all__ = ["Bias", "EventBias", "no_bias"]

Bias = Callable[[PartonEvents], Float[Tensor, " events"]]
"""g of each event, in (0, 1]."""


def no_bias(events: PartonEvents) -> Float[Tensor, " events"]:
    """Return g = 1."""
    return torch.ones_like(events.x1)


@dataclass(frozen=True)
class EventBias:
    """The bias of an analysis file.

    Attributes:
        config: which bias.
        bottoms: rows of the b and b̄ quarks among the final-state particles.
    """

    config: BiasConfig
    bottoms: tuple[int, ...]

    @classmethod
    def of(cls, config: BiasConfig | None, process: Process) -> Bias:
        """Return the bias of `config` for `process`.

        Raises:
            GenerationError: if the process has no two b quarks.
        """
        if config is None:
            return no_bias
        bottoms = tuple(row for row, particle in enumerate(process.final_state) if abs(particle.pdg_id) == 5)
        if len(bottoms) != 2:
            raise GenerationError(
                f"generation.bias: the pT of the harder and the softer b quark need two of them, the final state of "
                f"'{process.name}' has {len(bottoms)}; leave the bias out"
            )
        return cls(config, bottoms)

    def __call__(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return g of each event."""
        transverse = events.momenta[:, list(self.bottoms), 1:3].square().sum(dim=-1).sqrt()
        result = torch.ones_like(events.x1)
        for config, pt in (
            (self.config.softer_b_pt, transverse.amin(dim=1)),
            (self.config.harder_b_pt, transverse.amax(dim=1)),
        ):
            if config is not None:
                result = result * _power(config, pt)
        return result


def _power(config: PowerBiasConfig, pt: Tensor) -> Tensor:
    return config.floor + (1.0 - config.floor) * (pt / config.scale).pow(config.power).clamp(max=1.0)
