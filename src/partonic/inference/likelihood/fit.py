"""The maximum of a likelihood: Newton from several starts, verified by Minuit.

The best of the maxima found is handed to Minuit (`iminuit`) with the analytic gradient; its minimum and its own verdict
are part of the result, so that two methods stand behind a best fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import DependencyError, InferenceError
from partonic.inference.likelihood.newton import Maximum, maximise
from partonic.inference.likelihood.starts import axis_scales, lattice, mirror_images, starting_points, starts_on_circles
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["BestFit", "distinct_maxima", "fit", "minuit_maximum"]

Array = NDArray[np.float64]

_SAME = 0.05
"""Maxima closer than this, in standard deviations, are one."""

_EQUAL = 1e-6
"""Difference of log L up to which two maxima are equally high."""


@dataclass(frozen=True)
class BestFit:
    """The best fit.

    Attributes:
        names: names of the P parameters.
        phi: best fit, `(P,)`.
        log_likelihood: log L there.
        covariance: inverse of the observed information, zero for fixed parameters, `(P, P)`.
        free: which parameters were fitted, `(P,)`.
        valid: whether it is a maximum, and Minuit agrees if it was asked.
        verified: whether Minuit was asked.
        maxima: all distinct maxima found, best first, `(M, P)`.
        heights: log L of them, `(M,)`.
        non_positive: events whose density is not positive at the best fit.
    """

    names: tuple[str, ...]
    phi: Array
    log_likelihood: float
    covariance: Array
    free: NDArray[np.bool_]
    valid: bool
    verified: bool
    maxima: Array
    heights: Array
    non_positive: int

    @property
    def errors(self) -> Array:
        """Standard errors, `(P,)`; NaN where the fit is no maximum, 0 for fixed parameters."""
        variances = np.diag(self.covariance)
        values: Array = np.sqrt(np.where(variances >= 0, variances, np.nan))
        return values

    def value(self, name: str) -> float:
        """Return the best fit of one parameter."""
        return float(self.phi[self.names.index(name)])

    def error(self, name: str) -> float:
        """Return the standard error of one parameter."""
        return float(self.errors[self.names.index(name)])


def fit(
    likelihood: ExtendedLikelihood,
    start: Array | None = None,
    extra_starts: Array | None = None,
    candidates: Array | None = None,
    verify: bool = True,
) -> BestFit:
    """Find the highest maximum of `likelihood`.

    Args:
        likelihood: log L.
        start: centre of the lattice of starts, `(P,)`; the nominal point by default.
        extra_starts: further starts, `(S, P)`.
        candidates: points to choose starts from, `(T, P)`, in place of the lattice about `start`.
        verify: hand the best maximum to Minuit; without it, only when Newton's method found none.

    Raises:
        InferenceError: if log L is not finite at the start, or no parameter is free.
        DependencyError: if Minuit is asked for and not installed.
    """
    centre = likelihood.mixture.point() if start is None else start
    _check(likelihood, centre)
    points = lattice(centre, axis_scales(likelihood, centre)) if candidates is None else candidates
    starts = starting_points(likelihood, points, centre)
    starts = np.concatenate([starts, *starts_on_circles(likelihood, starts[0])])
    if extra_starts is not None:
        starts = np.concatenate([extra_starts, starts])
    found = distinct_maxima([_maximum(likelihood, point) for point in starts], likelihood.mixture.periods)
    best, *others = _with_images(likelihood, found)
    valid = best.converged
    asked = verify or not best.converged
    if asked:
        best, valid = _verified(likelihood, best)
    every = [best, *others]
    return BestFit(
        names=likelihood.mixture.names,
        phi=best.phi,
        log_likelihood=best.value,
        covariance=best.covariance(),
        free=likelihood.free,
        valid=valid,
        verified=asked,
        maxima=np.array([each.phi for each in every]),
        heights=np.array([each.value for each in every]),
        non_positive=likelihood.non_positive(best.phi),
    )


def distinct_maxima(found: Sequence[Maximum], periods: Array | None = None) -> list[Maximum]:
    """Return the maxima that differ, highest first; those not converged only if there is no other, the highest one.

    Args:
        found: maxima.
        periods: of the parameters, infinite where there is none, `(P,)`; None if no parameter has one.
    """
    converged = [each for each in found if each.converged]
    if not converged:
        return [max(found, key=lambda each: each.value)]
    distinct: list[Maximum] = []
    for each in sorted(converged, key=lambda each: -each.value):
        if all(_distance(each, other, periods) > _SAME for other in distinct):
            distinct.append(each)
    return distinct


def _maximum(likelihood: ExtendedLikelihood, start: Array) -> Maximum:
    """Return the maximum that Newton's method finds from `start`, with periodic parameters within one period."""
    found = maximise(likelihood, start)
    return replace(found, phi=likelihood.mixture.wrapped(found.phi))


