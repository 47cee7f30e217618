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

The features f are the shrunk p_b, and their products. Shrinking takes the covariance C(x) of the integration into
account,

    p̄ + T (T + C)⁻¹ (p − p̄),

with T the covariance of the p without noise: what one would know of p if all were Gaussian. The density of the
reference is common to all θ, so that σ_a/σ_h are the integrals that the likelihood needs: those of the rate that is
fitted are taken, and the calibration contributes f̄ and β only. The β are those of the largest likelihood of the
simulated events at many θ (`partonic.inference.calibration.joint_likelihood`); their covariance follows from what each
event contributes (the sandwich formula). Which features are worth it was measured: docs/explanation/validation.md.

Where the Standard Model is not θ = 0, all of this is said of the density P_ref at the reference of the coefficients in
place of P_0: h = P_ref + Σ_k (σ_ref/σ_kk) P_kk, R_a = ρ_a/ρ_ref with ρ_ref = Σ_a m_a(θ_ref) ρ_a, and points of θ
around θ_ref.

Features beyond the range that the calibration saw are set to its ends, and ratios whose polynomial is not positive for
all θ are moved towards their mean until it is (`partonic.inference.coefficients.positivity`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.features import features_of, shares_of_reference, shrunk_shares
from partonic.inference.calibration.joint_fit import fit_slopes, units_of
from partonic.inference.calibration.reference_density import check_reference, reference_density, scales_of
from partonic.inference.calibration.weighted_columns import covariance_of, independent_columns, without_noise
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.positivity import shares_of_the_mean
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.polynomial import Monomials

__all__ = ["JOINT_FORMAT", "JointCalibration", "fit_joint_calibration"]

Array = NDArray[np.float64]

JOINT_FORMAT = 3
"""Version of the file; 1 is a calibration of each ratio alone, 2 knew no likelihood."""

_LEAST_SQUARES_FORMAT = 2

MOST_WITH_PRODUCTS = 6
"""Independent ratios up to which their products are features, too: with more, the numbers to fit become too many."""

_EVENTS_PER_FEATURE = 10
_ARRAYS = {
    "reference": "A", "centre": "I", "scale": "I", "signal": "II", "lowest": "I", "highest": "I", "feature_mean": "F",
    "means": "A", "slopes": "FA", "directions": "BA", "covariance": "CC", "theta": "KP",
}  # fmt: skip
"""Arrays of the file with their axes: A monomials, I inputs, F features, B directions, C = (F + 2)·B, K points of P
parameters."""


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
        products: whether products of two of them are features, too.
        feature_mean: f̄ at h, `(F,)`.
        means: of the true c_a/c_h at h, `(A,)`.
        slopes: β, `(F, A)`.
        directions: errors of the columns of `means` and `slopes` are B independent ones times this, `(B, A)`.
        covariance: of the rows (means, shift of the mean by f̄, slopes) in the B directions, flattened,
            `((F + 2)·B, (F + 2)·B)`.
        theta: points at which the likelihood was maximised, `(K, P)`; none for least squares.
        events: number of events that it was fitted to.
        moved: how many of them had to be moved towards the mean.
        reference_point: θ_ref of the ratios, by name; 0 where not named.
    """

    monomials: Monomials
    reference: Array
    inputs: tuple[int, ...]
    centre: Array
    scale: Array
    signal: Array
    lowest: Array
    highest: Array
    products: bool
    feature_mean: Array
    means: Array
    slopes: Array
    directions: Array
    covariance: Array
    theta: Array
    events: int
    moved: int
    reference_point: Mapping[str, float] = field(default_factory=dict)

    def apply(self, coefficients: EventCoefficients, rate: FiducialRate | None = None) -> EventCoefficients:
        """Return the calibrated coefficients, with how they depend on the calibration in place of the noise.

        Args:
            coefficients: of any events of this process, estimated like those of the calibration.
            rate: fiducial cross sections, whose ratios the means are set to; None keeps those of the calibration.

        Raises:
            ParameterError: if coefficients or rate have other monomials, or the coefficients another reference.
        """
        check_reference(coefficients, self.reference_point)
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
            design, self.directions, covariance, None if rate is None else self.reference.copy(), self._at_reference
        )
        return replace(
            coefficients, ratios=ratios, covariance=np.where(usable[:, None, None], 0.0, coefficients.covariance),
            response=response,
        )  # fmt: skip

    def moved_events(self, coefficients: EventCoefficients) -> int:
        """Return how many events have to be moved towards the mean for a positive polynomial."""
        centred = self._centred_features(coefficients.select(coefficients.usable()))
        return int((self._shares_of_the_mean(self.means + centred @ self.slopes, self.means) > 0).sum())

    @property
    def _at_reference(self) -> Array | None:
        """m_a(θ_ref), `(A,)`; None for θ_ref = 0, whose density is the first coefficient."""
        centre = self.monomials.point(self.reference_point)
        return self.monomials.evaluate(centre) if centre.any() else None

    def _shares_of_the_mean(self, values: Array, means: Array) -> Array:
        return shares_of_the_mean(self.monomials, values, means, self._at_reference)

    def _calibrated(self, events: EventCoefficients, means: Array) -> tuple[Array, Array]:
        """Return the ratios and X/ρ_ref of events that all have coefficients."""
        centred = self._centred_features(events)
        kept = 1.0 - self._shares_of_the_mean(means + centred @ self.slopes, means)
        centred = kept[:, None] * centred
        values = means + centred @ self.slopes
        at_reference = self._at_reference
        norm = values[:, :1] if at_reference is None else (values @ at_reference)[:, None]
        ratios = values / norm
        if at_reference is None:
            ratios[:, 0] = 1.0
        return ratios, np.column_stack([np.ones(len(kept)), kept, centred]) / norm

    def _centred_features(self, events: EventCoefficients) -> Array:
        shares, noise = shares_of_reference(events, *scales_of(self.reference, self._at_reference), self.inputs)
        shrunk = shrunk_shares(shares - self.centre, noise, self.signal) / self.scale
        return features_of(np.clip(shrunk, self.lowest, self.highest), self.products) - self.feature_mean

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
            **({"reference_point": dict(self.reference_point)} if self.reference_point else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "JointCalibration":
        """Return the calibration that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: if something is missing or has another form.
        """
        if content["format"] == _LEAST_SQUARES_FORMAT:
            content = {**content, "theta": []}
        elif content["format"] != JOINT_FORMAT:
            raise ValueError(f"format {content['format']}, expected {JOINT_FORMAT}")
        monomials = Monomials(tuple(content["parameters"]), tuple(tuple(powers) for powers in content["exponents"]))
        inputs, products = tuple(int(number) for number in content["inputs"]), bool(content["products"])
        if not all(0 <= number < len(monomials) for number in inputs):
            raise ValueError(f"'inputs' needs numbers of {len(monomials)} monomials, got {list(inputs)}")
        arrays = {name: np.array(content[name], dtype=np.float64) for name in _ARRAYS}
        directions, count = len(arrays["directions"]), len(inputs)
        features = count * (count + 3) // 2 if products else count
        sizes = {
            "A": len(monomials), "I": count, "F": features, "B": directions, "C": (features + 2) * directions,
            "K": len(arrays["theta"]), "P": len(monomials.parameters),
        }  # fmt: skip
        for name, axes in _ARRAYS.items():
            shape = tuple(sizes[axis] for axis in axes)
            # an empty list of lists has lost its second axis
            arrays[name] = arrays[name].reshape(shape) if arrays[name].size == 0 == np.prod(shape) else arrays[name]
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"'{name}' needs finite numbers of shape {shape}, got {arrays[name].shape}")
        return cls(
            monomials, inputs=inputs, products=products, events=int(content["events"]), moved=int(content["moved"]),
            reference_point=dict(content.get("reference_point", {})), **arrays,
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
    density = reference_density(coefficients, weights)
    reference, good = density.reference, density.good
    events, c = coefficients.select(good), weights[good]
    in_reference = c @ reference
    w = in_reference / in_reference.mean()
    truth = c / in_reference[:, None]
    shares, noise = shares_of_reference(events, density.scales, density.constant, tuple(range(len(monomials))))
    inputs = independent_columns(shares * units_of(monomials, density.scales), w)
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
    features = features_of(shrunk, products)
    feature_mean, means = w @ features / w.sum(), w @ truth / w.sum()
    fit = fit_slopes(monomials, density.scales, features - feature_mean, truth, w, coefficients.reference)
    found = JointCalibration(
        monomials=monomials,
        reference=reference,
        inputs=inputs,
        centre=centre,
        scale=scale,
        signal=signal,
        lowest=shrunk.min(axis=0, initial=np.inf if len(inputs) else 0.0),
        highest=shrunk.max(axis=0, initial=-np.inf if len(inputs) else 0.0),
        products=products,
        feature_mean=feature_mean,
        means=means,
        slopes=fit.slopes,
        directions=fit.directions,
        covariance=fit.covariance,
        theta=fit.theta,
        events=len(w),
        moved=0,
        reference_point=dict(coefficients.reference_point),
    )
    return replace(found, moved=found.moved_events(events))
