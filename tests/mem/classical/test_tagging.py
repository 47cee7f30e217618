"""b-tag probabilities: complementary, and recovered by the fit."""

import pytest
import torch

from mem.classical.toys import transfer
from partonic.errors import ModelError, TrainingError
from partonic.mem.classical.tagging import TagProbability, fit_tags


def test_tagged_and_not_tagged_add_up_to_one() -> None:
    tags = transfer().tags
    pt = torch.tensor([35.0, 100.0, 300.0], dtype=torch.float64)
    yes, no = (tags.probability(pt, torch.full((3,), tagged)) for tagged in (True, False))
    torch.testing.assert_close(yes + no, torch.ones((3, 3), dtype=torch.float64))
    assert (yes[:, 0] > yes[:, 1]).all()
    assert (yes[:, 1] > yes[:, 2]).all()


def test_fit_recovers_the_probabilities(torch_rng: torch.Generator) -> None:
    n = 60_000
    truth = transfer().tags
    pt = 30.0 + 200.0 * torch.rand(n, generator=torch_rng, dtype=torch.float64)
    column = torch.randint(3, (n,), generator=torch_rng)
    of_jet = truth.probability(pt, torch.ones(n, dtype=torch.bool)).gather(1, column[:, None])[:, 0]
    tagged = torch.rand(n, generator=torch_rng, dtype=torch.float64) < of_jet
    fitted = fit_tags(pt, torch.tensor([5, 4, 0])[column], tagged)
    at = torch.tensor([40.0, 100.0, 200.0], dtype=torch.float64)
    yes = torch.ones(3, dtype=torch.bool)
    expected = truth.probability(at, yes)
    error = (expected * (1.0 - expected) / (n / 3 / 10)).sqrt()  # about a tenth of the jets of a flavour are near
    assert error.max() < 0.015
    assert ((fitted.probability(at, yes) - expected).abs() < 4.0 * error).all()


def test_fit_needs_every_flavour() -> None:
    pt = torch.full((60,), 50.0, dtype=torch.float64)
    with pytest.raises(TrainingError, match="b tag of c jets needs 50 jets"):
        fit_tags(pt, torch.full((60,), 5), torch.ones(60, dtype=torch.bool))


def test_json_and_finite_numbers() -> None:
    tags = transfer().tags
    torch.testing.assert_close(TagProbability.from_json(tags.as_json()).coefficients, tags.coefficients)
    with pytest.raises(ModelError, match="must be finite"):
        TagProbability(torch.full((3, 3), torch.nan).double())
