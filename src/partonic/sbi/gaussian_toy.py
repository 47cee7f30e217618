"""The Gaussian toy of arXiv:2410.07315, eq. 42–44, whose densities are known: events in a store like any others.

At parton level z ~ [N(0, 1) + θ² N(α, w)]/(1 + θ²), observed is x = z + N(0, s): the density of x is the same mixture
with widths √(1 + s²) and √(w² + s²). As a process it has the parameter θ, the monomials (1, θ, θ²) and the cross
section 1 + θ² pb; z is the momentum of one parton along the beam, x the missing momentum along the x axis (feature
``met_px``). α is the distance between what θ brings and what is there without it: for α ≫ 1 the events at θ = 0 hardly
reach it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.events.process_info import ProcessInfo
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventWriter
from partonic.polynomial import Monomials

__all__ = ["FEATURE", "GaussianToy", "ToyEvents"]

Array = NDArray[np.float64]

FEATURE = "met_px"
"""Name of the feature that is x."""

_MONOMIALS = Monomials(("theta",), ((0,), (1,), (2,)))
_ROWS = 10_000


@dataclass(frozen=True, eq=False)
class ToyEvents:
    """N events.

    Attributes:
        parton: z, `(N,)`.
        observed: x, `(N,)`.
        coefficients: c_a in pb, which sum to σ_a, `(N, 3)`.
    """

    parton: Array
    observed: Array
    coefficients: Array


@dataclass(frozen=True)
class GaussianToy:
    """The toy.

    Attributes:
        distance: α.
        width: w of what θ brings.
        smearing: s.
    """

    distance: float = 1.5
    width: float = 0.1
    smearing: float = 0.7

    monomials = _MONOMIALS

    def density(self, values: Array, smeared: bool) -> Array:
        """Return dσ_a/dz (or of x, if `smeared`) in pb, `(N, 3)`."""
        extra = self.smearing if smeared else 0.0
        constant = _normal(values, 0.0, np.hypot(1.0, extra))
        square = _normal(values, self.distance, np.hypot(self.width, extra))
        return np.stack([constant, np.zeros_like(values), square], axis=1)

    def ratios(self, observed: Array) -> Array:
        """Return the true R_a(x) = p_a(x)/p_0(x), `(N, 3)`."""
        found = self.density(observed, smeared=True)
        values: Array = found / found[:, :1]
        return values

    def draw(self, events: int, points: Sequence[float], generator: np.random.Generator) -> ToyEvents:
        """Return events of a mixture of θ points with equal shares; their coefficients are those of the mixture."""
        theta = np.array(points)[generator.integers(len(points), size=events)]
        is_square = generator.uniform(size=events) < theta**2 / (1.0 + theta**2)
        normal = generator.normal(size=events)
        parton = np.where(is_square, self.distance + self.width * normal, normal)
        parts = self.density(parton, smeared=False)
        sampled = np.mean([(parts[:, 0] + t**2 * parts[:, 2]) / (1.0 + t**2) for t in points], axis=0)
        observed = parton + self.smearing * generator.normal(size=events)
        return ToyEvents(parton, observed, parts / sampled[:, None] / events)

    def metadata(self, points: Sequence[float] = (0.0,)) -> StoreMetadata:
        """Return the metadata of a store of events drawn at points."""
        process = ProcessInfo("gaussian_toy", ("Z",), (23,), self.monomials, 13_000.0)
        facts = {"toy": {"distance": self.distance, "width": self.width, "smearing": self.smearing}}
        theta = {"theta": float(points[0])} if len(points) == 1 else {}
        return StoreMetadata.for_process(process, theta=theta, facts=facts, source="toy")

    def write(self, path: Path, events: ToyEvents, points: Sequence[float] = (0.0,)) -> None:
        """Write events that were drawn at `points` to an event store.

        Raises:
            OutputError: if it cannot be written.
        """
        with EventWriter(path, self.metadata(points)) as writer:
            for start in range(0, len(events.parton), _ROWS):
                writer.write(_table(events, slice(start, start + _ROWS), points))


def _table(events: ToyEvents, rows: slice, points: Sequence[float]) -> pa.Table:
    z, x, coefficients = events.parton[rows], events.observed[rows], events.coefficients[rows]
    momenta = np.stack([np.abs(z), np.zeros_like(z), np.zeros_like(z), z], axis=1)
    weight = _MONOMIALS.evaluate([[t] for t in points]).mean(axis=0) @ coefficients.T
    return pa.table(
        {
            "event_id": pa.array(np.arange(rows.start, rows.start + len(z))),
            "weight": pa.array(weight),
            "coefficients": pa.FixedSizeListArray.from_arrays(pa.array(coefficients.ravel()), 3),
            "partons": pa.FixedSizeListArray.from_arrays(pa.array(momenta.ravel()), 4),
            "selected": pa.array(np.ones(len(z), dtype=bool)),
            "met_pt": pa.array(np.abs(x).astype(np.float32)),
            "met_phi": pa.array(np.where(x < 0, np.pi, 0.0).astype(np.float32)),
        }
    )


def _normal(values: Array, mean: float, width: float) -> Array:
    found: Array = np.exp(-0.5 * ((values - mean) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    return found
