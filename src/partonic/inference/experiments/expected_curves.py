"""Expected q = −2 log r over one parameter, with what the number of simulated events and an ensemble leave open.

The Asimov sample of the Standard Model has the likelihood

    log L(θ) = Σ_i w_i log(R_i·m(θ)) + W [log(σ·m(θ)) − log(σ'·m(θ))] − σ·m(θ)

with the weights w_i at the Standard Model, W their sum, σ_a the cross sections and σ'_a those that the estimated
densities have. All of them are sums over the simulated events, so that leaving out a group of them (delete-one-group
jackknife, M. Quenouille, Biometrika 43 (1956) 353) is the difference of two sums, normalisation included. The error of
an ensemble is the standard deviation of q over its members, each with its own ratios and normalisation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.binned.templates import Templates
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.units import PB_TO_FB

__all__ = ["ExpectedCurve", "binned_curve", "jackknife_groups", "unbinned_curve"]

Array = NDArray[np.float64]

GROUPS = 20
"""Groups of the jackknife: enough for its error to be known to a sixth."""

_BLOCK = 2_000_000
"""Numbers of a block of events × points."""


@dataclass(frozen=True, eq=False)
class ExpectedCurve:
    """Expected q of one method along one parameter.

    Attributes:
        q: at T values, 0 at the lowest, `(T,)`.
        statistical: its standard error from the number of simulated events, `(T,)`; None where it is not known.
        ensemble: its standard deviation over the members of an ensemble, `(T,)`; None without one.
    """

    q: Array
    statistical: Array | None = None
    ensemble: Array | None = None

    def to_json(self) -> dict[str, list[float] | None]:
        """Return the numbers by name."""
        found = {"q": self.q, "statistical": self.statistical, "ensemble": self.ensemble}
        return {name: None if values is None else values.tolist() for name, values in found.items()}


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the events of G groups: w log f `(G, T)`, w `(G,)`, c_a and w_ref R_a in pb `(G, A)`."""

    logs: Array
    number: Array | float
    sigma: Array
    norm: Array


def jackknife_groups(keys: NDArray[np.int64], groups: int = GROUPS) -> NDArray[np.int64]:
    """Return the group of each event; those with the same key, copies of one parton event, are in the same one.

    Args:
        keys: numbers of the events, or of what they are copies of, `(N,)`.
        groups: how many.
    """
    _, place = np.unique(keys, return_inverse=True)
    numbers: NDArray[np.int64] = (place % groups).astype(np.int64)
    return numbers


def unbinned_curve(
    estimate: EventCoefficients,
    weights: Array,
    rows: tuple[Array, Array],
    luminosity: float,
    groups: NDArray[np.int64],
    members: Sequence[EventCoefficients] = (),
) -> ExpectedCurve:
    """Return the expected curve of all coefficients of an estimator, normalised with their own mean.

    Args:
        estimate: usable coefficients of N events.
        weights: their true weights c_a, in sum the fiducial cross section, pb, `(N, A)`.
        rows: monomials at the T values `(T, A)`, and at the Standard Model `(A,)`.
        luminosity: in fb⁻¹.
        groups: of the jackknife, `(N,)`.
        members: coefficients of the same events by each member of the ensemble; fewer than two give no error.
    """
    per_pb = luminosity * PB_TO_FB
    sums = _sums(estimate, weights, rows, groups)
    q = _q(_total(sums), rows[0], per_pb)
    found = [_q(each, rows[0], per_pb) for each in _left_out(sums)]
    count = len(found)
    statistical = np.sqrt((count - 1) * np.var(found, axis=0)) if count > 1 else None
    one = np.zeros_like(groups)
    others = [_q(_total(_sums(each, weights, rows, one)), rows[0], per_pb) for each in members]
    ensemble = np.std(others, axis=0, ddof=1) if len(others) > 1 else None
    return ExpectedCurve(q, statistical, ensemble)


def binned_curve(templates: Templates, rows: tuple[Array, Array], luminosity: float) -> ExpectedCurve:
    """Return the expected curve of the numbers of events in bins; arguments as of `unbinned_curve`."""
    expected, standard = (np.maximum(templates.signal @ row.T, 0.0) * luminosity * PB_TO_FB for row in rows)
    some = standard > 0
    with np.errstate(divide="ignore"):
        logs = standard[some] @ np.log(expected[some])
    values = logs - expected.sum(axis=0)
    return ExpectedCurve(2.0 * (values.max() - values))


def _sums(estimate: EventCoefficients, weights: Array, rows: tuple[Array, Array], groups: NDArray[np.int64]) -> _Sums:
    """Return the sums of each group."""
    terms, count = EventTerms.of(estimate), int(groups.max(initial=0)) + 1
    at_standard = np.maximum(weights @ rows[1], 0.0)
    logs = np.zeros((count, len(rows[0])))
    size = max(1, _BLOCK // max(1, len(rows[0])))
    for start in range(0, len(terms), size):
        block = slice(start, start + size)
        member = groups[block] == np.arange(count)[:, None]
        logs += (member * at_standard[block]) @ terms.select(np.arange(len(terms))[block]).log_values(rows[0])
    reference = estimate.reference_weights(weights)[:, None] * estimate.ratios
    of_group = (groups == np.arange(count)[:, None]).astype(np.float64)
    return _Sums(logs, of_group @ at_standard, of_group @ weights, of_group @ reference)


def _total(sums: _Sums) -> _Sums:
    number = float(np.sum(sums.number))
    return _Sums(sums.logs.sum(axis=0), number, sums.sigma.sum(axis=0), sums.norm.sum(axis=0))


def _left_out(sums: _Sums) -> Iterator[_Sums]:
    """Yield the sums without each group that has events, scaled to as many events as before."""
    whole, number = _total(sums), np.asarray(sums.number)
    for group in np.flatnonzero(number > 0):
        factor = float(whole.number / (whole.number - number[group]))
        logs, sigma, norm = (
            factor * (of_all - each[group])
            for of_all, each in ((whole.logs, sums.logs), (whole.sigma, sums.sigma), (whole.norm, sums.norm))
        )
        yield _Sums(logs, whole.number, sigma, norm)


def _q(sums: _Sums, rows: Array, per_pb: float) -> Array:
    """Return q at the rows `(T, A)`; infinite where a rate is not positive."""
    rate, norm = rows @ sums.sigma, rows @ sums.norm
    positive = (rate > 0) & (norm > 0)
    safe = np.where(positive, rate, 1.0), np.where(positive, norm, 1.0)
    values = per_pb * (sums.logs + sums.number * (np.log(safe[0]) - np.log(safe[1])) - rate)
    values = np.where(positive, values, -np.inf)
    result: Array = 2.0 * (values.max() - values)
    return result