def _with_images(likelihood: ExtendedLikelihood, found: list[Maximum]) -> list[Maximum]:
    """Return `found` and the maxima near their mirror images, best first; of two equally high ones the one found."""
    images = mirror_images(likelihood, np.array([each.phi for each in found]), found[0].value)
    every = distinct_maxima([*found, *(_maximum(likelihood, point) for point in images)], likelihood.mixture.periods)
    if every[0].value > found[0].value + _EQUAL:
        return every
    return [found[0], *(each for each in every if _distance(each, found[0], likelihood.mixture.periods) > _SAME)]


def minuit_maximum(likelihood: ExtendedLikelihood, start: Array) -> tuple[Array, float, bool]:
    """Maximise with Minuit's MIGRAD and the analytic gradient from `start` `(P,)`.

    Returns:
        the point `(P,)`, log L there, and whether Minuit calls the minimum valid.

    Raises:
        DependencyError: if iminuit is not installed.
    """
    minuit = _minuit()
    free = likelihood.free

    def full(values: Array) -> Array:
        phi = start.copy()
        phi[free] = values
        return phi

    def cost(values: Array) -> float:
        return -float(likelihood(full(values)))

    def gradient(values: Array) -> Array:
        slope: Array = -likelihood.derivatives(full(values)).gradient[free]
        return slope

    search = minuit(cost, start[free], grad=gradient)
    search.errordef = 0.5
    search.strategy = 1
    search.migrad()
    return full(np.array(search.values)), -float(search.fval), bool(search.valid)


def _verified(likelihood: ExtendedLikelihood, best: Maximum) -> tuple[Maximum, bool]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # MIGRAD may try absurd points of a flat log L
        phi, value, valid = minuit_maximum(likelihood, best.phi)
        if value > best.value + 1e-3 or (valid and not best.converged):
            again = _maximum(likelihood, phi)
            best = again if again.value >= best.value else best
    return best, valid and best.converged and abs(value - best.value) < 1e-2


def _distance(one: Maximum, other: Maximum, periods: Array | None) -> float:
    """Return how far `one` is from `other`, in standard deviations of `other`."""
    difference = one.phi - other.phi
    if periods is not None:
        known = np.isfinite(periods)
        difference[known] -= periods[known] * np.round(difference[known] / periods[known])
    return float(np.sqrt(max(0.0, -float(difference @ other.hessian @ difference))))


def _check(likelihood: ExtendedLikelihood, centre: Array) -> None:
    if not likelihood.free.any():
        msg = "no parameter is free: name those to fit with inference.parameters"
        raise InferenceError(msg)
    value = float(likelihood(centre))
    if not np.isfinite(value):
        named = ", ".join(f"{n} = {v:g}" for n, v in zip(likelihood.mixture.names, centre, strict=True))
        raise InferenceError(f"the likelihood is {value} at the start of the fit ({named}): start elsewhere")


def _minuit() -> Any:
    try:
        from iminuit import Minuit
    except ImportError as error:
        raise DependencyError(f"fits need iminuit: pip install 'partonic[inference]' ({error})") from error
    return Minuit
