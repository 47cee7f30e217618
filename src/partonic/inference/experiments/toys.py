"""Intervals from pseudo-experiments: the Neyman construction with the likelihood ratio (Feldman and Cousins).

At each value of a parameter, pseudo-experiments with that value as the truth, the other parameters at their profile,
give the distribution of q at the truth; its quantile takes the place of the asymptotic threshold. Near a boundary of
what the data can say, e.g. for a coupling that enters squared, the asymptotic threshold is too large or too small, and
this one is right. (Feldman and Cousins, "Unified approach to the classical statistical analysis of small signals",
physics/9711021; nuisance parameters at their profile as in the hybrid resampling of Chuang and Lai.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from partonic.inference.experiments.pool import Pool
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan, run_study
from partonic.inference.likelihood.fit import BestFit
from partonic.inference.likelihood.intervals import Interval, crossings
from partonic.inference.likelihood.scan import Scan, profile
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["ToyIntervals", "threshold_of_toys", "toy_intervals"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ToyIntervals:
    """Intervals of one parameter from pseudo-experiments.

    Attributes:
        name: of the parameter.
        values: where pseudo-experiments were made, `(M,)`.
        critical: quantiles of q there, one row for each level, `(levels, M)`.
        valid: experiments with a maximum at each value, `(M,)`.
        intervals: one for each level.
    """

    name: str
    values: Array
    critical: Array
    valid: NDArray[np.int64]
    intervals: tuple[Interval, ...]


def toy_intervals(
    setup: Setup,
    pool: Pool,
    likelihood: ExtendedLikelihood,
    best: BestFit,
    curve: Scan,
    plan: Plan,
    points: int = 15,
    levels: Sequence[float] = (0.68, 0.95),
) -> ToyIntervals:
    """Return the interval of the parameter that `curve` scans.

    Args:
        setup: what the experiments have in common.
        pool: events to draw from.
        likelihood: of the data.
        best: its best fit.
        curve: scan of the data over the range of interest.
        plan: how many experiments at each value, and where.
        points: values of the parameter.
        levels: confidence levels.

    Raises:
        InferenceError: if no value is within the interval.
    """
    number = setup.mixture.index(curve.name)
    values = np.linspace(curve.values[0], curve.values[-1], points)
    truths = [profile(likelihood, {number: float(value)}, best.maxima).phi for value in values]
    single = replace(setup, interest=(curve.name,))
    outcomes = run_study(single, pool, truths, plan)
    valid = [each.q[each.valid, 0] for each in outcomes]
    critical = np.array([[threshold_of_toys(q, level) for q in valid] for level in levels])
    intervals = tuple(
        crossings(curve.name, curve.values, curve.profiled, level, critical=np.interp(curve.values, values, row),
                  kind="toys", period=float(setup.mixture.periods[number]))
        for level, row in zip(levels, critical, strict=True)
    )  # fmt: skip
    return ToyIntervals(curve.name, values, critical, np.array([len(q) for q in valid]), intervals)


def threshold_of_toys(q: Array, level: float) -> float:
    """Return the threshold that a fraction `level` of the toys with these q is below; infinite if there is none."""
    return float(np.quantile(q, level)) if len(q) else float("inf")
