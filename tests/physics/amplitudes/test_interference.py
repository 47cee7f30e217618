"""The expansion of |M_0 + Σ θ_k M_k|² in monomials."""

import torch

from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients, squared_at
from partonic.polynomial import Monomials


def test_coefficients_reproduce_the_square_at_any_parameters(torch_rng):
    amplitudes = torch.randn(4, 2, 3, 50, generator=torch_rng, dtype=torch.complex128)
    monomials = Monomials.up_to_degree(("a", "b", "c"), 2)
    theta = torch.tensor([0.3, -1.2, 2.5], dtype=torch.float64)
    couplings = torch.cat([torch.ones(1, dtype=torch.float64), theta])
    expected = torch.einsum("i,iabn->abn", couplings.to(amplitudes.dtype), amplitudes).abs().square().sum(dim=(0, 1))
    interference = interference_matrix(amplitudes)
    values = quadratic_coefficients(interference, monomials) @ torch.as_tensor(monomials.evaluate(theta.numpy()))
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(squared_at(interference, theta), expected)


def test_square_at_a_perfect_cancellation_is_not_negative(torch_rng):
    amplitude = torch.randn(1, 4, 1000, generator=torch_rng, dtype=torch.complex128)
    interference = interference_matrix(torch.cat([amplitude, amplitude / 3.0]))
    values = squared_at(interference, torch.tensor([-3.0], dtype=torch.float64))
    assert (values >= 0).all()
    assert values.max() < 1e-14 * interference[0, 0].max()
