"""The discrepancy of two samples: unbiased, against its exact value for Gaussians, with weights and in groups."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.nn.losses import SCALES, mmd, multiscale_kernel


def mean_kernel(shift: float, deviations: tuple[float, ...], scales: tuple[float, ...] = SCALES) -> float:
    """E k(x, y) when the components of x − y are independent Gaussians, the first of mean `shift`.

    With a²/(a² + d²) = ∫₀^∞ exp(−t (1 + d²/a²)) dt the mean is a product of Gaussian integrals under one integral.
    """
    total = 0.0
    for a in scales:

        def integrand(t: float, a: float = a) -> float:
            widths = [1.0 + 2.0 * t * deviation**2 / a**2 for deviation in deviations]
            return math.exp(-t - t * (shift / a) ** 2 / widths[0]) / math.sqrt(math.prod(widths))

        total += quad(integrand, 0.0, np.inf, epsabs=1e-13, epsrel=1e-11)[0]
    return total


def exact_mmd(shift: float, sigma_x: float, sigma_y: float, dimensions: int) -> float:
    """MMD² between N((0, ...), σ_x²) and N((shift, 0, ...), σ_y²)."""
    within = [mean_kernel(0.0, (math.sqrt(2.0) * sigma,) * dimensions) for sigma in (sigma_x, sigma_y)]
    return sum(within) - 2.0 * mean_kernel(shift, (math.hypot(sigma_x, sigma_y),) * dimensions)


def by_loops(x: Tensor, y: Tensor, weights_x: Tensor, weights_y: Tensor, unbiased: bool) -> Tensor:
    """The definition, pair by pair."""

    def mean(first: Tensor, second: Tensor, v: Tensor, w: Tensor, skip: bool) -> Tensor:
        pairs = [(i, j) for i in range(len(first)) for j in range(len(second)) if not (skip and i == j)]
        total = sum(v[i] * w[j] * multiscale_kernel(((first[i] - second[j]) ** 2).sum()) for i, j in pairs)
        return total / sum(v[i] * w[j] for i, j in pairs)

    within = mean(x, x, weights_x, weights_x, unbiased) + mean(y, y, weights_y, weights_y, unbiased)
    return within - 2.0 * mean(x, y, weights_x, weights_y, False)


@pytest.mark.parametrize("unbiased", [True, False])
def test_value_and_gradient_are_those_of_the_definition(torch_rng: torch.Generator, unbiased: bool) -> None:
    x, y = torch.randn(7, 3, generator=torch_rng).double(), torch.randn(5, 3, generator=torch_rng).double() + 0.3
    weights = torch.rand(7, generator=torch_rng).double(), torch.rand(5, generator=torch_rng).double()
    x.requires_grad_(), y.requires_grad_()
    value = mmd(x, y, weights_x=weights[0], weights_y=weights[1], unbiased=unbiased)
    expected = by_loops(x, y, *weights, unbiased=unbiased)
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-13)
    gradients = torch.autograd.grad(value, (x, y))
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, (x, y)), rtol=1e-10, atol=1e-12)


def test_blocks_of_rows_do_not_change_the_sum(torch_rng: torch.Generator) -> None:
    """200 rows are four blocks of a CPU; the definition with whole matrices needs none."""
    x, y = torch.randn(200, 4, generator=torch_rng).double(), torch.randn(150, 4, generator=torch_rng).double()
    kernels = [multiscale_kernel(torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist") ** 2)
               for a, b in ((x, x), (y, y), (x, y))]  # fmt: skip
    within = [(kernel.sum() - kernel.diagonal().sum()) / (len(kernel) * (len(kernel) - 1)) for kernel in kernels[:2]]
    torch.testing.assert_close(mmd(x, y), sum(within) - 2.0 * kernels[2].mean(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("shift", "sigma_y", "dimensions"), [(0.0, 1.0, 1), (0.5, 1.0, 1), (0.3, 0.8, 4)])
@pytest.mark.parametrize("size", [2, 16])
def test_mean_over_batches_of_any_size_is_the_exact_value(
    torch_rng: torch.Generator, shift: float, sigma_y: float, dimensions: int, size: int
) -> None:
    batches = 1200 if size == 2 else 300
    offset = torch.tensor([shift] + [0.0] * (dimensions - 1), dtype=torch.float64)
    values = torch.stack([
        mmd(torch.randn(size, dimensions, generator=torch_rng).double(),
            sigma_y * torch.randn(size, dimensions, generator=torch_rng).double() + offset)
        for _ in range(batches)
    ])  # fmt: skip
    error = float(values.std() / math.sqrt(batches))
    assert error < (0.1 if size == 2 else 0.03)  # with self-pairs kept the mean would be larger by 7/size
    assert abs(float(values.mean()) - exact_mmd(shift, 1.0, sigma_y, dimensions)) < 3.5 * error


def test_biased_statistic_exceeds_the_exact_value_by_its_known_bias(torch_rng: torch.Generator) -> None:
    """With self-pairs kept, E = MMD² + (k(0) − E k(x, x′))/n + the same in y."""
    size, batches = 16, 400
    values = torch.stack([
        mmd(*torch.randn(2, size, 1, generator=torch_rng).double(), unbiased=False) for _ in range(batches)
    ])  # fmt: skip
    bias = 2.0 * (len(SCALES) - mean_kernel(0.0, (math.sqrt(2.0),))) / size
    error = float(values.std() / math.sqrt(batches))
    assert error < 0.03 * bias
    assert abs(float(values.mean()) - bias) < 3.5 * error


def test_groups_are_unbiased_and_use_all_events(torch_rng: torch.Generator) -> None:
    exact = exact_mmd(0.4, 1.0, 1.0, 2)
    pooled, first_group = [], []
    for _ in range(150):
        x, y = torch.randn(2, 300, 2, generator=torch_rng).double()
        y = y + torch.tensor([0.4, 0.0])
        pooled.append(mmd(x, y, group=50))
        first_group.append(mmd(x[:50], y[:50]))
    values = torch.stack(pooled)
    error = float(values.std() / math.sqrt(150))
    assert abs(float(values.mean()) - exact) < 3.5 * error
    assert float(values.std()) < 0.55 * float(torch.stack(first_group).std())  # six groups: 1/√6 = 0.41


def test_group_is_the_mean_of_its_parts(torch_rng: torch.Generator) -> None:
    x, y = torch.randn(2, 100, 2, generator=torch_rng).double()
    parts = torch.stack([mmd(x[i : i + 25], y[i : i + 25]) for i in range(0, 100, 25)])
    torch.testing.assert_close(mmd(x, y, group=25), parts.mean())
    torch.testing.assert_close(mmd(x, y, group=200), mmd(x, y))


def test_mask_is_the_same_as_leaving_events_out(torch_rng: torch.Generator) -> None:
    x, y = torch.randn(2, 60, 3, generator=torch_rng).double()
    mask_x, mask_y = (torch.rand(2, 60, generator=torch_rng) > 0.4).double()
    x.requires_grad_()
    value = mmd(x, y, weights_x=mask_x, weights_y=mask_y)
    torch.testing.assert_close(value, mmd(x[mask_x > 0], y[mask_y > 0]))
    (gradient,) = torch.autograd.grad(value, x)
    assert (gradient[mask_x == 0] == 0).all()
    assert (gradient[mask_x > 0] != 0).any(1).all()


def test_weights_reweight_one_density_to_another(torch_rng: torch.Generator) -> None:
    """Events of N(0, 1) weighted by N(s, 1)/N(0, 1) = exp(s x − s²/2) are distributed like N(s, 1)."""
    shift, values = 0.5, []
    for _ in range(150):
        x, y = torch.randn(2, 200, 1, generator=torch_rng).double()
        weights = torch.exp(shift * x[:, 0] - 0.5 * shift**2)
        values.append(mmd(x, y + shift, weights_x=weights))
    mean, error = torch.stack(values).mean(), torch.stack(values).std() / math.sqrt(150)
    assert float(error) < 0.1 * exact_mmd(shift, 1.0, 1.0, 1)
    assert abs(float(mean)) < 3.5 * float(error)


def test_float32_agrees_with_float64_far_from_the_origin(torch_rng: torch.Generator) -> None:
    x, y = torch.randn(2, 256, 13, generator=torch_rng) + 100.0
    assert abs(float(mmd(x, y)) - float(mmd(x.double(), y.double()))) < 2e-5


def test_reduced_precision_and_autocast_compute_in_float32(torch_rng: torch.Generator) -> None:
    x, y = torch.randn(2, 64, 3, generator=torch_rng)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mmd(x, y), mmd(x, y))
        inside = mmd(x, y)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, mmd(x, y))
    assert mmd(x.bfloat16(), y).dtype == torch.float32


def test_gradient_descent_on_it_moves_one_sample_onto_the_other(torch_rng: torch.Generator) -> None:
    x, y = torch.randn(2, 512, 2, generator=torch_rng)
    shift, width = torch.full((2,), 1.0, requires_grad=True), torch.full((2,), 0.5, requires_grad=True)
    optimizer = torch.optim.Adam([shift, width], lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        mmd(width * x + shift, y).backward()
        optimizer.step()
    assert float(shift.detach().abs().max()) < 0.15  # the means of 512 events differ by 0.06
    assert float((width.detach() - 1.0).abs().max()) < 0.15


def test_too_few_events_are_refused() -> None:
    x = torch.zeros(1, 2)
    with pytest.raises(ValueError, match="got 1 and 5"):
        mmd(x, torch.zeros(5, 2))
    with pytest.raises(NonFiniteError, match="non-zero weight"):
        mmd(torch.zeros(3, 2), torch.zeros(5, 2), weights_x=torch.tensor([1.0, 0.0, 0.0]))
