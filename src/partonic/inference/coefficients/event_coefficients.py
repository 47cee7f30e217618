"""Coefficients of events: what every estimator of P(x|θ) hands to the statistics.

With the monomials m_a(θ), P(x|θ) = Σ_a m_a(θ) P_a(x). `EventCoefficients` holds the ratios R_a = P_a/P_ref of each
event and log P_ref, with the Monte-Carlo covariance of the ratios, whoever made them: the matrix element method, its
classical form, a network, or the truth. P_ref is the density at the reference point. At θ = 0, the reference where
nothing else is said, it is the first of the P_a, P_0; for an effective theory that is the Standard Model. Where the
Standard Model is elsewhere, P_0 is a part of its density only, which may be small or zero, and no reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import NonFiniteError, ParameterError
from partonic.estimate import Estimate
from partonic.event_status import OK
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.inference.coefficients.weight_samples import WeightSamples
from partonic.polynomial import Monomials

__all__ = ["EventCoefficients"]

Array = NDArray[np.float64]

_CLOSE = 1e-9
"""Deviation from 1 of the density at the reference in its own units, which rounding may bring."""


@dataclass(frozen=True)
class EventCoefficients:
    """P_a(x)/P_ref(x) of N events, with Monte-Carlo covariance, whoever made them.

    Attributes:
        monomials: the A monomials m_a(θ).
        event_id: number of each event in its store, `(N,)`.
        ratios: R_a = P_a/P_ref, with Σ_a m_a(θ_ref) R_a = 1; at θ_ref = 0 the first column is 1. `(N, A)`.
        log_reference: log P_ref(x), with P in pb per unit of x, `(N,)`.
        covariance: covariance of the ratios from the Monte-Carlo integration; zero if they are exact. `(N, A, A)`.
        status: ``"ok"``, or why the event has no coefficients; its rows are then NaN. `(N,)`.
        relative_error: relative Monte-Carlo error of P_ref, `(N,)`.
        source: who made them: ``"mem"``, ``"classical"``, ``"truth"``, ...
        response: how the ratios depend on a calibration that knows its errors; None without one.
        reference_point: θ_ref by name; 0 where not named.
        diagnostics: what whoever made them says of each event beside its error, e.g. effective points of an integral.
        samples: the same by networks with other weights, whose scatter is the error of training; None if not known.
    """

    monomials: Monomials
    event_id: NDArray[np.int64]
    ratios: Array
    log_reference: Array
    covariance: Array
    status: tuple[str, ...]
    relative_error: Array
    source: str
    response: CalibrationResponse | None = None
    reference_point: Mapping[str, float] = field(default_factory=dict)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    samples: WeightSamples | None = None

    def __post_init__(self) -> None:
        self._check_shapes()
        good = self.usable()
        for name in ("ratios", "log_reference", "covariance"):
            values = getattr(self, name)
            finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
            if (bad := np.flatnonzero(good & ~finite)).size:
                raise NonFiniteError(
                    f"`{name}` of {bad.size} events with status '{OK}' is NaN or infinite, first of event "
                    f"{self.event_id[bad[0]]}: give such events another status"
                )
        if (bad := np.flatnonzero(~good & np.isfinite(self.ratios).any(axis=1))).size:
            raise ParameterError(
                f"event {self.event_id[bad[0]]} has the status '{self.status[bad[0]]}' and ratios that are numbers: "
                "rows of events without coefficients must be NaN"
            )
        if self.reference.any():
            self._check_reference(good)
        elif (bad := np.flatnonzero(good & (self.ratios[:, 0] != 1.0))).size:
            raise ParameterError(
                f"the first ratio P_0/P_0 of event {self.event_id[bad[0]]} must be 1, got {self.ratios[bad[0], 0]}"
            )

    def _check_reference(self, good: NDArray[np.bool_]) -> None:
        at_reference = self.ratios @ self.monomials.evaluate(self.reference)
        if (bad := np.flatnonzero(good & ~(np.abs(at_reference - 1.0) < _CLOSE))).size:
            raise ParameterError(
                f"the ratio P_ref/P_ref of event {self.event_id[bad[0]]} at {dict(self.reference_point)} must be 1, "
                f"got {at_reference[bad[0]]}"
            )

    @property
    def reference(self) -> Array:
        """θ_ref `(K,)`.

        Raises:
            ParameterError: if a name is not a parameter.
        """
        return self.monomials.point(self.reference_point)

    def reference_weights(self, weights: Array) -> Array:
        """Return the weights at the reference point `(N,)` of true weights c_a `(N, A)`."""
        if not self.reference.any():
            return weights[:, 0]
        values: Array = weights @ self.monomials.evaluate(self.reference)
        return values

    def _check_shapes(self) -> None:
        n, a = len(self.event_id), len(self.monomials)
        shapes = {"ratios": (n, a), "covariance": (n, a, a)}
        for each in fields(self):
            value = getattr(self, each.name)
            expected = shapes.get(each.name, (n,))
            if isinstance(value, np.ndarray) and value.shape != expected:
                raise ParameterError(
                    f"`{each.name}` must have shape {expected} for {n} events and {a} monomials, got {value.shape}"
                )
        if self.response is not None and len(self.response) != n:
            raise ParameterError(f"`response` must be of {n} events, got {len(self.response)}")
        if self.samples is not None and (len(self.samples), self.samples.ratios.shape[2]) != (n, a):
            raise ParameterError(
                f"`samples` must be of {n} events and {a} monomials, got ratios of shape {self.samples.ratios.shape}"
            )
        self.diagnostics.check_length(n)
        if len(self.status) != n:
            raise ParameterError(f"`status` must have {n} entries, one for each event, got {len(self.status)}")

    def __len__(self) -> int:
        """Return the number N of events."""
        return len(self.event_id)

    def usable(self) -> NDArray[np.bool_]:
        """Return which events have coefficients, `(N,)`."""
        return np.array([word == OK for word in self.status], dtype=np.bool_)

    def select(self, mask: NDArray[np.bool_]) -> "EventCoefficients":
        """Return the events for which `mask` `(N,)` is True.

        Raises:
            ParameterError: if the mask has another length.
        """
        if mask.shape != (len(self),):
            raise ParameterError(f"the mask must have shape ({len(self)},), one entry an event, got {mask.shape}")
        arrays: dict[str, Any] = {name: getattr(self, name)[mask] for name in _ARRAYS}
        status = tuple(word for word, keep in zip(self.status, mask, strict=True) if keep)
        response = None if self.response is None else self.response.select(mask)
        samples = None if self.samples is None else self.samples.select(mask)
        return replace(
            self, **arrays, status=status, response=response, diagnostics=self.diagnostics.select(mask),
            samples=samples,
        )  # fmt: skip

    def sample(self, number: int) -> "EventCoefficients":
        """Return the coefficients of one set of weights, with the covariance of the trained ones.

        Raises:
            ParameterError: if there is no such set.
        """
        if self.samples is None or not 0 <= number < self.samples.count:
            known = 0 if self.samples is None else self.samples.count
            raise ParameterError(f"there are coefficients of {known} sets of weights, asked for was set {number + 1}")
        ratios, log_reference = self.samples.ratios[:, number], self.samples.log_reference[:, number]
        return replace(self, ratios=ratios, log_reference=log_reference, samples=None)

    @staticmethod
    def concatenate(parts: Sequence["EventCoefficients"]) -> "EventCoefficients":
        """Return the events of all `parts`, one after another.

        Raises:
            ParameterError: if there are none, or they differ in monomials, source or calibration.
        """
        if not parts:
            msg = "no coefficients to concatenate: expected one part or more"
            raise ParameterError(msg)
        first = parts[0]
        for part in parts:
            if (part.monomials, part.source, part.reference_point) != (
                first.monomials, first.source, first.reference_point,
            ):  # fmt: skip
                raise ParameterError(
                    f"cannot concatenate coefficients of '{part.source}' in {', '.join(part.monomials.names)} with "
                    f"those of '{first.source}' in {', '.join(first.monomials.names)}"
                )
        arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return replace(
            first, **arrays, status=tuple(word for part in parts for word in part.status),
            response=CalibrationResponse.joined([part.response for part in parts]),
            diagnostics=Diagnostics.concatenate([part.diagnostics for part in parts]),
            samples=WeightSamples.joined([part.samples for part in parts]),
        )  # fmt: skip

    def at(self, theta: Array) -> Array:
        """Return Σ_a m_a(θ) R_a = P(x|θ)/P_ref(x) of each event, NaN for events without coefficients.

        Args:
            theta: parameter points `(..., K)`.

        Returns:
            values `(N, ...)`.
        """
        values: Array = np.tensordot(self.ratios, np.moveaxis(self.monomials.evaluate(theta), -1, 0), axes=1)
        return values

    def mean_ratios(self, weights: Array) -> tuple[Estimate, ...]:
        """Return the weighted means of the R_a over the usable events, with their statistical errors.

        For accepted events with the weights of the reference point they are σ_a/σ_ref (the sum rule of any P_a that are
        right).

        Args:
            weights: of the events, any unit, `(N,)`.

        Returns:
            one estimate for each monomial. The errors are those of a ratio of sums, √(Σ w²(R−R̄)²)/Σ w; they hold the
            noise of the ratios, which is part of their scatter.

        Raises:
            ParameterError: if the number of weights differs, or those of the usable events do not sum to more than 0.
        """
        if weights.shape != (len(self),):
            raise ParameterError(f"expected {len(self)} weights, one for each event, got shape {weights.shape}")
        good = self.usable()
        w, ratios = weights[good], self.ratios[good]
        total = float(w.sum())
        if not total > 0:
            raise ParameterError(f"the weights of the {len(w)} usable events must sum to more than 0, got {total}")
        mean = w @ ratios / total
        error = np.sqrt(w**2 @ (ratios - mean) ** 2) / total
        size = total**2 / float(np.square(w).sum())
        return tuple(Estimate(float(m), float(e), len(w), size) for m, e in zip(mean, error, strict=True))


_COMMON = ("monomials", "status", "source", "response", "reference_point", "diagnostics", "samples")

_ARRAYS = tuple(each.name for each in fields(EventCoefficients) if each.name not in _COMMON)
