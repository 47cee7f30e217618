"""Whether intervals cover: fractions of pseudo-experiments whose interval holds the truth, pulls, and biases.

A pool of finite size has its own fluctuation, common to all experiments drawn from it: it shifts the mean of θ̂ by an
amount that more experiments do not reduce. Its size follows from the scatter of the scores over the events of the pool.
Where the rate is that of the same events, the shift that the pool gives the shape and the one that it gives the rate
compensate, and what is left is the scatter of the difference between the estimated score and the true one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.experiments.pool import Pool, Source
from partonic.inference.experiments.pseudo_experiments import Outcomes, Setup
from partonic.inference.experiments.study import Plan, run_study
from partonic.inference.likelihood.intervals import threshold
from partonic.inference.likelihood.mixture import Mixture

__all__ = ["Fraction", "ParameterCoverage", "PointCoverage", "coverage_study", "pool_errors"]

Array = NDArray[np.float64]

_FLAT = 1e-8
"""Share of the information below which a direction is flat."""


@dataclass(frozen=True)
class Fraction:
    """A fraction of experiments with its binomial error."""

    value: float
    error: float

    @classmethod
    def of(cls, successes: int, total: int) -> "Fraction":
        """Return successes/total; the error is that of the fraction (successes + 1)/(total + 2), never 0."""
        smoothed = (successes + 1) / (total + 2)
        return cls(successes / total, math.sqrt(smoothed * (1 - smoothed) / total))


@dataclass(frozen=True)
class ParameterCoverage:
    """What the experiments at one point say of one parameter.

    Attributes:
        name: of the parameter.
        truth: its true value.
        coverage: by level, of the statistical interval.
        coverage_total: by level, of the interval with the errors of integration, rate and calibration.
        coverage_pool: by level, of that interval with the error of the pool too: what it would be of data that are not
            drawn from a pool whose own fluctuation all experiments share. Equal to `coverage_total` where that error
            is not known, and no use where it is only an upper bound (`pool_errors`).
        best_bias: mean of the best fit minus truth, over all its signs: what the best fit of data is off by on average.
        best_bias_error: standard error of it from the number of experiments.
        right_sign: how often the best fit lies on the same side of the nominal value as the truth; None where the truth
            is the nominal value.
        mean: of θ̂, the maximum nearest to the truth of those not excluded at 95%; so are the attributes below.
        bias: mean − truth.
        bias_error: standard error of the mean from the number of experiments.
        pool_error: standard error of the mean from the size of the pool.
        spread: standard deviation of θ̂.
        pull_mean: mean of (θ̂ − truth)/error.
        pull_width: standard deviation of it.
        pull_experiments: experiments with an error, of which the pulls are.
    """

    name: str
    truth: float
    coverage: Mapping[str, Fraction]
    coverage_total: Mapping[str, Fraction]
    coverage_pool: Mapping[str, Fraction]
    best_bias: float
    best_bias_error: float
    right_sign: Fraction | None
    mean: float
    bias: float
    bias_error: float
    pool_error: float
    spread: float
    pull_mean: float
    pull_width: float
    pull_experiments: int

    @property
    def bias_pull(self) -> float:
        """The bias in units of its error, that of the pool included."""
        return self.bias / math.hypot(self.bias_error, self.pool_error)


@dataclass(frozen=True)
class PointCoverage:
    """What the experiments at one point say.

    Attributes:
        theta: true values of the theory parameters.
        nominal: their values in the Standard Model, or of curves at their nominal place.
        experiments: number of them.
        failed: experiments without a maximum; they enter nothing else.
        events: mean number of events.
        non_positive: mean number of events whose density is not positive at the best fit.
        effective_pool_size: number of equally weighted events that the pool is worth here.
        parameters: of each parameter of interest.
        joint: by level, coverage of the region of all parameters of interest.
        histograms: θ̂ (nearest to the truth) of all valid experiments by parameter, for figures.
        pulls: (θ̂ − truth)/error of the valid experiments with an error by parameter, for figures.
    """

    theta: Mapping[str, float]
    nominal: Mapping[str, float]
    experiments: int
    failed: int
    events: float
    non_positive: float
    effective_pool_size: float
    parameters: tuple[ParameterCoverage, ...]
    joint: Mapping[str, Fraction]
    histograms: Mapping[str, Sequence[float]]
    pulls: Mapping[str, Sequence[float]]


def coverage_study(
    setup: Setup,
    pool: Pool,
    points: Sequence[Mapping[str, float]],
    plan: Plan,
    levels: Sequence[float] = (0.68, 0.95),
) -> list[PointCoverage]:
    """Run pseudo-experiments at θ points and return their coverage.

    Args:
        setup: what they have in common; `interest` are the parameters that are looked at.
        pool: events to draw from.
        points: true θ, by name.
        plan: how many experiments, and where.
        levels: confidence levels.

    Raises:
        InferenceError: if no experiment at a point could be fitted.
    """
    truths = [setup.mixture.point(point) for point in points]
    outcomes = run_study(setup, pool, truths, plan)
    return [_summary(setup, pool, truth, each, levels) for truth, each in zip(truths, outcomes, strict=True)]


def pool_errors(setup: Setup, pool: Pool, source: Source, truth: Array) -> Array:
    """Return the standard error of the mean of φ̂ from the finite pool, to first order, `(P,)`.

    It is NaN for parameters that log L does not depend on to second order, alone or together with others, and an upper
    bound where mostly the square of a parameter matters (κ̃_t at 0), which keeps fits nearer than the first order says.
    """
    sample = source.asimov()
    likelihood = setup.likelihood(pool, sample.weights, sample.without_coefficients)
    chosen = np.flatnonzero(sample.weights)
    y, scores = sample.weights[chosen], likelihood.scores(truth)
    vector, jacobian = setup.mixture.vector(truth), setup.mixture.jacobian(truth)
    if np.allclose(pool.total(), setup.mixture.stacked_rate, rtol=1e-6, atol=1e-9 * abs(pool.total()).max()):
        difference = scores - pool.weights[chosen] @ jacobian / (pool.weights[chosen] @ vector)[:, None]
    else:
        means = [np.average(scores[rows], axis=0, weights=y[rows]) if rows.any() else np.zeros(len(truth))
                 for rows in (pool.component[chosen] == c for c in range(len(pool.without_coefficients)))]  # fmt: skip
        difference = scores - np.array(means)[pool.component[chosen]]
    free = setup.mixture.free
    scatter = (y[:, None] * difference[:, free]).T @ (y[:, None] * difference[:, free])
    errors = np.zeros(len(truth))
    errors[free] = _propagated(likelihood.information(truth)[np.ix_(free, free)], scatter)
    return errors


def _propagated(information: Array, scatter: Array) -> Array:
    """Return the errors of parameters whose gradient scatters, `(P,)`; NaN for those in a flat direction."""
    diagonal = np.diag(information)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    flat = values <= _FLAT * max(values.max(initial=0.0), 1.0)
    inverse = vectors * np.where(flat, 0.0, 1 / np.where(flat, 1.0, values)) @ vectors.T
    errors = np.sqrt(np.diag(inverse @ (scatter / np.outer(scale, scale)) @ inverse)) / scale
    concerned = (vectors[:, flat] ** 2).sum(axis=1) > _FLAT
    found: Array = np.where(concerned, np.nan, errors)
    return found


def _summary(setup: Setup, pool: Pool, truth: Array, outcomes: Outcomes, levels: Sequence[float]) -> PointCoverage:
    mixture, valid = setup.mixture, outcomes.valid
    if not valid.any():
        named = {name: truth[mixture.index(name)] for name in setup.interest}
        raise InferenceError(f"none of {len(valid)} pseudo-experiments at {named} has a maximum: check the pool and θ")
    source = pool.source(mixture, truth)
    from_pool = pool_errors(setup, pool, source, truth)
    parameters, pulls = [], {}
    for i, name in enumerate(setup.interest):
        number = mixture.index(name)
        values, errors = _near(mixture, outcomes.phi[valid], truth)[:, number], outcomes.errors[valid, number]
        pulls[name] = _pulls(values, truth[number], errors)
        q, q_total = outcomes.q[valid, i], outcomes.q_total[valid, i]
        with_pool = _widened(q, q_total, from_pool[number] / errors)
        parameters.append(
            ParameterCoverage(
                name=name,
                truth=float(truth[number]),
                coverage=_coverage(q, levels),
                coverage_total=_coverage(q_total, levels),
                coverage_pool=_coverage(with_pool, levels),
                pool_error=float(from_pool[number]),
                **_best_fits(
                    _near(mixture, outcomes.best[valid], truth)[:, number], truth[number], mixture.point()[number]
                ),
                **_nearest(values, truth[number], pulls[name]),
            )
        )
    return PointCoverage(
        theta={name: float(truth[mixture.index(name)]) for name in mixture.theory},
        nominal=mixture.standard_point(),
        experiments=len(valid),
        failed=int((~valid).sum()),
        events=float(outcomes.events.mean()),
        non_positive=float(outcomes.non_positive[valid].mean()),
        effective_pool_size=source.effective_size,
        parameters=tuple(parameters),
        joint=_coverage(outcomes.q_joint[valid], levels, len(setup.interest)),
        histograms={name: outcomes.phi[valid, mixture.index(name)].tolist() for name in setup.interest},
        pulls={name: values.tolist() for name, values in pulls.items()},
    )


def _near(mixture: Mixture, points: Array, truth: Array) -> Array:
    """Return points `(E, P)` whose periodic parameters are within half a period of the truth."""
    near: Array = truth + mixture.wrapped(points - truth)
    return near


def _pulls(values: Array, truth: float, errors: Array) -> Array:
    known = np.isfinite(errors) & (errors > 0)
    pulls: Array = (values[known] - truth) / errors[known]
    return pulls


def _widened(q: Array, q_total: Array, pool: Array) -> Array:
    """Return q of intervals that are wider by the error of the pool, given in units of the statistical one.

    `q_total` is q over 1 plus the other errors squared, in the same units.
    """
    others = np.divide(q, q_total, out=np.ones_like(q), where=q_total > 0)
    widened: Array = q / (others + np.where(np.isfinite(pool), pool, 0.0) ** 2)
    return widened


def _best_fits(values: Array, truth: float, nominal: float) -> dict[str, Any]:
    """Return what is said of the best fits of one parameter `(E,)`."""
    sides = np.sign(values - nominal) == np.sign(truth - nominal)
    return {
        "best_bias": float(values.mean() - truth),
        "best_bias_error": _spread(values) / math.sqrt(len(values)),
        "right_sign": None if truth == nominal else Fraction.of(int(sides.sum()), len(sides)),
    }


def _nearest(values: Array, truth: float, pulls: Array) -> dict[str, Any]:
    """Return what is said of the maxima nearest to the truth `(E,)`."""
    return {
        "mean": float(values.mean()),
        "bias": float(values.mean() - truth),
        "bias_error": _spread(values) / math.sqrt(len(values)),
        "spread": _spread(values),
        "pull_mean": float(pulls.mean()) if len(pulls) else math.nan,
        "pull_width": _spread(pulls),
        "pull_experiments": len(pulls),
    }


def _spread(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _coverage(q: Array, levels: Sequence[float], dimensions: int = 1) -> dict[str, Fraction]:
    return {f"{level:g}": Fraction.of(int((q <= threshold(level, dimensions)).sum()), len(q)) for level in levels}
