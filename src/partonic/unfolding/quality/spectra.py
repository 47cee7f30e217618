"""Spectra of samples beside those of the truth, and correlations of a regressed quantity with the true one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Correlation", "Spectra", "correlation", "spectra"]

Array = NDArray[np.float64]
AnyArray = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Spectra:
    """The distribution of one variable from several sources, each normalised to 1; the outer bins hold the rest.

    Attributes:
        edges: of the bins, `(B + 1,)`.
        shares: of the events in each bin, by source, `(B,)` each.
        errors: their statistical errors, `(B,)` each; the samples of one event count together.
    """

    edges: Array
    shares: Mapping[str, Array]
    errors: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Correlation:
    """An estimate against the truth.

    Attributes:
        edges: of the bins of both axes, `(B + 1,)`.
        counts: events by true (first axis) and estimated value; the outer bins hold the rest, `(B, B)`.
        coefficient: Pearson's correlation coefficient.
        error: its error, (1 − r²)/√N.
    """

    edges: Array
    counts: Array
    coefficient: float
    error: float


def spectra(sources: Mapping[str, AnyArray], edges: Sequence[float]) -> Spectra:
    """Return the spectra of `sources`, `(N,)` each, or `(N, S)` for S samples of each event."""
    shares, errors = {}, {}
    for name, values in sources.items():
        of_event = _shares_of_events(values.reshape(len(values), -1), np.asarray(edges, dtype=np.float64))
        shares[name] = of_event.mean(axis=0)
        errors[name] = of_event.std(axis=0) / np.sqrt(max(len(values), 1))
    return Spectra(np.asarray(edges, dtype=np.float64), shares, errors)


def _shares_of_events(values: AnyArray, edges: Array) -> Array:
    """Return which part of the values of each event is in each bin, `(N, B)`."""
    events, samples = values.shape
    bins = len(edges) - 1
    place = _bins(values, edges) + bins * np.arange(events)[:, None]
    counts: Array = np.bincount(place.ravel(), minlength=events * bins).reshape(events, bins) / samples
    return counts


def correlation(truth: AnyArray, estimate: AnyArray, edges: Sequence[float]) -> Correlation:
    """Return how an estimate `(N,)` follows the truth `(N,)`."""
    borders = np.asarray(edges, dtype=np.float64)
    bins = len(borders) - 1
    flat = _bins(truth, borders) * bins + _bins(estimate, borders)
    centred, moved = (values.astype(np.float64) - values.mean(dtype=np.float64) for values in (truth, estimate))
    norm = np.sqrt((centred**2).sum() * (moved**2).sum())
    coefficient = float((centred * moved).sum() / norm) if norm > 0 else float("nan")
    counts = np.bincount(flat, minlength=bins * bins).reshape(bins, bins).astype(np.float64)
    return Correlation(borders, counts, coefficient, (1.0 - coefficient**2) / np.sqrt(len(truth)))


def _bins(values: AnyArray, edges: Array) -> NDArray[np.int64]:
    return np.clip(np.digitize(values, edges) - 1, 0, len(edges) - 2)
