"""A likelihood in words and numbers that JSON can hold: everything of it but the events.

Its terms are those of `partonic.inference.likelihood.unbinned` and `partonic.inference.likelihood.mixture`; the page
``docs/reference/likelihood_bundle.md`` states them for a reader in any language.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.inference.likelihood.mixture import LUMINOSITY, SIGNAL_STRENGTH, Mixture
from partonic.inference.likelihood.parameter_map import MappedMonomials
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.inference.record import InferenceRecord
from partonic.provenance import package_versions

__all__ = ["BUNDLE_FORMAT", "BUNDLE_KIND", "check_points", "likelihood_document"]

Array = NDArray[np.float64]

BUNDLE_FORMAT = 1
"""Version of the bundle; raised by every change that an older reader would misread."""

BUNDLE_KIND = "partonic likelihood"


def likelihood_document(likelihood: ExtendedLikelihood, record: InferenceRecord, process: str | None) -> dict[str, Any]:
    """Return the description of a likelihood and the result of its fit.

    Args:
        likelihood: what was fitted.
        record: its result.
        process: short name of the process of the signal; None if it is not known.
    """
    mixture, events = likelihood.mixture, likelihood.events
    noisy = events.correct_bias and events.covariance is not None
    per_picobarn = 0.0 if likelihood.shape_only else mixture.per_picobarn
    return {
        "format": BUNDLE_FORMAT,
        "kind": BUNDLE_KIND,
        "process": process,
        "estimator": record.result["source"],
        "parameters": _parameters(likelihood, record),
        "constraints": _constraints(likelihood),
        "components": _components(mixture),
        "cross_sections": {
            "unit": "pb",
            "values": mixture.stacked_rate.tolist(),
            "covariance": mixture.stacked_covariance.tolist(),
        },
        "luminosity": {"value": mixture.luminosity, "unit": "fb^-1"},
        "expected_yield": (per_picobarn * mixture.stacked_rate).tolist(),
        "scale_weight": 0.0 if likelihood.shape_only else likelihood.total,
        "rate_logarithms": [{"weight": weight, "rate": rate.tolist()} for weight, rate in likelihood.rate_logarithms],
        "events": {
            "sum_of_weights": float(likelihood.weights.sum()),
            "without_coefficients": likelihood.without_coefficients,
        },
        "floor": events.floor,
        "correct_bias": bool(noisy),
        "standard_model": mixture.standard_point(),
        "calibrated": record.result["settings"].get("calibration") is not None,
        "answer": _answer(record),
        "check_points": check_points(likelihood, record),
        "versions": package_versions(),
    }


def check_points(likelihood: ExtendedLikelihood, record: InferenceRecord) -> list[dict[str, Any]]:
    """Return log L at the Standard Model, the best fit and beside it, for readers to try themselves on.

    Each free parameter is moved by one standard error up and by two down.
    """
    best = best_point(likelihood.mixture, record)
    points = [likelihood.mixture.point(), best]
    for number in np.flatnonzero(likelihood.free):
        error = record.result["best_fit"][likelihood.mixture.names[number]]["total"] or 0.0
        for step in (1.0, -2.0):
            points.append(best.copy())
            points[-1][number] += step * error
    values = likelihood(np.stack(points))
    return [
        {"values": point.tolist(), "log_likelihood": float(value)}
        for point, value in zip(points, values, strict=True)
        if np.isfinite(value)
    ]


def best_point(mixture: Mixture, record: InferenceRecord) -> Array:
    """Return the best fit of a result, `(P,)`."""
    return mixture.point({name: each["value"] for name, each in record.result["best_fit"].items()})


def _parameters(likelihood: ExtendedLikelihood, record: InferenceRecord) -> list[dict[str, Any]]:
    """Return the parameters φ in their order; ``step`` is the error of the best fit, 0 if it is not free."""
    mixture, fitted = likelihood.mixture, record.result["best_fit"]
    columns = zip(mixture.names, mixture.free, mixture.point(), mixture.periods, strict=True)
    return [
        {
            "name": name,
            "role": _role(name, mixture),
            "free": bool(free),
            "nominal": float(nominal),
            "step": (fitted[name]["total"] or 0.0) if free else 0.0,
            "period": float(period) if np.isfinite(period) else None,
        }
        for name, free, nominal, period in columns
    ]


def _constraints(likelihood: ExtendedLikelihood) -> list[dict[str, Any]]:
    """Return the Gaussian constraints."""
    centres, widths = likelihood.mixture.constraints
    centres = centres if likelihood.centres is None else likelihood.centres
    return [
        {"parameter": name, "centre": float(centre), "width": float(width)}
        for name, centre, width in zip(likelihood.mixture.names, centres, widths, strict=True)
        if np.isfinite(width)
    ]


def _role(name: str, mixture: Mixture) -> str:
    if name in mixture.theory:
        return "theory"
    return {SIGNAL_STRENGTH: "signal strength", LUMINOSITY: "luminosity scale"}.get(name, "normalisation")


def _components(mixture: Mixture) -> list[dict[str, Any]]:
    """Return signal, further components and backgrounds in the order of v."""
    count = mixture.theory_count
    names = ["signal", *(each.name for each in mixture.components), *(each.name for each in mixture.backgrounds)]
    uncertainties = [None, *(c.uncertainty for c in mixture.components), *(b.uncertainty for b in mixture.backgrounds)]
    depending = [_monomials(each) for each in mixture.mapped]
    constant = {"theta": {}, "monomials": ["1"], "exponents": [[]]}
    described: list[Mapping[str, Any]] = [*depending, *(constant for _ in mixture.backgrounds)]
    return [
        {"name": name, "scale": mixture.names[count + place], "uncertainty": uncertainty, **each}
        for place, (name, uncertainty, each) in enumerate(zip(names, uncertainties, described, strict=True))
    ]


def _monomials(mapped: MappedMonomials) -> dict[str, Any]:
    """Return θ of a component as functions of the parameters, and its monomials of θ."""
    mapping, monomials = mapped.mapping, mapped.monomials
    theta = {
        name: {
            "constant": constant,
            "terms": [
                {"parameter": t.source, "factor": t.factor, "function": t.kind, "power": t.power, "unit": t.unit}
                for t in terms
            ],
        }
        for name, constant, terms in zip(mapping.outputs, mapping.constants, mapping.terms, strict=True)
    }
    return {
        "theta": theta,
        "monomials": list(monomials.names),
        "exponents": [list(powers) for powers in monomials.exponents],
    }


def _answer(record: InferenceRecord) -> dict[str, Any]:
    """Return what our fit found."""
    kept = ("best_fit", "log_likelihood", "covariance", "maxima", "intervals", "expected_events", "data", "valid")
    return {name: record.result[name] for name in kept}
