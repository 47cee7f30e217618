import torch

from partonic.export.elimination import eliminated


def test_the_solution_is_that_of_the_solver(torch_rng: torch.Generator) -> None:
    """Of symmetric positive definite matrices with diagonals from 10⁻⁶ to 10⁶."""
    factors = torch.randn(2, 50, 12, 6, generator=torch_rng, dtype=torch.float64)
    scale = 10.0 ** torch.linspace(-3.0, 3.0, 6, dtype=torch.float64)
    matrix = (factors.transpose(-1, -2) @ factors) * scale[:, None] * scale
    right = torch.randn(2, 50, 6, generator=torch_rng, dtype=torch.float64) * scale
    exact = torch.linalg.solve(matrix, right)
    found = eliminated(matrix, right)
    assert float(((found - exact) / exact.abs().amax(dim=(0, 1))).abs().max()) < 1e-10


def test_one_equation(torch_rng: torch.Generator) -> None:
    matrix = torch.rand(4, 1, 1, generator=torch_rng, dtype=torch.float64) + 0.5
    torch.testing.assert_close(eliminated(matrix, 2.0 * matrix[..., 0]), torch.full((4, 1), 2.0, dtype=torch.float64))
