"""Simulated events of signal and backgrounds with the numbers of them that are expected, and the data beside them.

They come from the events of an inference, or from coefficients alone; then there are no data, and weights are cross
sections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.observables import linear_and_quadratic, optimal_observables
from partonic.inference.data import Data
from partonic.inference.experiments.pool import PoolSample
from partonic.inference.samples import Loaded
from partonic.polynomial import Monomials
from partonic.report.fitted import FittedEvents
from partonic.report.limits import IntegratedEvents

__all__ = ["PredictedEvents", "predicted_by_coefficients", "predicted_by_inference"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictedEvents:
    """Expected events and data.

    Attributes:
        monomials: the A monomials of θ.
        samples: simulated events of signal and backgrounds, with coefficients; empty if there are none.
        weights: what each event adds, as a polynomial in θ of the signal, in the order of `samples`, `(N, A)`.
            Components beside the signal are at the Standard Model in them.
        unit: of the weights: expected events, or pb.
        data: coefficients of the data under the signal; None if there are none.
        counts: how often each of the data occurs, `(D,)`.
        data_name: what the data are.
        rate: σ_a of the signal, pb, `(A,)`.
    """

    monomials: Monomials
    samples: tuple[EventCoefficients, ...]
    weights: Array
    unit: Literal["events", "pb"]
    data: tuple[EventCoefficients, ...]
    counts: Array
    data_name: str
    rate: Array

    def scale(self, name: str) -> float:
        """Return θ_0 at which the quadratic part of the rate is as large as the constant one; 1 if there is none."""
        _, quadratic = linear_and_quadratic(self.monomials, name)
        constant, squared = float(self.rate[0]), float(self.rate[quadratic])
        return float(np.sqrt(constant / squared)) if constant > 0 and squared > 0 else 1.0

    def observables(self, name: str) -> tuple[Array, Array]:
        """Return R_1 and R_2 of the simulated events `(N, 2)` and of the data `(D, 2)`."""
        scale = self.scale(name)
        return _observables(self.samples, name, scale), _observables(self.data, name, scale)


def predicted_by_coefficients(events: IntegratedEvents) -> PredictedEvents | None:
    """Return simulated events in pb, without data; None where their true weights are not known."""
    if events.weights is None:
        return None
    good = events.coefficients.usable()
    section = events.metadata.cross_section
    rate = events.weights.sum(axis=0) if section is None else np.array(section.coefficients)
    return PredictedEvents(
        monomials=events.coefficients.monomials,
        samples=(events.coefficients.select(good),),
        weights=events.weights[good],
        unit="pb",
        data=(),
        counts=np.zeros(0),
        data_name="",
        rate=rate,
    )


def predicted_by_inference(fitted: FittedEvents) -> PredictedEvents:
    """Return expected events and data of an inference; pseudo-data are the same as those that were fitted."""
    loaded, data = fitted.loaded, fitted.data
    mixture = loaded.setup.mixture
    weights = [_expected(sample, loaded) for sample in loaded.samples]
    chosen, counts = _data(data, loaded)
    return PredictedEvents(
        monomials=mixture.signal.monomials,
        samples=tuple(sample.signal.select(sample.usable()) for sample in loaded.samples),
        weights=np.concatenate([np.zeros((0, len(mixture.signal.monomials))), *weights]),
        unit="events",
        data=chosen,
        counts=counts,
        data_name={"pseudo": "pseudo-data", "asimov": "Asimov sample", "events": "data"}[data.kind],
        rate=mixture.signal.coefficients,
    )


def _expected(sample: PoolSample, loaded: Loaded) -> Array:
    """Return the expected numbers of the usable events of one process as polynomials in θ of the signal, `(n, A)`.

    Those of other processes do not depend on it: further components are taken at the Standard Model.
    """
    mixture, weights = loaded.setup.mixture, sample.weights
    place = mixture.slices[sample.component]
    if sample.component == 0:
        rate = mixture.signal.coefficients[0]
    else:
        standard = mixture.vector(mixture.point(mixture.standard_point()))[place]
        rate, weights = mixture.stacked_rate[place] @ standard, (weights @ standard)[:, None]
    scaled = mixture.per_picobarn * rate / weights[:, 0].sum() * weights
    expected = np.zeros((len(weights), len(mixture.signal.monomials)))
    expected[:, : weights.shape[1]] = scaled  # what does not depend on θ is the constant monomial
    usable: Array = expected[sample.usable()]
    return usable


def _data(data: Data, loaded: Loaded) -> tuple[tuple[EventCoefficients, ...], Array]:
    """Return the coefficients of the data and how often each event occurs."""
    if data.chosen is None:
        usable = np.logical_and.reduce([each.usable() for each in loaded.hypotheses])
        return (loaded.signal.select(usable),), np.ones(int(usable.sum()))
    parts, start = [], 0
    for sample in loaded.samples:  # in the order of the pool
        events = sample.signal.select(sample.usable())
        mask = np.zeros(len(events), dtype=np.bool_)
        mask[data.chosen[(data.chosen >= start) & (data.chosen < start + len(events))] - start] = True
        parts.append(events.select(mask))
        start += len(events)
    return tuple(parts), data.likelihood.weights


def _observables(parts: Sequence[EventCoefficients], name: str, scale: float) -> Array:
    return np.concatenate([np.zeros((0, 2)), *(optimal_observables(part, name, scale) for part in parts)])
