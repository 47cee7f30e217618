"""Event weights: from weights at known θ points to coefficients of θ, and from a generator's weights to pb.

A weight is a polynomial in θ, w(θ) = Σ_a c_a m_a(θ). Weights w_b at known points θ_b therefore determine the
coefficients c_a: a linear system per event (morphing), solved by least squares where there are more points than
monomials. The residual of that fit tells whether the weights follow the polynomial at all, and is limited.

Weights that are no θ point (scales, PDF members, shower variations) stay as named columns.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, ParameterError
from partonic.polynomial import Monomials, solve_morphing

__all__ = [
    "SolvedWeights",
    "ThetaWeights",
    "WeightSums",
    "column_name",
    "distinct_columns",
    "lhe_factors",
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


@dataclass(frozen=True)
class WeightSums:
    """Number and sum of the nominal weights of one process in a file.

    Attributes:
        count: number of events.
        total: sum of their weights, in the units of the file.
        cross_section: cross section that the file states, pb.
    """

    count: int
    total: float
    cross_section: float


def lhe_factors(
    strategy: int,
    sums: Mapping[int, WeightSums],
    rule: str = "auto",
    cross_section: float | None = None,
    *,
    warn: Callable[[str], None] | None = None,
) -> tuple[dict[int, float], str]:
    """Return the factor that turns XWGTUP into pb such that all events sum to the cross section, by process.

    The weighting strategy |IDWTUP| of hep-ph/0109068 says what XWGTUP means: 1 and 4, the mean of the weights is the
    cross section; 2, the weights of each process are relative to its XSECUP; 3, unit weights (±1), all processes
    together have the cross section Σ XSECUP. Generators that write weights whose *sum* is the cross section under
    strategy 4 (MadGraph with ``event_norm = sum``) are recognised by comparison with XSECUP to 2%. There is a warning
    when the weights do not fit XSECUP: some generators write other units, or a placeholder for XSECUP.

    Args:
        strategy: IDWTUP; its sign only announces negative weights.
        sums: number and sum of the weights, by process number.
        rule: ``"auto"`` as above, or ``"average"`` or ``"sum"`` whatever IDWTUP says.
        cross_section: total in pb that replaces the one of the file.
        warn: takes warnings; None: they are logged.

    Returns:
        the factors, and a sentence that says what was done.

    Raises:
        EventFileError: if IDWTUP is unknown, or the weights cannot be normalised.
    """
    count = sum(entry.count for entry in sums.values())
    total = sum(entry.total for entry in sums.values())
    stated = sum(entry.cross_section for entry in sums.values())
    kind = abs(strategy)
    if kind not in (1, 2, 3, 4):
        raise EventFileError(f"the weighting strategy IDWTUP must be ±1, ±2, ±3 or ±4, got {strategy}")
    if rule == "auto":
        rule = {1: "average", 2: "process", 3: "header", 4: "average"}[kind]
        if kind == 4 and count > 1 and stated and abs(total / stated - 1) < 0.02:
            rule = "sum"
        elif cross_section is None and kind != 2:
            _warn_if_implausible(strategy, count, total, stated, warn or logger.warning)
    factors = _factors(rule, sums, count, total, stated)
    note = f"IDWTUP {strategy}: {_RULES[rule]}"
    if cross_section is not None:
        weighted = sum(factors[process] * entry.total for process, entry in sums.items())
        scale = _ratio(cross_section, weighted)
        factors = {process: factor * scale for process, factor in factors.items()}
        note = f"{note}; scaled to {cross_section} pb as configured"
    return factors, note


def _warn_if_implausible(strategy: int, count: int, total: float, stated: float, warn: Callable[[str], None]) -> None:
    """Warn if the weights do not mean what IDWTUP says, as far as the stated cross section can tell."""
    mean = total / max(count, 1)
    sums = (mean, total) if abs(strategy) == 3 else (mean,)
    near = stated and min(abs(value / stated - 1) for value in sums) < _NEAR
    if near or (abs(strategy) == 3 and abs(mean) < 1.0 + 1e-6):  # weights of ±1 have no unit
        return
    warn(
        f"IDWTUP is {strategy}, the weights have the mean {mean:.4g} and the sum {total:.4g}, and the file states "
        f"{stated:.4g} pb, which does not fit. Check the cross section, and give import.cross_section if need be"
    )


_NEAR = 0.2
"""Relative deviation from XSECUP that few events of very different weights may have."""

_RULES = {
    "average": "the mean of the weights is the cross section",
    "sum": "the sum of the weights is the cross section",
    "process": "the weights of each process sum to its XSECUP",
    "header": "the weights of all events sum to the sum of XSECUP",
}


def _factors(rule: str, sums: Mapping[int, WeightSums], count: int, total: float, stated: float) -> dict[int, float]:
    if rule == "process":
        return {process: _ratio(entry.cross_section, entry.total) for process, entry in sums.items() if entry.count}
    factor = {"average": 1.0 / max(count, 1), "sum": 1.0}.get(rule)
    return dict.fromkeys(sums, _ratio(stated, total) if factor is None else factor)


def _ratio(cross_section: float, total: float) -> float:
    turned = cross_section * total < 0
    if total == 0 or not np.isfinite(total) or turned:
        how = " without turning the sign of each. Check the weights and cross sections of the file" if turned else ""
        raise EventFileError(
            f"the event weights sum to {total:g}: they cannot be normalised to {cross_section:g} pb{how}"
        )
    return cross_section / total


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
