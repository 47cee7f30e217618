"""Solvers of ordinary differential equations dy/dt = v(t, y) for many events at once, with gradients through the steps.

The gradient is that of the numbers as computed (discretise, then optimise); the lengths of adaptive steps count as
constants in it. All events take the same steps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.generative import SolverConfig
from partonic.errors import NonFiniteError, ParameterError

__all__ = ["Solution", "Velocity", "solve", "solve_adaptive", "solve_fixed"]

Velocity = Callable[[Tensor, Tensor], Tensor]
"""v of a time, a scalar tensor, and states `(N, K)`."""


@dataclass(frozen=True)
class Solution:
    """The state at the end, and what it took.

    Attributes:
        state: `(N, K)`.
        evaluations: of the velocity.
        steps: that were taken.
        rejected: steps that were too long and were done again.
        error: sum over the steps of their estimated errors, root mean square over the numbers of an event, `(N,)`; None
            where the method estimates none.
    """

    state: Float[Tensor, "events numbers"]
    evaluations: int
    steps: int
    rejected: int = 0
    error: Float[Tensor, " events"] | None = None


def solve(
    velocity: Velocity, state: Float[Tensor, "events numbers"], start: float, stop: float, config: SolverConfig
) -> Solution:
    """Solve from the time `start` to `stop`, which may be earlier, as the settings say.

    Raises:
        NonFiniteError: if the state does not stay finite.
        ParameterError: if an adaptive solver needs more evaluations than it may use.
    """
    if config.method == "rk4":
        return solve_fixed(velocity, state, start, stop, config.steps)
    return solve_adaptive(velocity, state, start, stop, config.tolerance, config.max_evaluations)


def solve_fixed(
    velocity: Velocity, state: Float[Tensor, "events numbers"], start: float, stop: float, steps: int
) -> Solution:
    """Solve by the classical Runge–Kutta formula of order 4 (W. Kutta, Z. Math. Phys. 46 (1901) 435) in equal steps.

    Raises:
        NonFiniteError: if the state does not stay finite.
    """
    step = (stop - start) / steps
    for number in range(steps):
        time = start + number * step
        middle, end = (_time(value, state) for value in (time + 0.5 * step, time + step))
        first = velocity(_time(time, state), state)
        second = velocity(middle, state + 0.5 * step * first)
        third = velocity(middle, state + 0.5 * step * second)
        fourth = velocity(end, state + step * third)
        state = state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
    _check_finite(state, stop)
    return Solution(state, 4 * steps, steps)


_NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_WEIGHTS = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERRORS = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
"""The pair of J. R. Dormand and P. J. Prince, J. Comp. Appl. Math. 6 (1980) 19; the last stage is the next first."""

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
"""Next step: so much below the one that would just do, and by such factors at most."""


def solve_adaptive(
    velocity: Velocity,
    state: Float[Tensor, "events numbers"],
    start: float,
    stop: float,
    tolerance: float,
    max_evaluations: int = 5_000,
) -> Solution:
    """Solve by the pair of Dormand and Prince, the result of order 5, with steps such that no event errs too much.

    A step is taken if for every event the root mean square over its numbers of error/(1 + |y|) is below the tolerance.

    Raises:
        NonFiniteError: if the state does not stay finite.
        ParameterError: if it needs more than `max_evaluations` evaluations.
    """
    time, step, span = start, 0.05 * (stop - start), stop - start
    first, evaluations, steps, rejected = velocity(_time(start, state), state), 1, 0, 0
    total = state.detach().new_zeros(len(state))
    while abs(stop - time) > 1e-12 * abs(span):
        step = math.copysign(min(abs(step), abs(stop - time)), span)
        if evaluations + 6 > max_evaluations or abs(step) < 1e-9 * abs(span):
            raise ParameterError(
                f"the solver came to t = {time:g} on its way from {start:g} to {stop:g} with {evaluations} evaluations "
                f"and steps of {abs(step):.1e}: raise its tolerance ({tolerance:g}) or `max_evaluations`"
            )
        stages, after = _stages(velocity, time, step, state, first)
        evaluations += 6
        error = step * _combined(_ERRORS, [stage.detach() for stage in stages])
        largest = _relative(error, state, after) / tolerance
        if largest <= 1.0:
            time, state, first, steps = time + step, after, stages[-1], steps + 1
            total += error.square().mean(dim=1).sqrt()
        else:
            rejected += 1
        wanted = _SAFETY * largest**-0.2 if 0.0 < largest < math.inf else (_GROW if largest == 0.0 else _SHRINK)
        step *= min(_GROW, max(_SHRINK, wanted))
    _check_finite(state, stop)
    return Solution(state, evaluations, steps, rejected, total)


def _stages(velocity: Velocity, time: float, step: float, state: Tensor, first: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the seven velocities of a step, and the state after it."""
    stages, after = [first], state
    for node, weights in zip(_NODES[1:], _WEIGHTS[1:], strict=True):
        after = state + step * _combined(weights, stages)
        stages.append(velocity(_time(time + node * step, state), after))
    return stages, after


def _combined(weights: Sequence[float], stages: Sequence[Tensor]) -> Tensor:
    terms = [weight * stage for weight, stage in zip(weights, stages, strict=True) if weight]
    return torch.stack(terms).sum(dim=0)


def _relative(error: Tensor, before: Tensor, after: Tensor) -> float:
    """Return the largest error of an event; inf where something is not finite, so that the step is done again."""
    if not len(error):
        return 0.0
    size = 1.0 + torch.maximum(before.detach().abs(), after.detach().abs())
    largest = float((error / size).square().mean(dim=1).sqrt().amax())
    return largest if math.isfinite(largest) else math.inf


def _time(value: float, like: Tensor) -> Tensor:
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def _check_finite(state: Tensor, stop: float) -> None:
    if not bool(torch.isfinite(state).all()):
        broken = int((~torch.isfinite(state)).any(dim=1).sum())
        raise NonFiniteError(
            f"{broken} of {len(state)} events are not finite at t = {stop:g}: take more steps, or the adaptive solver"
        )
