"""Quick checks of the physics of an installation: one matrix element and the leading-order cross section."""

from typing import TYPE_CHECKING

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ProcessError

if TYPE_CHECKING:
    from partonic.processes.definition import MatrixElementCheck

__all__ = ["cross_section_is_plausible", "matrix_element_agrees"]

_POINTS = 20_000


def matrix_element_agrees(config: AnalysisConfig) -> str:
    """Compare |M|² of the process with values of independent programs, where it has some.

    Raises:
        ProcessError: if they differ by more than the tolerance of the value.
    """
    from partonic.processes.definition import definition_of

    checks = definition_of(config.process).checks()
    if not checks:
        return f"the process '{config.process.name}' brings no values of |M|² to compare with"
    return "; ".join(_compared(check) for check in checks)


def _compared(check: "MatrixElementCheck") -> str:
    """Compare the coefficients of |M|² at one point."""
    import torch

    momenta = torch.tensor(check.momenta, dtype=torch.float64)[None]
    alpha_s = torch.full((1,), check.alpha_s, dtype=torch.float64)
    values = check.amplitude.coefficients(momenta, alpha_s)[0].tolist()
    found = dict(zip(check.amplitude.monomials.names, values, strict=True))
    worst = 0.0
    for name, expected in check.coefficients.items():
        deviation = abs(found[name] / expected - 1.0)
        if not deviation < check.tolerance:
            raise ProcessError(
                f"the coefficient of {name} of |M|²({check.label}) is {found[name]!r} where an independent program has "
                f"{expected!r}: this installation computes wrongly; please report it with the output of `pip freeze`"
            )
        worst = max(worst, deviation)
    return f"|M|²({check.label}) is that of an independent program to {worst:.0e}"


def cross_section_is_plausible(config: AnalysisConfig) -> str:
    """Build the process, which reads the parton densities, and integrate it with a few thousand points.

    Raises:
        PdfError: if the PDF set is missing.
        ProcessError: if the collider energy is below threshold, or the cross section is not positive at some θ.
    """
    import torch

    from partonic.estimate import Estimate
    from partonic.processes.definition import build_process, standard_model
    from partonic.rng import numpy_generator, torch_generator

    process = build_process(config.process)
    numbers = torch.rand(
        _POINTS, process.dimensions, dtype=torch.float64, generator=torch_generator(config.seed, "check")
    )
    events, log_jacobian = process.from_unit_cube(numbers)
    coefficients = (process.coefficients(events) * log_jacobian.exp()[:, None]).numpy()
    theta = numpy_generator(config.seed, "check").normal(size=(100, len(process.monomials.parameters)))
    lowest = (process.monomials.evaluate(theta) @ coefficients.mean(axis=0)).min()
    point = standard_model(config.process.name)
    at_point = Estimate.from_weights(coefficients @ process.monomials.evaluate(process.monomials.point(point)))
    if not (lowest > 0 and at_point.value > 0):
        raise ProcessError(
            f"the cross section of '{process.name}' is {min(lowest, at_point.value)} pb at some θ, but must be "
            "positive: this is a bug, please report it with the analysis file"
        )
    where = ", ".join(f"{name} = {value:g}" for name, value in point.items()) or "θ = 0"
    return (
        f"'{process.name}', θ = ({', '.join(process.monomials.parameters)}), PDF set {config.process.pdf.name}: "
        f"σ({where}) = {at_point} pb, from {_POINTS:,} points"
    )
