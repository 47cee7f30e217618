"""The integrals P_a(x) = ∫ dz [dσ/dz]_a ε(z) p_T(x|z) of a batch of events, all a from the same points.

Every event gets rounds of points, which double their number, until its error is small enough or its points are used up;
events that are done leave the batch. Each has random numbers of its own, and rounds of the same sizes, so that its
result depends (but for rounding) neither on the other events nor on how many are worked on together.

The estimate is the mean of the weights of all points. With a heavy tail of weights (few effective points, a large share
of one) both the estimate and its error tend to be too small until the tail is met: see
`partonic.mem.integral.diagnostics`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.config.mem import MemConfig, PointsConfig
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.mem.integral.integrand import Ingredients, PartonIntegrand
from partonic.mem.integral.moments import WeightMoments
from partonic.mem.integral.status import (
    ALL_WEIGHTS_ZERO,
    DOMINATED,
    NOT_POSITIVE,
    OUTSIDE_SUPPORT,
    TRANSFER_ZERO,
    UNUSABLE,
    ZERO_ACCEPTANCE,
)
from partonic.mem.points.unit_cube_points import PointSource, point_source
from partonic.mem.uncertainty.chosen_points import ChosenPoints
from partonic.mem.uncertainty.sampled_coefficients import NetworkPair, sampled_coefficients
from partonic.mem.uncertainty.weight_draws import drawn_ingredients
from partonic.rng import torch_generator

__all__ = ["Convergence", "EventIntegrator", "StatesFaults", "round_sizes"]

_FEWEST_BLOCKS = 8
"""Blocks before an error, which is their scatter, is looked at."""

_FAULTS = (OUTSIDE_SUPPORT, ZERO_ACCEPTANCE, TRANSFER_ZERO)


@runtime_checkable
class StatesFaults(Protocol):
    """A proposal that says which events it cannot handle."""

    def status(self, x: RecoEvents) -> tuple[str, ...]:
        """Return for each event ``"ok"`` or what is wrong with it."""


class Convergence(NamedTuple):
    """The state of a batch after a round.

    Attributes:
        points: points of each event by now, `(E,)`.
        log_reference: log P_0 by now, `(E,)`; NaN where it is not positive.
        relative_error: of P_0, `(E,)`.
        effective_sample_size: `(E,)`.
    """

    points: NDArray[np.int64]
    log_reference: NDArray[np.float64]
    relative_error: NDArray[np.float64]
    effective_sample_size: NDArray[np.float64]


@dataclass
class _Batch:
    """A batch of events at work."""

    x: RecoEvents
    event_id: NDArray[np.int64]
    status: list[str]
    moments: WeightMoments
    factors: Tensor
    points: Tensor
    rows: list[int]
    chosen: ChosenPoints | None = None


class EventIntegrator:
    """Integrates events with given ingredients and settings."""

    def __init__(self, ingredients: Ingredients, config: MemConfig, seed: int) -> None:
        """Prepare; `seed` is the root seed.

        Raises:
            ModelError: if sets of weights are asked for of networks that have none.
        """
        self.ingredients = ingredients
        self.config = config
        self.seed = seed
        self.integrand = PartonIntegrand(ingredients, config.points.at_once)
        self.drawn = drawn_ingredients(ingredients, config.weight_samples)

    def integrate(
        self, x: RecoEvents, event_id: NDArray[np.int64], history: list[Convergence] | None = None
    ) -> EventCoefficients:
        """Return the coefficients of some events.

        Args:
            x: the reconstructed events.
            event_id: their numbers, from which, with the root seed, their random numbers follow.
            history: a list to append the state after every round to.

        Raises:
            NonFiniteError: if a factor of the integrand is NaN, or infinite.
            ConfigError: if the proposal does not allow for the base numbers asked for.
        """
        batch = self._begin(x, event_id)
        self._choose_points(batch)
        name = self.ingredients.process.name
        generators = [torch_generator(self.seed, "mem", name, int(number)) for number in event_id]
        source = point_source(self.ingredients.proposal, self.config.base, self.config.points, generators)
        for points in source.refinements:
            self._round(batch, source, points, refine=True)
        for points in round_sizes(self.config.points, source.block):
            if not batch.rows:
                break
            self._round(batch, source, points)
            if history is not None:
                history.append(_state(batch))
            batch.rows = [row for row, done in zip(batch.rows, self._done(batch), strict=True) if not done]
        return self._with_samples(batch, self._result(batch))

    def _begin(self, x: RecoEvents, event_id: NDArray[np.int64]) -> _Batch:
        proposal, events = self.ingredients.proposal, len(x)
        status = list(proposal.status(x)) if isinstance(proposal, StatesFaults) else [OK] * events
        return _Batch(
            x=x,
            event_id=event_id,
            status=status,
            moments=WeightMoments(events, len(self.ingredients.process.monomials)),
            factors=torch.zeros((events, 3), dtype=torch.float64),
            points=torch.zeros(events, dtype=torch.int64),
            rows=[row for row, word in enumerate(status) if word == OK],
        )

    def _round(self, batch: _Batch, source: PointSource, points: int, *, refine: bool = False) -> None:
        """Give each event that is not done so many points, some events at a time."""
        size = max(self.config.points.at_once // points, 1)
        for begin in range(0, len(batch.rows), size):
            self._some_events(batch, source, batch.rows[begin : begin + size], points, refine)
        batch.rows = [row for row in batch.rows if batch.status[row] == OK]

    def _some_events(self, batch: _Batch, source: PointSource, rows: Sequence[int], points: int, refine: bool) -> None:
        x = batch.x.select(torch.tensor(rows))
        with self.integrand.clock("proposal"):
            drawn = source.draw(x, rows, points)
        good = ~(drawn.log_density.isnan() | drawn.numbers.isnan().any(dim=-1)).any(dim=1)
        for place in (~good).nonzero()[:, 0].tolist():
            batch.status[rows[place]] = UNUSABLE
        index = torch.tensor(rows)[good]
        if not len(index):
            return
        values = self.integrand(
            x.select(good), batch.event_id[index.numpy()], drawn.numbers[good], drawn.log_density[good]
        )
        batch.points[index] += points
        if refine:
            kept = drawn._replace(noise=drawn.noise[good])
            source.refine(index.tolist(), kept, values.log_reference_weight())
            return
        batch.factors[index] += values.factors
        batch.moments.add(index, values.log_weight, values.coefficients, source.block)
        if batch.chosen is not None:
            batch.chosen.add(index, drawn.numbers[good], values.log_weight, values.coefficients)

    def _done(self, batch: _Batch) -> list[bool]:
        """Return which of the events at work have a small enough error."""
        points = self.config.points
        if points.relative_error is None:
            return [False] * len(batch.rows)
        moments = batch.moments
        errors = moments.relative_error() if points.target == "reference" else moments.ratio_error()
        small = (errors <= points.relative_error) & (moments.blocks >= _FEWEST_BLOCKS)
        return [bool(done) for done in small[batch.rows]]

    def _result(self, batch: _Batch) -> EventCoefficients:
        moments = batch.moments
        status = tuple(self._final_status(batch, row) for row in range(len(batch.status)))
        bad = torch.tensor([word != OK for word in status], dtype=torch.bool)
        ratios, covariance, log_reference, error = (
            values.masked_fill(bad.view(-1, *[1] * (values.dim() - 1)), torch.nan).numpy()
            for values in (
                moments.ratios(), moments.ratio_covariance(), moments.log_reference(), moments.relative_error()
            )
        )  # fmt: skip
        return EventCoefficients(
            monomials=self.ingredients.process.monomials,
            event_id=batch.event_id,
            ratios=ratios,
            log_reference=log_reference + np.log(self.ingredients.branching_fraction),
            covariance=covariance,
            status=status,
            relative_error=error,
            source="mem",
            diagnostics=IntegralDiagnostics(
                moments.effective_sample_size().numpy(), moments.largest_share().numpy(), batch.points.numpy()
            ).record(),
        )

    def _choose_points(self, batch: _Batch) -> None:
        """Keep points of the integrals for the sets of weights, if there are any."""
        if not self.drawn:
            return
        name, monomials = self.ingredients.process.name, len(self.ingredients.process.monomials)
        generators = [torch_generator(self.seed, "mem", name, int(number), "chosen") for number in batch.event_id]
        batch.chosen = ChosenPoints(len(batch.x), monomials, self.config.weight_sample_points, generators)

    def _with_samples(self, batch: _Batch, found: EventCoefficients) -> EventCoefficients:
        """Add the coefficients of all sets of weights, if there are any."""
        if batch.chosen is None:
            return found
        good = torch.from_numpy(found.usable())
        pairs = [NetworkPair(each.transfer, each.acceptance) for each in (self.ingredients, *self.drawn)]
        rows = good.nonzero()[:, 0]
        with self.integrand.clock("weight_samples"):
            sampled = sampled_coefficients(
                batch.x.select(good), batch.chosen.kept(rows), self.ingredients.proposal.view, pairs[0], pairs[1:],
                (found.ratios[good.numpy()], found.log_reference[good.numpy()]),
            )  # fmt: skip
        return sampled.of(found)

    def _final_status(self, batch: _Batch, row: int) -> str:
        if batch.status[row] != OK:
            return batch.status[row]
        if bool(batch.moments.positive()[row]):
            is_dominated = float(batch.moments.largest_share()[row]) > self.config.dominated.limit
            return DOMINATED if is_dominated and self.config.dominated.policy == "exclude" else OK
        for fault, count in zip(_FAULTS, batch.factors[row].tolist(), strict=True):
            if not count:
                return fault
        return NOT_POSITIVE if float(batch.moments.total[row]) > 0 else ALL_WEIGHTS_ZERO


def round_sizes(points: PointsConfig, block: int = 1) -> tuple[int, ...]:
    """Return the points of each round: the first, then as many as there were, up to the largest number.

    Args:
        points: settings.
        block: rounds are whole blocks, the first `_FEWEST_BLOCKS` or more where that many fit.
    """
    maximum = points.maximum - points.maximum % block
    total, sizes = 0, []
    goal = min(max(points.first, _FEWEST_BLOCKS * block), maximum)
    while total < maximum:
        goal = min(goal - goal % block, maximum)
        sizes.append(goal - total)
        total, goal = goal, 2 * goal
    return tuple(sizes)


def _state(batch: _Batch) -> Convergence:
    moments = batch.moments
    return Convergence(
        batch.points.numpy().copy(),
        moments.log_reference().numpy(),
        moments.relative_error().numpy(),
        moments.effective_sample_size().numpy(),
    )
