"""Components of a fit beside the signal: further ones that depend on theory parameters, and backgrounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.parameter_map import ParameterMap, Term

__all__ = ["BackgroundRate", "SignalComponent", "block_diagonal"]

Array = NDArray[np.float64]

Known = Mapping[str, tuple[float, tuple[Term, ...]]]


@dataclass(frozen=True)
class BackgroundRate:
    """A background whose rate and density do not depend on θ.

    Attributes:
        name: short name, e.g. ``"ttbar"``.
        cross_section: fiducial, pb.
        error: statistical error of the cross section, pb.
        uncertainty: relative uncertainty of the normalisation n_b (Gaussian); None leaves n_b free, 0 fixes it.
    """

    name: str
    cross_section: float
    error: float = 0.0
    uncertainty: float | None = 0.0

    def __post_init__(self) -> None:
        if not self.cross_section > 0:
            raise ParameterError(f"the background '{self.name}' needs a cross section > 0 pb, got {self.cross_section}")
        _check_uncertainty(self.name, self.uncertainty)


@dataclass(frozen=True)
class SignalComponent:
    """A component beside the signal whose density and rate depend on theory parameters, e.g. tHq beside tt̄H.

    Attributes:
        name: short name, as in analysis files.
        rate: its fiducial cross section σ_a.
        uncertainty: relative uncertainty of its normalisation n (Gaussian); None leaves n free, 0 fixes it.
        mapping: constant and terms of those of its parameters that are not parameters of the fit under their own name.
    """

    name: str
    rate: FiducialRate
    uncertainty: float | None = 0.0
    mapping: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_uncertainty(self.name, self.uncertainty)
        if unknown := set(self.mapping) - set(self.rate.monomials.parameters):
            raise ParameterError(
                f"the map of the component '{self.name}' gives {', '.join(sorted(unknown))}, but its coefficients "
                f"depend on {', '.join(self.rate.monomials.parameters) or 'nothing'}"
            )

    @property
    def own_parameters(self) -> tuple[str, ...]:
        """Parameters of the fit that the component depends on under their own names."""
        return tuple(name for name in self.rate.monomials.parameters if name not in self.mapping)

    def parameter_map(self, theory: Sequence[str], on_curves: Known) -> ParameterMap:
        """Return θ of this component as a function of the theory parameters of the fit.

        Raises:
            ParameterError: if its map names a parameter that the fit does not have, or that is on a curve.
        """
        return ParameterMap.of(theory, self.rate.monomials.parameters, {**on_curves, **self._through(on_curves)})

    def _through(self, on_curves: Known) -> dict[str, tuple[float, tuple[Term, ...]]]:
        """Return the map with parameters on a curve replaced by what the curve says."""
        return {name: _composed(constant, terms, on_curves) for name, (constant, terms) in self.mapping.items()}


def block_diagonal(blocks: Sequence[Array]) -> Array:
    """Return square matrices one after another along the diagonal, zero elsewhere."""
    size = sum(len(block) for block in blocks)
    values, place = np.zeros((size, size)), 0
    for block in blocks:
        values[place : place + len(block), place : place + len(block)] = block
        place += len(block)
    return values


def _composed(constant: float, terms: Sequence[Term], on_curves: Known) -> tuple[float, tuple[Term, ...]]:
    total, found = constant, list[Term]()
    for term in terms:
        if term.source not in on_curves:
            found.append(term)
            continue
        offset, inner = on_curves[term.source]
        total += term.factor * offset
        found += [Term(each.source, term.factor * each.factor, each.kind, each.power, each.unit) for each in inner]
    return total, tuple(found)


def _check_uncertainty(name: str, uncertainty: float | None) -> None:
    if uncertainty is not None and uncertainty < 0:
        raise ParameterError(f"the uncertainty of '{name}' must be ≥ 0, got {uncertainty}")
