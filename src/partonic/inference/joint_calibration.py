"""Calibration of all ratios together: what the true ratios of an event are on average, given all of its estimated ones.

If r_a(x) is the mean of R_a(z) = c_a/c_0 over the simulated events with the same summary of x, then Σ_a m_a(θ) r_a(x)
*is* the likelihood ratio of that summary, at any θ, and its intervals cover. The noise of the integration is part of
the summary: once calibrated, it is in the statistical error, and neither a bias to correct nor an error to add.

R_a may be very large where c_0 is small. What is fitted are therefore the bounded ratios to a reference density that no
event is rare in,

    h = P_0 + Σ_k (σ_0/σ_kk) P_kk,

k the parameters whose squares do not only scale the rate: the estimated p_b = R_b/R_h are mapped to the mean of the
true c_a/c_h over events with the weights c_h,

    ρ_a = σ_a/σ_h + Σ_f β_fa (f − f̄),      R_a = ρ_a/ρ_0.

The features f are the shrunk p_b, their products, and hinges max(k − p_0, 0) at small p_0: the events that are rare at
θ = 0 are few, and their ratios to P_0 are large, so that a polynomial that suits the others is not good enough for
them. Shrinking takes the covariance C(x) of the integration into
account,

    p̄ + T (T + C)⁻¹ (p − p̄),

with T the covariance of the p without noise: what one would know of p if all were Gaussian. The density of the
reference is common to all θ, so that σ_a/σ_h are the integrals that the likelihood needs: those of the rate that is
fitted are taken, and the calibration contributes f̄ and β only. Their covariance follows from the scatter of the events
(the sandwich formula). Which features are worth it was measured: docs/explanation/validation.md.

Features beyond the range that the calibration saw are set to its ends. A polynomial in p is fitted where most events
are; where ρ_0 is small it may come out several times too small, or negative. So a calibrated density that is at some θ
less than half of the estimated one is moved towards that until it is not (`partonic.inference.positivity`): two events
in a thousand, some of which would have ratios of a hundred. (A five-hundredth of the estimated one is that of the mean
event, for the density of an event with a single point may vanish.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration_features import features_of, shares_of_reference, shrunk_shares
from partonic.inference.coefficients import EventCoefficients
from partonic.inference.positivity import are_positive, shares_of_others
from partonic.inference.rate import FiducialRate
from partonic.inference.response import CalibrationResponse
from partonic.inference.weighted_columns import (
    as_combinations,
    covariance_of,
    independent_columns,
    inverse_moments,
    without_noise,
)
from partonic.polynomial import Monomials

__all__ = ["JOINT_FORMAT", "JointCalibration", "fit_joint_calibration", "reference_weights"]

Array = NDArray[np.float64]

JOINT_FORMAT = 3
"""Version of the file; 1 is a calibration of each ratio alone, 2 had no hinges."""

MOST_WITH_PRODUCTS = 6
"""Independent ratios up to which their products are features, too: with more, the numbers to fit become too many."""

_EVENTS_PER_FEATURE = 10

_HINGES, _EVENTS_PER_HINGE = (0.005, 0.02, 0.1), 100
"""Parts of the events that have a p_0 below a hinge, and how many must be there for it."""

_LARGEST_LEVERAGE = 0.9

_OF_ESTIMATE = 0.5
"""A calibrated density is at no θ less than this part of the estimated one."""

_OF_MEAN = 0.002
"""Share of the mean event in what is called the estimated one there."""

_OF_ONLY_MEAN = 1e-3
"""Where the estimated density is itself negative somewhere: the same part of that of the mean event."""

_SMALLEST_SPREAD = 1e-6
"""Ratios that vary less than this are constants."""

_ARRAYS = {
    "reference": "A", "centre": "I", "scale": "I", "signal": "II", "lowest": "I", "highest": "I", "knots": "K",
    "feature_mean": "F",
    "means": "A", "slopes": "FA", "directions": "BA", "covariance": "CC",
}  # fmt: skip
"""Arrays of the file with their axes: A monomials, I inputs, K hinges, F features, B directions, C = (F + 2)·B."""


@dataclass(frozen=True)
class JointCalibration:
    """ρ = means + (f − feature_mean)·slopes.

    Attributes:
        monomials: the A monomials.
        reference: h = Σ_a reference_a P_a, `(A,)`.
        inputs: numbers of the I ratios that the features are made of; the others follow from them.
        centre: p̄ of them at h, `(I,)`.
        scale: their standard deviations, `(I,)`.
        signal: T, their covariance without the noise of the integration, `(I, I)`.
        lowest: of the shrunk inputs, in units of `scale`, that the calibration saw, `(I,)`.
        highest: the same, `(I,)`.
        knots: where the hinges of the first input, which is that of P_0, lie, in units of `scale`, `(K,)`.
        products: whether products of two of them are features, too.
        feature_mean: f̄ at h, `(F,)`.
        means: of the true c_a/c_h at h, `(A,)`.
        slopes: β, `(F, A)`.
        directions: errors of the columns of `means` and `slopes` are B independent ones times this, `(B, A)`.
        covariance: of the rows (means, shift of the mean by f̄, slopes) in the B directions, flattened,
            `((F + 2)·B, (F + 2)·B)`.
        events: number of events that it was fitted to.
        moved: how many of them had to be moved towards their estimates.
    """

    monomials: Monomials
    reference: Array
    inputs: tuple[int, ...]
    centre: Array
    scale: Array
    signal: Array
    lowest: Array
    highest: Array
    knots: Array
    products: bool
    feature_mean: Array
    means: Array
    slopes: Array
    directions: Array
    covariance: Array
    events: int
    moved: int

    def apply(self, coefficients: EventCoefficients, rate: FiducialRate | None = None) -> EventCoefficients:
        """Return the calibrated coefficients, with how they depend on the calibration in place of the noise.

        Args:
            coefficients: of any events of this process, estimated like those of the calibration.
            rate: fiducial cross sections, whose ratios the means are set to; None keeps those of the calibration.

        Raises:
            ParameterError: if coefficients or rate have other monomials.
        """
        for other, owner in ((coefficients.monomials, "coefficients"), *([] if rate is None else
                             [(rate.monomials, "cross sections")])):  # fmt: skip
            if other != self.monomials:
                raise ParameterError(
                    f"the calibration is for the monomials {', '.join(self.monomials.names)}, the {owner} have "
                    f"{', '.join(other.names)}: fit a calibration to events of this process"
                )
        means = self.means if rate is None else rate.coefficients / (self.reference @ rate.coefficients)
        usable = coefficients.usable()
        ratios, design = np.full_like(coefficients.ratios, np.nan), np.full((len(usable), len(self.slopes) + 2), np.nan)
        ratios[usable], design[usable] = self._calibrated(coefficients.select(usable), means)
        covariance = self.covariance.copy()
        if rate is not None:
            known = len(self.directions)
            covariance[:known] = 0.0
            covariance[:, :known] = 0.0
        response = CalibrationResponse(
            design, self.directions, covariance, None if rate is None else self.reference.copy()
        )
        return replace(
            coefficients, ratios=ratios, covariance=np.where(usable[:, None, None], 0.0, coefficients.covariance),
            response=response,
        )  # fmt: skip

    def moved_events(self, coefficients: EventCoefficients) -> int:
        """Return how many events have to be moved towards their estimates."""
        events = coefficients.select(coefficients.usable())
        values = self.means + self._centred_features(events) @ self.slopes
        return int((self._towards_estimates(events, values, self.means)[0] > 0).sum())

    def _calibrated(self, events: EventCoefficients, means: Array) -> tuple[Array, Array]:
        """Return the ratios and X/ρ_0 of events that all have coefficients."""
        centred = self._centred_features(events)
        values = means + centred @ self.slopes
        share, others, of_means = self._towards_estimates(events, values, means)
        values += share[:, None] * (others - values)
        ratios = values / values[:, :1]
        ratios[:, 0] = 1.0
        kept = 1.0 - share
        design = np.column_stack([kept + share * of_means, kept, kept[:, None] * centred])
        return ratios, design / values[:, :1]

    def _towards_estimates(self, events: EventCoefficients, values: Array, means: Array) -> tuple[Array, Array, Array]:
        """Return how far events are moved, towards what `(N, A)`, and the share of the mean event in that."""
        total = np.maximum(events.ratios @ self.reference, np.finfo(np.float64).tiny)
        others = (1.0 - _OF_MEAN) * events.ratios / total[:, None] + _OF_MEAN * means
        positive = are_positive(self.monomials, others)  # of a squared amplitude it always is
        others = np.where(positive[:, None], others, means)
        part = np.where(positive, _OF_ESTIMATE, _OF_ONLY_MEAN)
        return (
            shares_of_others(self.monomials, values, others, part), others, np.where(positive, _OF_MEAN, 1.0)
        )  # fmt: skip

    def _centred_features(self, events: EventCoefficients) -> Array:
        shares, noise = shares_of_reference(events, self.reference, self.inputs)
        shrunk = shrunk_shares(shares - self.centre, noise, self.signal) / self.scale
        inputs = np.clip(shrunk, self.lowest, self.highest)
        return features_of(inputs, self.products, self.knots) - self.feature_mean

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON can hold it."""
        return {
            "format": JOINT_FORMAT,
            "parameters": list(self.monomials.parameters),
            "exponents": [list(powers) for powers in self.monomials.exponents],
            "inputs": list(self.inputs),
            "products": self.products,
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            "events": self.events,
            "moved": self.moved,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "JointCalibration":
        """Return the calibration that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: if something is missing or has another form.
        """
        if content["format"] != JOINT_FORMAT:
            raise ValueError(f"format {content['format']}, expected {JOINT_FORMAT}")
        monomials = Monomials(tuple(content["parameters"]), tuple(tuple(powers) for powers in content["exponents"]))
        inputs, products = tuple(int(number) for number in content["inputs"]), bool(content["products"])
        if not all(0 <= number < len(monomials) for number in inputs):
            raise ValueError(f"'inputs' needs numbers of {len(monomials)} monomials, got {list(inputs)}")
        arrays = {name: np.array(content[name], dtype=np.float64) for name in _ARRAYS}
        directions, count = len(arrays["directions"]), len(inputs)
        hinges = len(arrays["knots"])
        features = (count * (count + 3) // 2 if products else count) + hinges
        sizes = {
            "A": len(monomials), "I": count, "K": hinges, "F": features, "B": directions,
            "C": (features + 2) * directions,
        }  # fmt: skip
        for name, axes in _ARRAYS.items():
            shape = tuple(sizes[axis] for axis in axes)
            # an empty list of lists has lost its second axis
            arrays[name] = arrays[name].reshape(shape) if arrays[name].size == 0 == np.prod(shape) else arrays[name]
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"'{name}' needs finite numbers of shape {shape}, got {arrays[name].shape}")
        return cls(
            monomials, inputs=inputs, products=products, events=int(content["events"]), moved=int(content["moved"]),
            **arrays,
        )  # fmt: skip


def fit_joint_calibration(coefficients: EventCoefficients, weights: Array) -> JointCalibration:
    """Fit the calibration to simulated events that nothing was trained on.

    Args:
        coefficients: estimated ratios of the events.
        weights: θ-coefficients c_a of the weights of the same events in the same order, pb, `(N, A)`; they hold at any
            θ, so that it does not matter at which θ the events were generated.

    Raises:
        ParameterError: if the shapes differ, or too few events can be used.
    """
    monomials = coefficients.monomials
    reference, good = reference_weights(coefficients, weights)
    events, c = coefficients.select(good), weights[good]
    in_reference = c @ reference
    w = in_reference / in_reference.mean()
    truth = c / in_reference[:, None]
    shares, noise = shares_of_reference(events, reference, tuple(range(len(monomials))))
    inputs = independent_columns(shares, w)
    products = len(inputs) <= MOST_WITH_PRODUCTS
    count = len(inputs) * (len(inputs) + 3) // 2 if products else len(inputs)
    if len(w) < _EVENTS_PER_FEATURE * (count + 1):
        raise ParameterError(
            f"a joint calibration with {count} features needs at least {_EVENTS_PER_FEATURE * (count + 1)} usable "
            f"events, got {len(w)} of {len(good)}: calibrate each ratio alone (`--method linear`), or take more events"
        )
    shares, noise = shares[:, inputs], noise[:, inputs][:, :, inputs]
    centre = w @ shares / w.sum()
    spread = covariance_of(shares - centre, w)
    scale = np.sqrt(np.diag(spread))
    signal = without_noise(spread, np.einsum("n,nab->ab", w, noise) / w.sum())
    shrunk = shrunk_shares(shares - centre, noise, signal) / scale
    knots = _knots(shrunk, inputs)
    features = features_of(shrunk, products, knots)
    feature_mean, means = w @ features / w.sum(), w @ truth / w.sum()
    centred = features - feature_mean
    inverse = inverse_moments((w[:, None] * centred).T @ centred)
    slopes = inverse @ (w[:, None] * centred).T @ (truth - means)
    varying = independent_columns(truth, w)
    found = JointCalibration(
        monomials=monomials,
        reference=reference,
        inputs=inputs,
        centre=centre,
        scale=scale,
        signal=signal,
        lowest=shrunk.min(axis=0, initial=np.inf if len(inputs) else 0.0),
        highest=shrunk.max(axis=0, initial=-np.inf if len(inputs) else 0.0),
        knots=knots,
        products=products,
        feature_mean=feature_mean,
        means=means,
        slopes=slopes,
        directions=as_combinations(truth - means, varying, w),
        covariance=_sandwich(centred, (truth - means)[:, varying], slopes[:, varying], inverse, w),
        events=len(w),
        moved=0,
    )
    return replace(found, moved=found.moved_events(events))


def reference_weights(coefficients: EventCoefficients, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return h by monomials `(A,)`, and which events have coefficients and a positive weight at h `(N,)`.

    Raises:
        ParameterError: if the shapes differ, or no event can be used.
    """
    monomials = coefficients.monomials
    if weights.shape != (len(coefficients), len(monomials)):
        raise ParameterError(
            f"the weights must have the shape {(len(coefficients), len(monomials))} of the coefficients' events and "
            f"monomials, got {weights.shape}: take them from the store that the coefficients belong to"
        )
    usable = coefficients.usable()
    if not (total := weights[usable].sum(axis=0))[0] > 0:
        raise ParameterError(
            f"a calibration needs usable events with positive weights, got {int(usable.sum())} usable ones of "
            f"{len(usable)} that sum to {total[0]:g} pb"
        )
    reference = np.zeros(len(monomials))
    reference[0] = 1.0
    for column, powers in enumerate(monomials.exponents):
        is_square = sorted(powers)[-1:] == [2] and sum(powers) == 2
        # events of negative weight have the whole of it negative
        if not is_square or not total[column] > 0 or (weights[usable, column] * weights[usable, 0] < 0).any():
            continue
        in_units = weights[usable, column] / total[column], weights[usable, 0] / total[0]
        if not np.allclose(*in_units, atol=_SMALLEST_SPREAD / len(in_units[0])):  # it does not only scale the rate
            reference[column] = total[0] / total[column]
    return reference, usable & (weights @ reference > 0)


def _knots(inputs: Array, numbers: tuple[int, ...]) -> Array:
    """Return where the hinges of the first input lie, if it is that of P_0: as many as there are events for."""
    parts = [part for part in _HINGES if part * len(inputs) >= _EVENTS_PER_HINGE]
    if not parts or numbers[:1] != (0,):
        return np.zeros(0)
    knots: Array = np.quantile(inputs[:, 0], parts)
    return knots


def _sandwich(centred: Array, truth: Array, slopes: Array, inverse: Array, w: Array) -> Array:
    """Return the covariance of the rows (means, shift by f̄, slopes) of the independent columns, flattened.

    Args:
        centred: f − f̄, `(N, F)`.
        truth: c_a/c_h less its mean, `(N, B)`.
        slopes: β, `(F, B)`.
        inverse: of Σ w (f − f̄)(f − f̄)ᵀ, `(F, F)`.
        w: weights, `(N,)`.
    """
    explained = centred @ slopes
    # an event far out pulls the fit towards itself, and has too small a residual: divided by 1 − leverage (HC3)
    pull = np.einsum("nf,fg,ng->n", centred, inverse, centred) * w
    residual = (truth - explained) / (1.0 - np.minimum(pull, _LARGEST_LEVERAGE))[:, None]
    influence = np.concatenate(
        [
            truth[:, None] / w.sum(),
            -explained[:, None] / w.sum(),
            (centred @ inverse)[:, :, None] * residual[:, None, :],
        ],
        axis=1,
    ).reshape(len(w), -1)
    influence *= w[:, None]
    values: Array = influence.T @ influence
    return values
