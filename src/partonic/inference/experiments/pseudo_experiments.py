"""Pseudo-experiments: samples drawn from a pool at a true φ, fitted, and tested at the truth.

For each experiment the maximum is found and, for each parameter of interest, the profile at the true value. An
interval of level C covers the truth exactly if q there is at most the threshold, so no interval needs to be computed.
Fits start where that of data does, around the nominal point, and around the truth, and at the mirror images of all
maxima found; a profile that lies above the maximum becomes a start of another fit.

Where a likelihood has several maxima that it does not exclude at 95% (q < 3.84), e.g. at either sign of a coupling that
enters squared, two estimates are kept: the highest maximum, which is what a fit of data gives, and of those maxima the
one nearest to the truth, whose bias and pulls are those of one solution. q is always taken from the highest maximum.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.files import atomic_output
from partonic.inference.experiments.pool import Pool, Source
from partonic.inference.likelihood.error_budget import difference_variances
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.intervals import total_q
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.newton import Maximum, maximise
from partonic.inference.likelihood.scan import profile
from partonic.inference.likelihood.starts import axis_scales, lattice
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.rng import numpy_generator

__all__ = ["Outcomes", "Setup", "nearest_point", "run_experiments"]

Array = NDArray[np.float64]

_NOT_EXCLUDED = 3.84
"""q of a maximum beyond which it is excluded at 95%."""

_ABOVE = 1e-4
"""Rise of log L over the maximum that says that the maximum was not the highest."""


@dataclass(frozen=True)
class Setup:
    """What all experiments have in common.

    Attributes:
        mixture: signal, backgrounds and parameters.
        interest: names of the I parameters that are tested.
        shape_only: leave the rate out.
        shape_norm: integral of the densities in pb, `(V,)`; None if it is the rate.
        seed: root seed.
    """

    mixture: Mixture
    interest: tuple[str, ...]
    shape_only: bool = False
    shape_norm: Array | None = None
    seed: int = 1

    def likelihood(
        self, pool: Pool, weights: Array, without_coefficients: float, centres: Array | None = None
    ) -> ExtendedLikelihood:
        """Return the likelihood of a sample of the pool, of the events with a weight only."""
        chosen = np.flatnonzero(weights)
        return ExtendedLikelihood(
            self.mixture, pool.terms.select(chosen), weights[chosen], without_coefficients, centres, self.shape_only,
            self.shape_norm,
        )  # fmt: skip


@dataclass(frozen=True)
class Outcomes:
    """Results of E experiments at one point; rows of failed ones are NaN.

    Attributes:
        best: highest maxima, `(E, P)`.
        phi: of the maxima that are not excluded at 95% the one nearest to the truth, `(E, P)`.
        errors: their standard errors from the observed information, `(E, P)`.
        q: of each parameter of interest at its true value, `(E, I)`.
        q_total: the same with the errors of integration, rate and calibration, `(E, I)`.
        q_joint: of all parameters of interest together at their true values, `(E,)`.
        events: number of events, `(E,)`.
        non_positive: events with a density that is not positive at the best fit, `(E,)`.
        valid: whether the fit is a maximum, `(E,)`.
        profiles: φ of the profile at the true value of each parameter of interest, one after another, `(E, I·P)`.
    """

    best: Array
    phi: Array
    errors: Array
    q: Array
    q_total: Array
    q_joint: Array
    events: Array
    non_positive: Array
    valid: NDArray[np.bool_]
    profiles: Array

    @staticmethod
    def concatenate(parts: "list[Outcomes]") -> "Outcomes":
        """Return the experiments of all parts."""
        names = [field.name for field in fields(Outcomes)]
        return Outcomes(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def save(self, path: Path) -> None:
        """Write a Parquet file, whole or absent."""
        columns = {field.name: list(getattr(self, field.name)) for field in fields(self)}
        with atomic_output(path) as temporary:
            pq.write_table(pa.table(columns), temporary)

    @classmethod
    def load(cls, path: Path) -> "Outcomes":
        """Read the file that `save` wrote."""
        table = pq.read_table(path, use_threads=False)
        return cls(**{name: np.array(table.column(name).to_pylist()) for name in table.column_names})


def run_experiments(setup: Setup, pool: Pool, truth: Array, key: tuple[str | int, ...], numbers: range) -> Outcomes:
    """Run some of the experiments at a true φ `(P,)`.

    Args:
        setup: what they have in common.
        pool: events to draw from.
        truth: true φ.
        key: name of the point, for the random numbers.
        numbers: of the experiments; each has random numbers of its own.
    """
    source = pool.source(setup.mixture, truth)
    expected = source.asimov()
    typical = setup.likelihood(pool, expected.weights, expected.without_coefficients)
    nominal = setup.mixture.point()
    candidates = np.unique(
        np.vstack([
            lattice(truth, axis_scales(typical, truth), fine=False), lattice(nominal, axis_scales(typical, nominal)),
        ]),
        axis=0,
    )  # fmt: skip
    common = truth, candidates, typical.information(truth)
    rows = [_run(setup, pool, source, common, numpy_generator(setup.seed, *key, number)) for number in numbers]
    return Outcomes(*(np.array(column) for column in zip(*rows, strict=True)))


_Row = tuple[Array, Array, Array, Array, Array, float, float, float, bool, Array]


def _run(
    setup: Setup, pool: Pool, source: Source, common: tuple[Array, Array, Array], generator: np.random.Generator
) -> _Row:
    """Run one experiment; `common` are the true φ, points to choose starts from, and the information."""
    truth, candidates, information = common
    sample = source.draw(generator)
    events = float(sample.weights.sum()) + sample.without_coefficients
    centres = _constraint_centres(setup.mixture, truth, generator)
    try:
        likelihood = setup.likelihood(pool, sample.weights, sample.without_coefficients, centres)
        best, held = _best_and_profiles(setup, likelihood, truth, candidates)
    except InferenceError:  # no maximum, or nothing to fit: counted as failed
        nothing, count = np.full(len(truth), np.nan), np.full(len(setup.interest), np.nan)
        profiles = np.full(len(truth) * len(setup.interest), np.nan)
        return nothing, nothing, nothing, count, count, np.nan, events, np.nan, False, profiles
    heights = np.array([each.value for each in held])
    q = np.maximum(2 * (best.log_likelihood - heights), 0.0)
    points = np.array([each.phi for each in held[:-1]])
    variances = difference_variances(likelihood, best.phi, points)
    total = total_q(q[:-1], variances.total)
    mode = _nearest_mode(likelihood, best, truth, information)
    variances_of_mode = np.diag(mode.covariance())
    errors = np.sqrt(np.where(variances_of_mode >= 0, variances_of_mode, np.nan))
    found = float(q[-1]), events, float(best.non_positive), best.valid, points.reshape(-1)
    return best.phi, mode.phi, errors, q[:-1], total, *found


def _best_and_profiles(
    setup: Setup, likelihood: ExtendedLikelihood, truth: Array, candidates: Array
) -> tuple[BestFit, list[Maximum]]:
    """Return the best fit, and the profiles at the true value of each parameter of interest and of all together.

    Raises:
        InferenceError: if the fit finds no maximum.
    """
    numbers = [setup.mixture.index(name) for name in setup.interest]
    at_truth = {number: float(truth[number]) for number in numbers}
    best = fit(likelihood, None, truth[None], candidates, verify=False)
    for _ in range(3):
        if not best.valid:
            message = "a pseudo-experiment does not determine all parameters"
            raise InferenceError(message)
        starts = np.vstack([truth, best.maxima])
        held = [profile(likelihood, {number: at_truth[number]}, starts) for number in numbers]
        held.append(profile(likelihood, at_truth, truth[None]))
        highest = max(held, key=lambda each: each.value)
        if highest.value <= best.log_likelihood + _ABOVE:
            break
        best = fit(likelihood, None, np.vstack([highest.phi, best.maxima]), candidates, verify=False)
    return best, held


def _nearest_mode(likelihood: ExtendedLikelihood, best: BestFit, truth: Array, information: Array) -> Maximum:
    """Return, of the maxima that the likelihood does not exclude at 95%, the one nearest to the truth.

    Distances are in units of the expected errors, with their correlations: `information` is that of a typical sample.

    Where κ̃_t enters squared there are two of them, of opposite sign and nearly equal height.
    """
    good = best.maxima[2 * (best.log_likelihood - best.heights) < _NOT_EXCLUDED]
    near = truth + likelihood.mixture.wrapped(good - truth)
    return maximise(likelihood, nearest_point(near, truth, information))


def nearest_point(points: Array, truth: Array, information: Array) -> Array:
    """Return the point of `(N, P)` nearest to the truth, distances in units of the errors 1/√information."""
    distances = np.einsum("np,pq,nq->n", points - truth, information, points - truth)
    nearest: Array = points[distances.argmin()]
    return nearest


def _constraint_centres(mixture: Mixture, truth: Array, generator: np.random.Generator) -> Array:
    """Draw where the Gaussian constraints are centred in one experiment: about the truth, `(P,)`."""
    nominal, widths = mixture.constraints
    constrained = np.isfinite(widths)
    draws = truth + np.where(constrained, widths, 0.0) * generator.normal(size=len(truth))
    centres: Array = np.where(constrained, draws, nominal)
    return centres
