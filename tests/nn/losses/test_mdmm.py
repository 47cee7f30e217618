"""Constraints by multipliers: convex problems whose optimum and multipliers are known."""

import pytest
import torch
from torch import Tensor

from partonic.nn.losses import MaxConstraint, Multipliers


def solve(multipliers: Multipliers, start: Tensor, main: object, values: object, steps: int = 600) -> Tensor:
    """Descend in x and ascend in the multipliers."""
    x = start.clone().requires_grad_()
    for _ in range(steps):
        present = values(x)
        (gradient,) = torch.autograd.grad(multipliers(main(x), present), x)
        multipliers.ascend({name: float(value.detach()) for name, value in present.items()}, 0.5)
        with torch.no_grad():
            x -= 0.05 * gradient
    return x.detach()


@pytest.mark.parametrize("damping", [0.0, 1.0, 10.0])
def test_reaches_the_constraint_with_the_known_multiplier(damping: float) -> None:
    """Minimise x² with 1 − x ≤ 0: x = 1 and λ = 2; written as a value 3 − x with target 2."""
    multipliers = Multipliers({"line": MaxConstraint(2.0, damping)})
    x = solve(multipliers, torch.tensor(-1.0, dtype=torch.float64), lambda x: x**2, lambda x: {"line": 3.0 - x})
    assert float(x) == pytest.approx(1.0, abs=1e-6)
    assert multipliers.current()["line"] == pytest.approx(2.0, abs=1e-5)


def test_two_constraints_of_which_one_is_active() -> None:
    """Minimise |x − (2, 1)|² with |x|² ≤ 1 and x_2 ≤ 3: x = (2, 1)/√5 and λ = √5 − 1; the second is inactive."""
    multipliers = Multipliers.with_targets({"disc": 1.0, "line": 3.0, "unused": None}, damping=2.0)
    goal = torch.tensor([2.0, 1.0], dtype=torch.float64)
    x = solve(
        multipliers,
        torch.zeros(2).double(),
        lambda x: ((x - goal) ** 2).sum(),
        lambda x: {"disc": (x**2).sum(), "line": x[1]},
    )
    torch.testing.assert_close(x, goal / 5**0.5, rtol=0, atol=1e-6)
    assert multipliers.current()["disc"] == pytest.approx(5**0.5 - 1.0, abs=1e-5)
    assert multipliers.current()["line"] == 0.0


def test_multiplier_is_the_price_of_the_constraint() -> None:
    """λ = −df/d(target): minimum x² with 1/x ≤ t at x = 1/t, f = 1/t², λ = 2/t³."""
    for target in (0.8, 1.25):
        multipliers = Multipliers({"inverse": MaxConstraint(target, 3.0)})
        solve(
            multipliers,
            torch.tensor(2.0, dtype=torch.float64),
            lambda x: x**2,
            lambda x: {"inverse": 1.0 / x},
            steps=900,
        )
        assert multipliers.current()["inverse"] == pytest.approx(2.0 / target**3, rel=1e-4)


@pytest.mark.parametrize("damping", [0.0, 10.0])
def test_constraint_that_holds_pulls_nothing(damping: float) -> None:
    multipliers = Multipliers({"a": MaxConstraint(1.0, damping)})
    x = torch.tensor(0.5, requires_grad=True)
    total = multipliers(x**2, {"a": x, "other": x**3})
    total.backward()
    multipliers.ascend({"a": 0.5}, 0.5)
    assert multipliers.current() == {"a": 0.0}
    assert x.grad is not None
    assert float(x.grad) == 1.0
    assert float(total.detach()) == 0.25


def test_multiplier_decays_to_zero_once_the_constraint_holds() -> None:
    multipliers = Multipliers({"a": MaxConstraint(1.0, 10.0)})
    multipliers.multiplier.fill_(4.0)
    for _ in range(200):
        multipliers.ascend({"a": 0.9}, 1.0)
    assert multipliers.current() == {"a": pytest.approx(0.0, abs=1e-6)}


def test_step_of_a_multiplier_is_the_gradient_of_the_lagrangian() -> None:
    """In λ, for a violated constraint, one that holds a little, and one that holds by far."""
    for value in (1.4, 0.9, 0.1):
        multipliers = Multipliers({"a": MaxConstraint(1.0, 3.0)})
        multipliers.multiplier = torch.tensor([0.6], dtype=torch.float64).requires_grad_()
        total = multipliers(torch.tensor(0.0, dtype=torch.float64), {"a": torch.tensor(value, dtype=torch.float64)})
        (slope,) = torch.autograd.grad(total, multipliers.multiplier)
        multipliers.multiplier = torch.tensor([0.6], dtype=torch.float64)
        multipliers.ascend({"a": value}, 0.25)
        assert multipliers.current()["a"] == pytest.approx(0.6 + 0.25 * float(slope), abs=1e-12)


def test_state_survives_saving() -> None:
    first, second = (Multipliers.with_targets({"a": 1.0, "b": 2.0}) for _ in range(2))
    first.multiplier[1] = 0.7
    second.load_state_dict(first.state_dict())
    assert second.current() == {"a": 0.0, "b": pytest.approx(0.7)}


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\['b'\] have no value; values were given for \['a'\]"):
        Multipliers.with_targets({"a": 1.0, "b": 2.0})(torch.tensor(0.0), {"a": torch.tensor(0.0)})
    with pytest.raises(ValueError, match="damping"):
        MaxConstraint(1.0, damping=-1.0)
