"""A pool of simulated events, from which pseudo-experiments are drawn and Asimov samples are made at any θ.

Every event of the pool has its true weight, a polynomial in θ, beside its coefficients. At any φ the expected yield of
each event is known, so one simulated sample serves all hypotheses. The expected number of events of signal and
backgrounds is that of the mixture; the pool gives only their proportions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError, ParameterError
from partonic.files import atomic_output
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.inference.likelihood.event_terms import FLOOR, EventTerms
from partonic.inference.likelihood.mixture import Mixture

__all__ = ["MOST_NEGATIVE", "Pool", "PoolSample", "Sample", "Source"]

Array = NDArray[np.float64]

MOST_NEGATIVE = 0.01
"""Largest share of negative weights in a pool that events are drawn from; they are left out."""


@dataclass(frozen=True)
class PoolSample:
    """Simulated events of one process, with their coefficients under all hypotheses.

    Attributes:
        component: number of the process: 0 for the signal, then further components, then backgrounds.
        weights: true weights: coefficients c_a in pb of events that depend on θ `(N, A)`, weights in pb of backgrounds
            `(N, 1)`.
        signal: coefficients under the signal.
        backgrounds: coefficients under each background.
        components: coefficients under each further component that depends on θ.
    """

    component: int
    weights: Array
    signal: EventCoefficients
    backgrounds: tuple[EventCoefficients, ...] = ()
    components: tuple[EventCoefficients, ...] = ()

    def slices(self) -> tuple[slice, ...]:
        """Return the places of each process in the mixture vector."""
        signals = (self.signal, *self.components)
        ends = np.cumsum([*(len(each.monomials) for each in signals), *(1 for _ in self.backgrounds)])
        return tuple(slice(int(low), int(high)) for low, high in zip([0, *ends], ends, strict=False))

    def usable(self) -> NDArray[np.bool_]:
        """Return which events have coefficients under all hypotheses, `(N,)`."""
        masks = [each.usable() for each in (self.signal, *self.components, *self.backgrounds)]
        usable: NDArray[np.bool_] = np.logical_and.reduce(masks)
        return usable


@dataclass(frozen=True)
class Sample:
    """A drawn or an Asimov sample: numbers of each event of the pool `(N,)`, and of events without coefficients."""

    weights: Array
    without_coefficients: float


@dataclass(frozen=True)
class Pool:
    """Events of all processes.

    Attributes:
        terms: rows of the N events with coefficients.
        weights: their true weights in pb, in the order of the mixture vector, `(N, V)`.
        component: number of the process of each, `(N,)`.
        without_coefficients: summed weights of the events without coefficients of each process, `(C, V)`.
    """

    terms: EventTerms
    weights: Array
    component: NDArray[np.int64]
    without_coefficients: Array

    @classmethod
    def of(cls, samples: Sequence[PoolSample], correct_bias: bool = True, floor: float = FLOOR) -> "Pool":
        """Put samples of all processes together.

        Raises:
            ParameterError: if a sample has weights of a wrong shape.
            InferenceError: if no event has coefficients.
        """
        slices = samples[0].slices()
        excluded = np.zeros((len(slices), slices[-1].stop))
        terms, weights, components = [], [], []
        for sample in samples:
            stacked, usable = _stacked(sample), sample.usable()
            excluded[sample.component] += stacked[~usable].sum(axis=0)
            backgrounds = [each.select(usable) for each in sample.backgrounds]
            further = [each.select(usable) for each in sample.components]
            terms.append(EventTerms.of(sample.signal.select(usable), backgrounds, correct_bias, floor, further))
            weights.append(stacked[usable])
            components.append(np.full(int(usable.sum()), sample.component, dtype=np.int64))
        pool = cls(_joined(terms), np.concatenate(weights), np.concatenate(components), excluded)
        if not len(pool):
            msg = "the sample is empty: expected simulated events with coefficients"
            raise InferenceError(msg)
        return pool

    def __len__(self) -> int:
        """Return the number N of events with coefficients."""
        return len(self.terms)

    def total(self) -> Array:
        """Return the summed weights of all events, those without coefficients too, in pb, `(V,)`."""
        values: Array = self.weights.sum(axis=0) + self.without_coefficients.sum(axis=0)
        return values

    def source(self, mixture: Mixture, phi: Array) -> "Source":
        """Return the yields of the events at φ `(P,)`.

        Raises:
            InferenceError: if a process that contributes has no event in the pool, or too many negative weights, or a
                negative number of its events is expected.
        """
        vector = mixture.vector(phi)
        yields = self.weights @ vector
        excluded = np.maximum(self.without_coefficients @ vector, 0.0)
        numbers = mixture.expected_by_component(phi)
        if (numbers < 0).any():
            raise InferenceError(
                f"{numbers.tolist()} events of signal and backgrounds are expected at the θ of the pseudo-data: none "
                "may be negative; choose another `inference.truth`, or mend the cross sections"
            )
        for component, number in enumerate(numbers):
            rows = self.component == component
            total = float(np.maximum(yields[rows], 0.0).sum() + excluded[component])
            if number and not total > 0:
                raise InferenceError(
                    f"the pool has no event of process {component}, of which {number:.4g} are expected"
                )
            negative = -float(np.minimum(yields[rows], 0.0).sum())
            if negative > MOST_NEGATIVE * total:
                raise InferenceError(
                    f"{negative / total:.2%} of the weights of process {component} are negative, more than "
                    f"{MOST_NEGATIVE:.0%}: pseudo-experiments cannot be drawn from such a pool"
                )
            scale = number / total if total else 0.0
            yields[rows] = np.maximum(yields[rows], 0.0) * scale
            excluded[component] *= scale
        return Source(yields, float(excluded.sum()))

    def save(self, path: Path) -> None:
        """Write the pool to a file for worker processes.

        Raises:
            OutputError: if it cannot be written.
        """
        from safetensors.numpy import save_file

        arrays = {
            "rows": self.terms.rows,
            "weights": self.weights,
            "component": self.component,
            "without_coefficients": self.without_coefficients,
            "settings": np.array([float(self.terms.correct_bias), self.terms.floor]),
        }
        if self.terms.covariance is not None:
            arrays["covariance"] = self.terms.covariance
        if self.terms.response is not None:
            arrays["design"], arrays["directions"] = self.terms.response.design, self.terms.response.directions
            arrays["calibration_covariance"] = self.terms.response.covariance
            if self.terms.response.reference is not None:
                arrays["reference"] = self.terms.response.reference
            if self.terms.response.at_reference is not None:
                arrays["at_reference"] = self.terms.response.at_reference
        with atomic_output(path) as temporary:
            save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, temporary)

    @classmethod
    def load(cls, path: Path) -> "Pool":
        """Read the file that `save` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(path)
        correct_bias, floor = arrays["settings"].tolist()
        response = None
        if "design" in arrays:
            response = CalibrationResponse(arrays["design"], arrays["directions"], arrays["calibration_covariance"],
                                           arrays.get("reference"), arrays.get("at_reference"))  # fmt: skip
        terms = EventTerms(arrays["rows"], arrays.get("covariance"), bool(correct_bias), floor, response)
        return cls(terms, arrays["weights"], arrays["component"], arrays["without_coefficients"])


