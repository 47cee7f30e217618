"""The events of a likelihood as a table: their weights, rows B_i, and the covariance of the noise of the rows."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.inference.data import Data
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.samples import Loaded

__all__ = ["COVARIANCE", "EVENT_ID", "ROW", "SAMPLE", "WEIGHT", "event_table"]

EVENT_ID, SAMPLE, WEIGHT, ROW, COVARIANCE = "event_id", "sample", "weight", "row", "covariance"


def event_table(loaded: Loaded, data: Data) -> pa.Table:
    """Return the fitted events, those whose weight is not 0.

    Args:
        loaded: what was read for the fit.
        data: what was fitted.

    Returns:
        a table of N events with V densities each: ``event_id``, the number in the event store; ``sample``, what a
        simulated event is of (0 for the signal, then components, then backgrounds), null for data; ``weight``; ``row``,
        a list of V numbers; and ``covariance``, where the fit takes the noise of the rows into account, the upper
        triangle of their covariance matrix, row by row, a list of V (V + 1)/2 numbers.
    """
    likelihood = data.likelihood
    used = np.flatnonzero(likelihood.weights)
    terms = likelihood.events.select(used)
    event_id, sample = _identity(loaded, data)
    columns: dict[str, pa.Array] = {
        EVENT_ID: pa.array(event_id[used]),
        SAMPLE: pa.nulls(len(used), pa.int32()) if sample is None else pa.array(sample[used].astype(np.int32)),
        WEIGHT: pa.array(likelihood.weights[used]),
        ROW: _lists(terms.rows),
    }
    if terms.correct_bias and terms.covariance is not None:
        columns[COVARIANCE] = _lists(upper_triangle(terms))
    return pa.table(columns)


def upper_triangle(terms: EventTerms) -> NDArray[np.float64]:
    """Return the upper triangles of the covariance matrices of events that have such, `(N, V (V + 1)/2)`."""
    size = terms.rows.shape[1]
    covariance = np.zeros((len(terms), size, size)) if terms.covariance is None else terms.covariance
    triangle: NDArray[np.float64] = covariance[:, *np.triu_indices(size)]
    return triangle


def _identity(loaded: Loaded, data: Data) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return numbers of the events of the likelihood, and the sample that each is of; None for data."""
    if data.chosen is None or loaded.pool is None:
        usable = np.logical_and.reduce([each.usable() for each in loaded.hypotheses])
        return loaded.signal.event_id[usable], None
    numbers = [each.signal.event_id[each.usable()] for each in loaded.samples]
    return np.concatenate(numbers), loaded.pool.component


def _lists(values: NDArray[np.float64]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
