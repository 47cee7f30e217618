"""The learning rate of each step: one cycle, exponential decay, or decay on a plateau."""

import math
from dataclasses import dataclass

from partonic.nn.training.settings import PhaseSettings

__all__ = ["Plateau", "learning_rate", "one_cycle"]

WARM_UP = 0.1
"""Part of a cycle in which the rate rises."""

START, END = 0.04, 1e-3
"""First and last rate of a cycle, relative to its largest."""


def learning_rate(settings: PhaseSettings, epoch: int, progress: float, plateau: "Plateau") -> float:
    """Return the learning rate of a step.

    Args:
        settings: of the phase.
        epoch: number of the epoch, from 0.
        progress: part of all steps of the phase that is done, in [0, 1].
        plateau: state of the schedule ``plateau``.
    """
    if settings.schedule == "one_cycle":
        return settings.learning_rate * one_cycle(progress)
    if settings.schedule == "exponential":
        return settings.learning_rate * settings.decay**epoch
    return settings.learning_rate * plateau.factor


def one_cycle(progress: float) -> float:
    """Return the rate relative to its largest: a linear warm-up, then half a cosine (L. N. Smith, arXiv:1708.07120)."""
    if progress < WARM_UP:
        return START + (1.0 - START) * progress / WARM_UP
    fall = (progress - WARM_UP) / (1.0 - WARM_UP)
    return END + (1.0 - END) * 0.5 * (1.0 + math.cos(math.pi * min(fall, 1.0)))


@dataclass
class Plateau:
    """Epochs without improvement, and what the learning rate is multiplied by because of them."""

    factor: float = 1.0
    """Present factor."""

    waited: int = 0
    """Epochs without improvement since the last change."""

    def after_epoch(self, improved: bool, settings: PhaseSettings) -> None:
        """Take note of one more epoch."""
        self.waited = 0 if improved else self.waited + 1
        if self.waited > settings.plateau_patience:
            self.factor *= settings.decay
            self.waited = 0
