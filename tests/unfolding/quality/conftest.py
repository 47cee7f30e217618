"""Events with a posterior that is known exactly."""

from collections.abc import Callable

import pytest
import torch
from tests.unfolding.quality.gaussian_posterior import Posterior, evaluated

from partonic.unfolding.quality import EvaluatedEvents


@pytest.fixture
def make_events(torch_rng: torch.Generator) -> Callable[..., EvaluatedEvents]:
    """Return a maker of events: ``make_events(1000, 99, Posterior(scale=0.7))``."""

    def make(events: int, samples: int = 49, model: Posterior | None = None) -> EvaluatedEvents:
        return evaluated(events, samples, model or Posterior(), torch_rng)

    return make
