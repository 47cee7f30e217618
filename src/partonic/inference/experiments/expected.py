"""Expected limits from an Asimov sample: every simulated event counts with its expected number at some θ.

The likelihood of such a sample is the mean over all pseudo-experiments, so its intervals are those of a typical one; no
random number is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partonic.inference.experiments.pool import Pool
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.intervals import Interval, asymptotic_intervals
from partonic.inference.likelihood.scan import Scan
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["ExpectedLimits", "asimov_likelihood", "expected_limits"]


@dataclass(frozen=True)
class ExpectedLimits:
    """What a typical experiment at one θ would find.

    Attributes:
        theta: where the sample is made.
        events: expected number of events.
        best: fit of the Asimov sample; it is at θ but for the fluctuation of the pool.
        curves: scan of each parameter.
        intervals: of each parameter, one for each level.
    """

    theta: Mapping[str, float]
    events: float
    best: BestFit
    curves: Mapping[str, Scan]
    intervals: Mapping[str, tuple[Interval, ...]]


def asimov_likelihood(setup: Setup, pool: Pool, theta: Mapping[str, float]) -> ExtendedLikelihood:
    """Return the likelihood of the Asimov sample at θ; constraints are centred on what is true there."""
    truth = setup.mixture.point(theta)
    sample = pool.source(setup.mixture, truth).asimov()
    return setup.likelihood(pool, sample.weights, sample.without_coefficients)


def expected_limits(
    setup: Setup,
    pool: Pool,
    theta: Mapping[str, float],
    levels: Sequence[float] = (0.68, 0.95),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    points: int = 21,
) -> ExpectedLimits:
    """Return the intervals of the Asimov sample at θ.

    Args:
        setup: signal, backgrounds and parameters; `interest` are those that get an interval.
        pool: simulated events.
        theta: true θ, by name; 0 where not named.
        levels: confidence levels.
        ranges: of the scans, by parameter; by default as wide as needed.
        points: of each scan.

    Raises:
        InferenceError: if the fit fails.
    """
    likelihood = asimov_likelihood(setup, pool, theta)
    best = fit(likelihood, setup.mixture.point(theta), verify=False)
    curves, intervals = {}, {}
    for name in setup.interest:
        limits = (ranges or {}).get(name)
        curves[name], intervals[name] = asymptotic_intervals(likelihood, best, name, levels, limits, points)
    return ExpectedLimits(dict(theta), likelihood.total, best, curves, intervals)
