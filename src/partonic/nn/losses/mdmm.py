"""Losses held below targets while another is minimised: the modified differential method of multipliers.

Minimise f subject to g_i ≤ 0, g_i = value_i − target_i, by descending in the weights and ascending in one multiplier
λ_i ≥ 0 for each constraint (J. Platt, A. Barr, "Constrained differential optimization", NIPS 1987; damping c: their
section 3). The slack variable that turns an upper bound into an equality is minimised in closed form, which gives
the augmented Lagrangian of R. T. Rockafellar (J. Optim. Theory Appl. 12 (1973) 555),

    L = f + Σ_i [max(0, λ_i + c_i g_i)² − λ_i²] / (2 c_i) .

Its gradient in the weights is ∇f + Σ_i max(0, λ_i + c_i g_i) ∇g_i; that in λ_i is max(g_i, −λ_i/c_i), so that a
constraint that holds pulls nothing and its multiplier decays to exactly 0. Without damping, L = f + Σ_i λ_i g_i. At the
optimum λ_i is the price of the constraint, −df/d(target_i).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Balance", "MaxConstraint", "Multipliers"]


@dataclass(frozen=True)
class MaxConstraint:
    """A loss that shall be at most `target`."""

    target: float
    """Largest value allowed."""

    damping: float = 10.0
    """Strength c of the quadratic term, in inverse units of the value; 0 for none."""

    def __post_init__(self) -> None:
        if not self.damping >= 0.0:
            raise ValueError(f"the damping of a constraint must not be negative, got {self.damping}")


@dataclass(frozen=True)
class Balance:
    """The main loss and its constraints, put together."""

    total: Float[Tensor, ""]
    """What the weights descend and the multipliers ascend."""

    pulls: dict[str, Float[Tensor, ""]]
    """max(0, λ + c g): how strongly each constraint pulls at this step."""


class Multipliers(nn.Module):
    """One Lagrange multiplier for each constraint, raised by gradient ascent while the constraint is violated."""

    def __init__(self, constraints: Mapping[str, MaxConstraint]) -> None:
        """Start with all multipliers at zero.

        Args:
            constraints: by name; the names are those of the values given to `forward`.
        """
        super().__init__()
        self.constraints = dict(constraints)
        self.multiplier = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in self.constraints})

    @classmethod
    def with_targets(cls, targets: Mapping[str, float | None], damping: float = 10.0) -> "Multipliers":
        """Return multipliers for upper targets, all with the same damping; targets that are None are left out."""
        return cls({name: MaxConstraint(value, damping) for name, value in targets.items() if value is not None})

    def forward(self, main: Float[Tensor, ""], values: Mapping[str, Float[Tensor, ""]]) -> Balance:
        """Return the augmented Lagrangian; values without a constraint of that name are ignored.

        Args:
            main: the loss that is minimised.
            values: by name, the losses that are held below their targets.

        Raises:
            ValueError: if a constraint has no value.
        """
        missing = sorted(self.constraints.keys() - values.keys())
        if missing:
            raise ValueError(f"the constraints {missing} have no value; values were given for {sorted(values)}")
        total, pulls = main, {}
        for name, constraint in self.constraints.items():
            multiplier, violation, damping = self.multiplier[name], values[name] - constraint.target, constraint.damping
            if damping == 0.0:
                pulls[name] = multiplier
                total = total + multiplier * violation
            else:
                pulls[name] = torch.relu(multiplier + damping * violation)
                total = total + (pulls[name] ** 2 - multiplier**2) / (2.0 * damping)
        return Balance(total, {name: pull.detach() for name, pull in pulls.items()})

    def optimizer(self, rate: float) -> torch.optim.SGD:
        """Return the gradient ascent in the multipliers; call `clamp` after each of its steps.

        Args:
            rate: step in λ for one unit of violation. Against a damping c, rate/c is the inverse of the number of steps
                within which a multiplier follows; rates above c are unstable.
        """
        return torch.optim.SGD(list(self.multiplier.parameters()), lr=rate, maximize=True)

    def clamp(self) -> None:
        """Bring multipliers that a step made negative back to zero."""
        with torch.no_grad():
            for multiplier in self.multiplier.parameters():
                multiplier.clamp_(min=0.0)

    def current(self) -> dict[str, float]:
        """Return the multipliers by name."""
        return {name: float(multiplier) for name, multiplier in self.multiplier.items()}