@dataclass(frozen=True)
class Source:
    """Expected numbers of the events of a pool at one φ.

    Attributes:
        yields: of each event, `(N,)`.
        without_coefficients: of events without coefficients.
    """

    yields: Array
    without_coefficients: float

    @property
    def effective_size(self) -> float:
        """(Σ y)²/Σ y²: the number of equally weighted events that the pool is worth here."""
        return float(self.yields.sum() ** 2 / np.square(self.yields).sum())

    def asimov(self) -> Sample:
        """Return the sample in which every event counts with its expected number."""
        return Sample(self.yields, self.without_coefficients)

    def draw(self, generator: np.random.Generator) -> Sample:
        """Draw a pseudo-experiment: a Poisson number of events, each from the pool in proportion to its yield."""
        cumulative = np.cumsum(self.yields)
        number = int(generator.poisson(cumulative[-1]))
        chosen = np.searchsorted(cumulative, generator.random(number) * cumulative[-1], side="right")
        counts = np.bincount(np.minimum(chosen, len(cumulative) - 1), minlength=len(cumulative))
        return Sample(counts.astype(np.float64), float(generator.poisson(self.without_coefficients)))


def _stacked(sample: PoolSample) -> Array:
    """Return the true weights of a sample in the order of the mixture vector, `(N, V)`."""
    slices = sample.slices()
    own = slices[sample.component]
    shape = (len(sample.signal), own.stop - own.start)
    if sample.weights.shape != shape:
        raise ParameterError(
            f"the weights of process {sample.component} must have shape {shape}, got {sample.weights.shape}"
        )
    stacked = np.zeros((len(sample.weights), slices[-1].stop))
    stacked[:, own] = sample.weights
    return stacked


def _joined(parts: Sequence[EventTerms]) -> EventTerms:
    rows = np.concatenate([part.rows for part in parts])
    response = CalibrationResponse.joined([part.response for part in parts])
    if all(part.covariance is None for part in parts):
        return EventTerms(rows, None, parts[0].correct_bias, parts[0].floor, response)
    size = rows.shape[1]
    covariances = [np.zeros((len(part), size, size)) if part.covariance is None else part.covariance for part in parts]
    return EventTerms(rows, np.concatenate(covariances), parts[0].correct_bias, parts[0].floor, response)
