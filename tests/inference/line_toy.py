"""Events on a line, x in (−1, 1), with p(x|a, b) ∝ (1 + a x)² + b² (1 − x²)²: everything is known in closed form.

At a = b = 0 the density is flat. b enters squared only, so b and −b cannot be told apart.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from partonic.event_status import OK
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
SIGMA = 0.01
"""σ at a = b = 0 in pb."""

SIGMAS = SIGMA * np.array([1.0, 0.0, 0.0, 1 / 3, 0.0, 8 / 15])
LUMINOSITY = 100.0
"""fb⁻¹: 1000 events at a = b = 0."""


def ratios(x):
    """Return R_a(x), `(N, 6)`."""
    zero = np.zeros_like(x)
    return np.stack([zero + 1, 2 * x, zero, x**2, zero, (1 - x**2) ** 2], axis=1)


def grid(events):
    """Return evenly spread x: a pool without fluctuations."""
    return (np.arange(events) + 0.5) / events * 2 - 1


def draw(generator, events, a=0.0, b=0.0):
    """Draw x from p(x|a, b) by rejection."""
    found = np.zeros(0)
    while len(found) < events:
        x = generator.uniform(-1, 1, 4 * events)
        keep = generator.uniform(0, 4 + b**2, 4 * events) < ratios(x) @ MONOMIALS.evaluate([a, b])
        found = np.concatenate([found, x[keep]])
    return found[:events]


def coefficients(x, noise=None, generator=None, source="mem"):
    """Return the coefficients of events at x; with Gaussian noise of covariance `noise` `(6, 6)` if it is given."""
    n, values = len(x), ratios(x)
    covariance = np.zeros((n, 6, 6))
    if noise is not None:
        covariance[:] = noise
        values = values + generator.multivariate_normal(np.zeros(6), noise, size=n, method="eigh")
        values[:, 0] = 1.0
    return EventCoefficients(
        monomials=MONOMIALS,
        event_id=np.arange(n),
        ratios=values,
        log_reference=np.full(n, np.log(SIGMA / 2)),
        covariance=covariance,
        status=(OK,) * n,
        relative_error=np.zeros(n),
        source=source,
    )


def without(events, bad):
    """Return `events` of which those where `bad` is True have no coefficients."""
    rows = np.where(bad[:, None], np.nan, events.ratios)
    status = tuple("all weights are zero" if each else OK for each in bad)
    return replace(events, ratios=rows, log_reference=np.where(bad, np.nan, events.log_reference), status=status)


def rate(error=0.0):
    return FiducialRate(MONOMIALS, SIGMAS, error**2 * np.outer(SIGMAS, SIGMAS))


def mixture(**options):
    return Mixture(rate(), luminosity=LUMINOSITY, fitted=options.pop("fitted", ("a", "b")), **options)


def likelihood(x, **options):
    return ExtendedLikelihood(mixture(**options), EventTerms.of(coefficients(x)), np.ones(len(x)))


def pool_of(x, events=None):
    weights = SIGMA / len(x) * ratios(x)
    return Pool.of([PoolSample(0, weights, coefficients(x) if events is None else events)])


def setup(**options):
    return Setup(mixture(**options), ("a", "b"), seed=7)


def write_store(path, x, theta=None, selected=None):
    """Write an event store of events at x, all selected unless said otherwise."""
    weights = SIGMA / len(x) * ratios(x)
    process = ProcessInfo("toy", ("t", "tbar"), (6, -6), MONOMIALS, 13_000.0)
    chosen = np.ones(len(x), dtype=bool) if selected is None else selected

    def fixed(values):
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values)), values.shape[1])

    columns = {
        "event_id": np.arange(len(x)), "weight": weights[:, 0], "coefficients": fixed(weights),
        "partons": fixed(np.zeros((len(x), 8))), "x1": np.full(len(x), 0.5), "x2": np.full(len(x), 0.5),
        "selected": chosen,
    }  # fmt: skip
    with EventWriter(path, StoreMetadata.for_process(process, theta=theta or {})) as writer:
        writer.write(pa.table(columns))
    return EventStore.open(path)
