"""A posterior that is known exactly: truth and samples come from the same Gaussian in the logits of the numbers."""

import math
from dataclasses import dataclass

import torch

from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.quality import EvaluatedEvents, PartonDensity
from partonic.unfolding.view import PartonView

VIEW = PartonView.of("hard", TthConfig())
CENTRE = torch.tensor([-1.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
"""Mean logits of the numbers: a typical mass is far below the largest possible one."""


@dataclass(frozen=True)
class Posterior:
    """Of a fake model: the width of its samples in units of the true one, and how far they are off, in true widths."""

    scale: float = 1.0
    shift: float = 0.0
    width: float = 0.3


def momenta(logits: torch.Tensor) -> torch.Tensor:
    numbers = torch.sigmoid(logits)
    partons, _ = VIEW.partons(numbers.reshape(-1, VIEW.dimensions))
    return partons.momenta.reshape(*logits.shape[:-1], 3, 4)


def density(logits: torch.Tensor, centre: torch.Tensor, model: Posterior) -> PartonDensity:
    """Partons with the density that the model gives them."""
    width = model.scale * model.width
    pulls = (logits - centre - model.shift * model.width) / width
    log_normal = -0.5 * pulls.square() - math.log(width * math.sqrt(2.0 * math.pi))
    numbers = torch.sigmoid(logits)
    log_density = (log_normal - torch.log(numbers * (1.0 - numbers))).sum(dim=-1)
    return PartonDensity(momenta(logits), numbers, log_density)


def evaluated(events: int, samples: int, model: Posterior, generator: torch.Generator) -> EvaluatedEvents:
    centre = CENTRE + 0.7 * torch.randn(events, 7, generator=generator, dtype=torch.float64)
    noise = torch.randn(events, samples + 1, 7, generator=generator, dtype=torch.float64)
    truth = centre + model.width * noise[:, 0]
    drawn = centre[:, None] + model.width * (model.shift + model.scale * noise[:, 1:])
    regressed = momenta(centre)
    return EvaluatedEvents(
        multiplicity=4 + torch.randint(0, 5, (events,), generator=generator),
        summary=centre[:, :2],
        sum_p_z=0.8 * momenta(truth).sum(dim=1)[:, 3],
        regressed=regressed,
        regressed_p_z=regressed.sum(dim=1)[:, 3],
        regressed_numbers=torch.sigmoid(centre),
        truth=density(truth, centre, model),
        samples=density(drawn, centre[:, None], model),
    )
