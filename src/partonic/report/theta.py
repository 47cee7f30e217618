"""The θ points of the report and how they are written."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from partonic.plots.style import PALETTE
from partonic.polynomial import Monomials
from partonic.report.labels import parameter_label
from partonic.report.section import ThetaPoint

__all__ = ["reference_point", "theta_points"]

Array = NDArray[np.float64]


def reference_point(
    monomials: Monomials, values: Mapping[str, float], standard_model: Mapping[str, float]
) -> tuple[Array, str]:
    """Return the reference θ `(K,)` and its name: ``"SM"`` where all parameters are those of the Standard Model.

    Args:
        monomials: of the events.
        values: θ by name; those of the Standard Model where not named.
        standard_model: values in the Standard Model; 0 where not named.

    Raises:
        ParameterError: if a parameter is unknown.
    """
    standard = {name: value for name, value in standard_model.items() if name in monomials.parameters}
    theta = monomials.point({**standard, **values})
    return theta, "SM" if np.array_equal(theta, monomials.point(standard)) else "reference"


def theta_points(
    monomials: Monomials, chosen: Sequence[Mapping[str, float]], reference: Array
) -> tuple[ThetaPoint, ...]:
    """Return the points to compare with the reference; by default +1 and −1 from it along each parameter.

    Raises:
        ParameterError: if a parameter is unknown.
    """
    steps = np.eye(len(monomials.parameters))
    default = [reference + sign * step for step in steps for sign in (1.0, -1.0)]
    points: list[ThetaPoint] = []
    for theta in [monomials.point(values) for values in chosen] or default:
        points.append(_described(monomials, theta, reference, points))
    return tuple(points)


def _described(monomials: Monomials, theta: Array, reference: Array, earlier: Sequence[ThetaPoint]) -> ThetaPoint:
    moved = [int(index) for index in np.flatnonzero(theta != reference)]
    names = [monomials.parameters[index] for index in moved or range(len(theta))]
    values = [_signed(theta[index]) for index in moved or range(len(theta))]
    parameter = names[0] if len(moved) == 1 else ""
    alike = [point for point in earlier if parameter and point.parameter == parameter]
    colours = list(dict.fromkeys(point.colour for point in earlier))
    return ThetaPoint(
        values=theta,
        label=", ".join(f"{parameter_label(name)} = {value}" for name, value in zip(names, values, strict=True)),
        text=", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True)),
        parameter=parameter,
        colour=alike[0].colour if alike else PALETTE[len(colours) % len(PALETTE)],
        dashed=bool(alike) or len(colours) >= len(PALETTE),
    )


def _signed(value: float) -> str:
    """Return e.g. ``"+1"`` or ``"−0.5"``, with a true minus sign."""
    return f"{value:+g}".replace("-", "−") if value else "0"
