"""The classical integral of events: assignments ranked, each integrated by VEGAS, and summed."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import NonFiniteError, ParameterError
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.classical.assignment_weights import assignment_table
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.integrand import AssignmentIntegrand, coefficients_of, stand_in
from partonic.mem.classical.observed import observed_event, why_not
from partonic.mem.classical.options import ClassicalOptions
from partonic.mem.classical.ranking import Ranking, rank_assignments
from partonic.mem.classical.transfer import TransferFunctions
from partonic.mem.classical.vegas_integral import AdaptedVegas, VegasSums, sums
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.progress import SILENT, Progress
from partonic.rng import numpy_generator

__all__ = ["ClassicalIntegrator", "EventIntegral", "as_coefficients"]

Array = NDArray[np.float64]

_NOTHING_FITS = "no assignment of jets to quarks is kinematically possible"
_ALL_ZERO = "the integrand vanished at all points"
_DEFAULT = ClassicalOptions()


@dataclass(frozen=True)
class EventIntegral:
    """The integral of one event.

    Attributes:
        status: ``"ok"``, or why there is none.
        values: P_a(x) in pb per unit of x (GeV, radians and units of η), `(A,)`; NaN if there is none.
        covariance: of the P_a, `(A, A)`.
        effective_sample_size: (Σw)²/Σw² of the points of the final pass.
        largest_weight_share: share of the largest of them.
        points: evaluations of the integrand, adaptation included.
        assignments: number of assignments of jets to quarks that were integrated.
        neglected: estimated share of P_0 of the assignments that were not.
        seconds: processor time, which other programs on the machine do not disturb.
    """

    status: str
    values: Array
    covariance: Array
    effective_sample_size: float
    largest_weight_share: float
    points: int
    assignments: int
    neglected: float
    seconds: float


class ClassicalIntegrator:
    """P_a(x) of semileptonic events under one hypothesis.

    Attributes:
        hypothesis: process and masses.
        transfer: the transfer functions.
        options: how much work an event is worth.
    """

    def __init__(
        self, hypothesis: TopPairHypothesis, transfer: TransferFunctions, options: ClassicalOptions = _DEFAULT
    ) -> None:
        self.hypothesis = hypothesis
        self.transfer = transfer
        self.options = options

    def integrate(
        self, reco: RecoEvents, event_id: NDArray[np.int64], seed: int, progress: Progress = SILENT
    ) -> EventCoefficients:
        """Return the coefficients of events.

        Args:
            reco: the events.
            event_id: their numbers, `(N,)`.
            seed: root seed; each event has random numbers of its own, which do not depend on the others.
            progress: told of events.

        Raises:
            ParameterError: if there is not one number for each event.
        """
        return as_coefficients(self.hypothesis, event_id, self.integrals(reco, event_id, seed, progress))

    def integrals(
        self, reco: RecoEvents, event_id: NDArray[np.int64], seed: int, progress: Progress = SILENT
    ) -> list[EventIntegral]:
        """Return the integrals of events with time, neglected share and all; arguments as in `integrate`."""
        if len(event_id) != len(reco):
            raise ParameterError(f"expected one number for each of {len(reco)} events, got {len(event_id)}")
        results = []
        progress.start("classical matrix element", len(reco), "events")
        for index, number in enumerate(event_id):
            generator = numpy_generator(seed, "classical", self.hypothesis.process.name, int(number))
            results.append(self._event(reco, index, generator))
            progress.advance(1)
        progress.finish()
        return results

    def _event(self, reco: RecoEvents, index: int, generator: np.random.Generator) -> EventIntegral:
        start = time.process_time()
        status = why_not(reco, index, self.options.jets_min)
        if status != OK:
            return self._none(status, start)
        event = observed_event(reco, index)
        options, resonant = self.options, self.hypothesis.resonant
        table = assignment_table(event, self.transfer, resonant, options.max_jets, options.max_lost)
        limits = (options.max_assignments, options.neglected_share)
        ranking = rank_assignments(event, table, self.hypothesis, self.transfer, limits)
        if not len(ranking.kept):
            return self._none(_NOTHING_FITS, start)
        parts = [AssignmentIntegrand(event, table, int(row), self.hypothesis, self.transfer) for row in ranking.kept]
        try:
            with torch.no_grad():
                return self._integrated(parts, generator, ranking, start)
        except NonFiniteError as error:  # of one event: the others can do without it
            return self._none(str(error), start)

    def _adapted(self, part: AssignmentIntegrand, generator: np.random.Generator) -> AdaptedVegas:
        def function(x: Array) -> Array:
            values: Array = stand_in(part.partons(torch.from_numpy(x))).numpy()
            return values

        points = self.options.adaptation_points * (part.dimensions - 3)
        return AdaptedVegas(function, part.dimensions, generator, self.options.adaptation_iterations, points)

    def _pass(self, parts: list[AssignmentIntegrand], grids: list[AdaptedVegas], plan: Array) -> list[VegasSums]:
        """Integrate all assignments with new points, `plan` of them for each."""
        drawn = [grid.points(int(number)) for grid, number in zip(grids, plan, strict=True)]
        partons = [part.partons(torch.from_numpy(points.x)) for part, points in zip(parts, drawn, strict=True)]
        values = coefficients_of(partons, self.hypothesis)
        return [sums(points, value.numpy()) for points, value in zip(drawn, values, strict=True)]

    def _integrated(
        self, parts: list[AssignmentIntegrand], generator: np.random.Generator, ranking: Ranking, start: float
    ) -> EventIntegral:
        """Adapt, learn from a pilot which assignments need how many points, and integrate."""
        grids = [self._adapted(part, generator) for part in parts]
        pilot = self._pass(parts, grids, np.full(len(parts), float(self.options.pilot_points)))
        spreads = np.array([part.spread for part in pilot])
        if not (spreads > 0.0).any():
            return self._none(_ALL_ZERO, start)
        # A tenth of the points in equal shares: the pilot may have missed what an assignment is worth.
        plan = self.options.points * (0.9 * spreads / spreads.sum() + 0.1 / len(grids))
        spent = sum(grid.evaluations for grid in grids) + sum(len(part.contributions) for part in pilot)
        return self._result(self._pass(parts, grids, plan), spent, ranking, start)

    def _result(self, parts: list[VegasSums], spent: int, ranking: Ranking, start: float) -> EventIntegral:
        contributions = np.concatenate([part.contributions for part in parts])
        total = contributions.sum()
        if not total > 0.0:
            return self._none(_ALL_ZERO, start)
        return EventIntegral(
            status=OK,
            values=np.sum([part.values for part in parts], axis=0),
            covariance=np.sum([part.covariance for part in parts], axis=0),
            effective_sample_size=float(total**2 / np.square(contributions).sum()),
            largest_weight_share=float(contributions.max() / total),
            points=spent + len(contributions),
            assignments=len(parts),
            neglected=ranking.neglected,
            seconds=time.process_time() - start,
        )

    def _none(self, status: str, start: float) -> EventIntegral:
        count = len(self.hypothesis.process.monomials)
        nothing = np.full(count, np.nan), np.full((count, count), np.nan)
        return EventIntegral(status, *nothing, math.nan, math.nan, 0, 0, math.nan, time.process_time() - start)


def as_coefficients(
    hypothesis: TopPairHypothesis, event_id: NDArray[np.int64], integrals: list[EventIntegral]
) -> EventCoefficients:
    """Return integrals as coefficients: ratios to P_0 with their covariance, which is linear in the errors."""
    count = len(hypothesis.process.monomials)
    values = np.array([integral.values for integral in integrals]).reshape(-1, count)
    covariance = np.array([integral.covariance for integral in integrals]).reshape(-1, count, count)
    reference = values[:, 0]
    ratios = values / reference[:, None]
    # Of P_a − R_a P_0, to first order.
    to_ratios = (np.eye(count) - ratios[:, :, None] * np.eye(count)[0]) / reference[:, None, None]
    of_ratios = to_ratios @ covariance @ to_ratios.transpose(0, 2, 1)
    diagonal = np.arange(count)
    of_ratios[:, diagonal, diagonal] = np.maximum(of_ratios[:, diagonal, diagonal], 0.0)  # rounding of exact ratios
    return EventCoefficients(
        monomials=hypothesis.process.monomials,
        event_id=event_id,
        ratios=ratios,
        log_reference=np.log(reference),
        covariance=of_ratios,
        status=tuple(integral.status for integral in integrals),
        relative_error=np.sqrt(covariance[:, 0, 0]) / reference,
        source="classical",
        diagnostics=IntegralDiagnostics(
            np.array([integral.effective_sample_size for integral in integrals], dtype=np.float64),
            np.array([integral.largest_weight_share for integral in integrals], dtype=np.float64),
            np.array([integral.points for integral in integrals], dtype=np.int64),
        ).record(),
    )
