"""Losses held below targets while another is minimised: the modified differential method of multipliers.

Minimise f subject to g_i ≤ 0, g_i = value_i − target_i, by descending in the weights and ascending in one multiplier
λ_i ≥ 0 for each constraint (J. Platt, A. Barr, "Constrained differential optimization", NIPS 1987; damping c: their
section 3). The slack variable that turns an upper bound into an equality is minimised in closed form, which gives
the augmented Lagrangian of R. T. Rockafellar (J. Optim. Theory Appl. 12 (1973) 555),

    L = f + Σ_i [max(0, λ_i + c_i g_i)² − λ_i²] / (2 c_i) .

Its gradient in the weights is ∇f + Σ_i max(0, λ_i + c_i g_i) ∇g_i; that in λ_i is max(g_i, −λ_i/c_i): a
constraint that always held has λ_i = 0 and pulls nothing, and where one comes to hold its multiplier decays.
Without damping, L = f + Σ_i λ_i g_i. At the optimum λ_i is the price of the constraint, −df/d(target_i).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["MaxConstraint", "Multipliers"]


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


class Multipliers(nn.Module):
    """One Lagrange multiplier for each constraint, raised by gradient ascent while the constraint is violated.

    The multipliers are buffers: they belong to the saved state, but no optimizer of the weights touches them.
    """

    multiplier: Tensor

    def __init__(self, constraints: Mapping[str, MaxConstraint]) -> None:
        """Start with all multipliers at zero.

        Args:
            constraints: by name; the names are those of the values given to `forward`.
        """
        super().__init__()
        self.constraints = dict(constraints)
        self.register_buffer("multiplier", torch.zeros(len(self.constraints), dtype=torch.float64))

    @classmethod
    def with_targets(cls, targets: Mapping[str, float | None], damping: float = 10.0) -> "Multipliers":
        """Return multipliers for upper targets, all with the same damping; targets that are None are left out."""
        return cls({name: MaxConstraint(value, damping) for name, value in targets.items() if value is not None})

    def forward(self, main: Float[Tensor, ""], values: Mapping[str, Float[Tensor, ""]]) -> Float[Tensor, ""]:
        """Return the augmented Lagrangian that the weights descend; values without a constraint are ignored.

        Args:
            main: the loss that is minimised.
            values: by name, the losses that are held below their targets.

        Raises:
            ValueError: if a constraint has no value.
        """
        self._check(values)
        total, multipliers = main, self.multiplier.to(main).unbind()
        for (name, constraint), multiplier in zip(self.constraints.items(), multipliers, strict=True):
            violation, damping = values[name] - constraint.target, constraint.damping
            if damping == 0.0:
                total = total + multiplier * violation
            else:
                total = total + (torch.relu(multiplier + damping * violation) ** 2 - multiplier**2) / (2.0 * damping)
        return total

    def ascend(self, values: Mapping[str, float], rate: float) -> None:
        """Raise each multiplier by rate × max(g, −λ/c), its gradient, and keep it from falling below zero.

        Args:
            values: by name, the losses of this step.
            rate: step in λ for one unit of violation. With a damping c a multiplier follows within c/rate steps;
                rates above c are unstable.

        Raises:
            ValueError: if a constraint has no value.
        """
        self._check(values)
        for number, (name, constraint) in enumerate(self.constraints.items()):
            present, slope = float(self.multiplier[number]), float(values[name]) - constraint.target
            if constraint.damping > 0.0:
                slope = max(slope, -present / constraint.damping)
            self.multiplier[number] = max(0.0, present + rate * slope)

    def current(self) -> dict[str, float]:
        """Return the multipliers by name."""
        return dict(zip(self.constraints, self.multiplier.tolist(), strict=True))

    def _check(self, values: Mapping[str, object]) -> None:
        missing = sorted(self.constraints.keys() - values.keys())
        if missing:
            raise ValueError(f"the constraints {missing} have no value; values were given for {sorted(values)}")
