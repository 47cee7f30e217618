"""The integrand: a value that is not finite stops the generation and is named."""

import pytest
import torch
from tests.generation.toy_process import ToyProcess

from partonic.errors import NonFiniteError
from partonic.generation.integrand import ProcessIntegrand, evaluate

SM = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def test_nan_names_the_point() -> None:
    points = torch.full((3, 7), 0.5, dtype=torch.float64)
    points[1, 0] = 0.25
    with pytest.raises(NonFiniteError, match=r"not finite at 1 of 3 points.*the point \[0\.25, 0\.5,"):
        ProcessIntegrand(ToyProcess(broken=0.3), SM)(points)


def test_batches_change_nothing(torch_rng: torch.Generator) -> None:
    points = torch.rand((45_000, 2), generator=torch_rng, dtype=torch.float64)
    assert torch.equal(evaluate(lambda batch: batch.prod(dim=1), points), points.prod(dim=1))
