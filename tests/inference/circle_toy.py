"""Events on a line, x in (−1, 1), with p(x|a, b) ∝ (1 + a + a x)² + b² (1 − x²)² + b x (1 + a): no mirror symmetry.

At a = b = 0 the density is flat, but the "Standard Model" of the toy is a = 1, b = 0: what θ = 0 gives is a part of it.
"""

import numpy as np
import pyarrow as pa

from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
SIGMA = 0.01
STANDARD = {"a": 1.0}


def densities(x):
    """Return P_a(x) over that at a = b = 0, `(N, 6)`: of 1, a, b, a², ab, b²."""
    one = np.ones_like(x)
    return np.stack([one, 2 * (1 + x), x, (1 + x) ** 2, x, (1 - x**2) ** 2 + 1.0], axis=1)


def write_store(path, x, theta=None):
    """Write an event store of weighted events at x."""
    weights = SIGMA / len(x) * densities(x)
    process = ProcessInfo("circle_toy", ("t", "tbar"), (6, -6), MONOMIALS, 13_000.0)

    def fixed(values):
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values)), values.shape[1])

    columns = {
        "event_id": np.arange(len(x)), "weight": weights[:, 0], "coefficients": fixed(weights),
        "partons": fixed(np.zeros((len(x), 8))), "x1": np.full(len(x), 0.5), "x2": np.full(len(x), 0.5),
        "selected": np.ones(len(x), dtype=bool),
    }  # fmt: skip
    with EventWriter(path, StoreMetadata.for_process(process, theta=theta or {})) as writer:
        writer.write(pa.table(columns))
    return EventStore.open(path)
