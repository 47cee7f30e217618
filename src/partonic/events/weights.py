"""Event weights: from weights at known θ points to coefficients of θ.

A weight is a polynomial in θ, w(θ) = Σ_a c_a m_a(θ). Weights w_b at known points θ_b therefore determine the
coefficients c_a: a linear system per event (morphing), solved by least squares where there are more points than
monomials. The residual of that fit tells whether the weights follow the polynomial at all, and is limited.

Weights that are no θ point (scales, PDF members, shower variations) stay as named columns.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, ParameterError
from partonic.polynomial import Monomials, solve_morphing

__all__ = [
    "SolvedWeights",
    "ThetaWeights",
    "column_name",
    "distinct_columns",
    "no_polynomial",
    "parse_theta",
    "solve_weights",
    "theta_weights",
    "weights_to_coefficients",
]

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?"
_EQUATION = re.compile(rf"([A-Za-z]\w*)\s*=\s*({_NUMBER})(?![\w.])")
_ENCODED = re.compile(r"(m|min)?(\d+)(?:p(\d+))?")


@dataclass(frozen=True)
class ThetaWeights:
    """Which weights of a file sit at which θ.

    Attributes:
        names: identifiers of B weights.
        points: their θ, `(B, K)`.
    """

    names: tuple[str, ...]
    points: Array


def parse_theta(text: str, parameters: Sequence[str]) -> dict[str, float] | None:
    """Return the θ point that the text or name of a weight states, or None if it states none.

    Understood are equations, ``delta_kappa_t=0.0 c_tG=-0.5``, and names of the kind ``ctg_0p5_cpq_m1`` where ``p``
    stands for the decimal point and ``m`` (or ``min``) for the minus sign. Parameters that are not named are 0.

    Args:
        text: description or name of the weight.
        parameters: names of the theory parameters.
    """
    equations = _EQUATION.findall(text)
    if equations and all(name in parameters for name, _ in equations):
        return {name: float(value.lower().replace("d", "e")) for name, value in equations}
    return _decoded_name(text.strip(), parameters)


def _decoded_name(text: str, parameters: Sequence[str]) -> dict[str, float] | None:
    """Read ``name_value_name_value``; names may contain underscores themselves."""
    values: dict[str, float] = {}
    rest = text
    while rest:
        name = next((name for name in sorted(parameters, key=len, reverse=True) if rest.startswith(f"{name}_")), None)
        found = _ENCODED.match(rest, len(name) + 1) if name is not None else None
        if name is None or found is None or name in values or rest[found.end() : found.end() + 1] not in ("", "_"):
            return None
        sign, whole, decimals = found.groups()
        values[name] = float(f"{whole}.{decimals or 0}") * (-1.0 if sign else 1.0)
        rest = rest[found.end() + 1 :]
    return values or None


def theta_weights(
    descriptions: Mapping[str, str],
    monomials: Monomials,
    given: Mapping[str, Mapping[str, float]],
    where: str,
    extra: Mapping[str, Array] | None = None,
    *,
    max_condition: float = 1e6,
    standard_model: Mapping[str, float] | None = None,
) -> ThetaWeights:
    """Find the weights that sit at known θ points.

    Args:
        descriptions: text of each weight that the file declares, by identifier.
        monomials: the monomials of θ.
        given: θ points stated by the user, by weight identifier; when there are any, nothing else is looked at.
        where: name of the file, for messages.
        extra: further points `(K,)` by name, listed last (the nominal weight at the generation θ).
        max_condition: largest condition number of the points.
        standard_model: values of parameters that a point does not name, where they are not 0.

    Raises:
        EventFileError: if a stated weight is not in the file, or the points do not determine the coefficients, or are
            so close together that rounding would.
        ParameterError: if a stated point names an unknown parameter.
    """
    parameters = monomials.parameters
    if missing := [name for name in given if name not in descriptions]:
        known = ", ".join(list(descriptions)[:20]) or "none"
        raise EventFileError(f"{where}: no weight {', '.join(missing)}; the file has: {known}")
    found: dict[str, Mapping[str, float]] = dict(given)
    if not given:
        for name, text in descriptions.items():
            point = parse_theta(text, parameters) or parse_theta(name, parameters)
            if point is not None:
                found[name] = point
    standard = dict(standard_model or {})
    rows = {name: monomials.point(standard | dict(point)) for name, point in found.items()} | dict(extra or {})
    points = np.array(list(rows.values())).reshape(len(rows), len(parameters))
    _check_determined(monomials, points, where, max_condition)
    return ThetaWeights(tuple(rows), points)


def _check_determined(monomials: Monomials, points: Array, where: str, max_condition: float) -> None:
    try:
        solution = solve_morphing(monomials, points, np.zeros((0, len(points))))
    except ParameterError as error:
        raise EventFileError(
            f"{where}: its weights do not give the dependence on θ: {error}. State the θ points of its weights under "
            "`weight_points`, or set `theta_independent: true` if these events do not depend on θ"
        ) from error
    if solution.condition_number > max_condition:
        raise EventFileError(
            f"{where}: the {len(points)} θ points of its weights are so close together that rounding would decide the "
            f"coefficients: the condition number of the system is {solution.condition_number:.2g}, allowed "
            f"{max_condition:.2g}. Use weights at points further apart (import.max_condition allows more)"
        )


@dataclass(frozen=True, eq=False)
class SolvedWeights:
    """Coefficients of events, and how well their weights follow the polynomial.

    Attributes:
        coefficients: in pb, `(N, A)`.
        residual: root mean square of (fit − weight) of each event, relative to its largest |weight|, `(N,)`.
        no_polynomial: whether that is too large beside its other weights, `(N,)`.
    """

    coefficients: Array
    residual: Array
    no_polynomial: NDArray[np.bool_]


def solve_weights(
    monomials: Monomials, weights: ThetaWeights, values: Array, max_residual: float, rounding: float = 0.0
) -> SolvedWeights:
    """Solve weights at known θ points for the coefficients.

    Args:
        monomials: the A monomials.
        weights: where the B weights sit.
        values: the weights in pb, finite, `(N, B)`; any sign.
        max_residual: largest root mean square of (fit − weight) of an event, relative to the median of its |weights|;
            relative to the largest one, a single wild weight would hide itself.
        rounding: relative rounding of the weights, which the largest one may spread over all.
    """
    solution = solve_morphing(monomials, weights.points, values)
    size = np.abs(values)
    allowed = max_residual * np.median(size, axis=1) + rounding * size.max(axis=1)
    return SolvedWeights(solution.coefficients, solution.residual, solution.residual * size.max(axis=1) > allowed)


def weights_to_coefficients(
    monomials: Monomials, weights: ThetaWeights, values: Array, event_ids: NDArray[np.int64], max_residual: float
) -> Array:
    """Solve weights that must follow the polynomial for the coefficients in pb, `(N, A)`.

    Args:
        monomials: the A monomials.
        weights: where the B weights sit.
        values: the weights in pb, `(N, B)`.
        event_ids: numbers of the events, for messages, `(N,)`.
        max_residual: as in `solve_weights`.

    Raises:
        EventFileError: if a weight is not finite, or the weights of an event do not follow the polynomial.
    """
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        raise EventFileError(f"event {event_ids[bad[0]]}: a weight at a θ point is NaN or infinite")
    solved = solve_weights(monomials, weights, values, max_residual)
    wild = np.flatnonzero(solved.no_polynomial)
    if wild.size:
        raise EventFileError(
            f"event {event_ids[wild[0]]}: its {no_polynomial(monomials, weights, solved.residual[wild[0]])}"
        )
    return solved.coefficients


def no_polynomial(monomials: Monomials, weights: ThetaWeights, residual: float) -> str:
    """Say what is wrong with weights that do not follow the polynomial."""
    return (
        f"weights at {len(weights.names)} θ points are no polynomial in the monomials {', '.join(monomials.names)}: "
        f"relative residual {residual:.2g}. Check the θ points and the monomials, or raise `max_residual`"
    )


def column_name(*parts: str) -> str:
    """Return a name for an extra weight made of letters, digits, dots, signs and single underscores."""
    return re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9.+-]", "_", "_".join(parts))).strip("_")


def distinct_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Return names of columns for weights, no two the same.

    Args:
        columns: what each weight would be called, by identifier; identifiers that differ in other characters than
            `column_name` keeps may make the same, or nothing. Those get their place in addition.
    """
    taken: set[str] = set()
    result = {}
    for place, (identifier, wanted) in enumerate(columns.items()):
        column = column_name(wanted)
        while not column or column in taken:
            column = column_name(column, str(place))
        taken.add(column)
        result[identifier] = column
    return result
