"""Whether intervals from pseudo-experiments cover: the Neyman construction of `toys`, repeated for many data sets.

An interval holds the truth exactly if q there is at most the threshold there, which is the quantile of q in toys with
the tested parameter at the truth and the others at their profile in the data (Chuang and Lai, "Hybrid resampling
methods for confidence intervals", Statistica Sinica 10 (2000) 1). So for each data set toys at one point are enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.experiments.coverage import Fraction
from partonic.inference.experiments.pool import Pool
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan, run_study
from partonic.inference.experiments.toys import threshold_of_toys

__all__ = ["ToyCoverage", "toy_coverage"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ToyCoverage:
    """Coverage of intervals from toys of one parameter at one point.

    Attributes:
        name: of the parameter.
        theta: true values of the theory parameters.
        experiments: data sets.
        toys: of each data set.
        coverage: by level.
        threshold: by level, median of the thresholds over the data sets; asymptotically 0.99 and 3.84.
    """

    name: str
    theta: Mapping[str, float]
    experiments: int
    toys: int
    coverage: Mapping[str, Fraction]
    threshold: Mapping[str, float]


def toy_coverage(
    setup: Setup,
    pool: Pool,
    name: str,
    point: Mapping[str, float],
    plan: Plan,
    toys: int,
    levels: Sequence[float] = (0.68, 0.95),
) -> ToyCoverage:
    """Draw data sets at a point, and toys for each of them; return how often their intervals hold the truth.

    Args:
        setup: what data sets and toys have in common.
        pool: events that both are drawn from.
        name: of the parameter whose intervals are looked at; the others are profiled.
        point: true θ, by name.
        plan: how many data sets, and where; `output` is one of two files that finished chunks are kept beside.
        toys: number for each data set.
        levels: confidence levels.

    Raises:
        InferenceError: if no data set could be fitted.
    """
    single = replace(setup, interest=(name,))
    truth = setup.mixture.point(point)
    data = run_study(single, pool, [truth], plan)[0]
    rows = np.flatnonzero(data.valid)
    if not len(rows):
        raise InferenceError(f"none of {len(data.valid)} pseudo-experiments at {dict(point)} has a maximum")
    apart = replace(single, seed=setup.seed + 1)  # or the toys would be the data sets
    of_toys = replace(plan, experiments=toys, output=plan.output.with_name(plan.output.name + ".toys"))
    outcomes = run_study(apart, pool, [data.profiles[row] for row in rows], of_toys)
    q = data.q[rows, 0]
    thresholds = {
        f"{level:g}": np.array([threshold_of_toys(each.q[each.valid, 0], level) for each in outcomes])
        for level in levels
    }
    return ToyCoverage(
        name=name,
        theta={each: float(truth[setup.mixture.index(each)]) for each in setup.mixture.theory},
        experiments=len(rows),
        toys=toys,
        coverage={level: Fraction.of(int((q <= found).sum()), len(q)) for level, found in thresholds.items()},
        threshold={level: float(np.median(found)) for level, found in thresholds.items()},
    )
