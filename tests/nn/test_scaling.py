"""Standardisation over real objects, in batches or at once, and back."""

import pytest
import torch

from partonic.errors import NonFiniteError, TrainingError
from partonic.nn.scaling import MaskedStandardiser


@pytest.fixture
def sample(torch_rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.randn(400, 6, 3, generator=torch_rng) * torch.tensor([5.0, 0.01, 1.0])
    values = values + torch.tensor([100.0, -3.0, 0.5])
    mask = torch.rand(400, 6, generator=torch_rng) > 0.3
    values[~mask] = float("nan")
    return values, mask


def test_real_objects_have_mean_0_and_deviation_1(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, mask = sample
    standardiser = MaskedStandardiser(3, unscaled=[2])
    standardiser.fit(values, mask)
    scaled = standardiser(values.double(), mask)
    assert scaled.dtype == torch.float64
    real = scaled[mask]
    torch.testing.assert_close(real.mean(0)[:2], torch.zeros(2).double(), rtol=0, atol=1e-9)
    torch.testing.assert_close(real.std(0, correction=0)[:2], torch.ones(2).double(), rtol=1e-9, atol=0)
    assert torch.equal(real[:, 2], values[mask][:, 2].double())
    assert (scaled[~mask] == 0).all()


def test_batches_give_the_same_as_all_at_once(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, mask = sample
    once, batched = MaskedStandardiser(3), MaskedStandardiser(3)
    once.fit(values, mask)
    parts = [(values[i : i + 37], mask[i : i + 37]) for i in range(0, 400, 37)]
    batched.fit_batches([*parts, (values[:2], torch.zeros_like(mask[:2]))])
    torch.testing.assert_close(batched.mean, once.mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(batched.deviation, once.deviation, rtol=1e-12, atol=0)


def test_inverse_gives_the_features_back(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, mask = sample
    standardiser = MaskedStandardiser(3)
    standardiser.fit(values, mask)
    back = standardiser.inverse(standardiser(values, mask), mask)
    torch.testing.assert_close(back[mask], values[mask], rtol=1e-6, atol=1e-6)
    assert (back[~mask] == 0).all()


def test_gradient_of_padding_is_zero_and_finite(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, mask = sample
    values = torch.where(mask[..., None], values, torch.full_like(values, 1e30)).requires_grad_()
    standardiser = MaskedStandardiser(3)
    standardiser(values, mask).sum().backward()
    assert values.grad is not None
    assert (values.grad[~mask] == 0).all()
    assert (values.grad[mask] == 1).all()


def test_a_feature_that_never_varies_is_only_shifted() -> None:
    standardiser = MaskedStandardiser(2)
    values = torch.tensor([[[0.1, 1.0]], [[0.1, 3.0]]])
    standardiser.fit(values, torch.ones(2, 1, dtype=torch.bool))
    torch.testing.assert_close(standardiser(values, torch.ones(2, 1, dtype=torch.bool))[:, 0, 0], torch.zeros(2))


def test_is_saved_with_the_network(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    first, second = MaskedStandardiser(3), MaskedStandardiser(3)
    first.fit(*sample)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(*sample), second(*sample))


def test_mistakes_are_named(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, mask = sample
    standardiser = MaskedStandardiser(3)
    with pytest.raises(TrainingError, match="at least one real object"):
        standardiser.fit(values, torch.zeros_like(mask))
    with pytest.raises(NonFiniteError, match=r"features \[0, 1, 2\]"):
        standardiser.fit(values, torch.ones_like(mask))
    with pytest.raises(ValueError, match=r"\[3\] are not among them"):
        MaskedStandardiser(3, unscaled=[3])
