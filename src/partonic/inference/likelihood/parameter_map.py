"""Theory parameters as functions of the numbers that are fitted: affine maps, circles and polynomials.

A component of a fit has its own parameters θ, and the fit has numbers ψ: those of θ themselves, or the place on a curve
through the space of θ, e.g. a mixing angle α ↦ (cos α, sin α). Each θ_k is a constant and a sum of terms that depend on
one ψ_i each,

    θ_k(ψ) = c_k + Σ_t f_t g_t(ω_t ψ_i(t)),   g = u^p, cos u or sin u,

so that ∂²θ_k/∂ψ_i∂ψ_j vanishes for i ≠ j. ω turns degrees into radians.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.polynomial import Monomials

__all__ = ["Curve", "MappedMonomials", "ParameterMap", "Term", "affine"]

Array = NDArray[np.float64]

_PART = re.compile(r"([+-]?)(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)(?:\*([A-Za-z_]\w*))?|([A-Za-z_]\w*))")


@dataclass(frozen=True)
class Term:
    """One term f·g(ω ψ_i) of a parameter.

    Attributes:
        source: name of ψ_i.
        factor: f.
        kind: g: ``"power"``, ``"cos"`` or ``"sin"``.
        power: p of a power, 1 or more.
        unit: ω.
    """

    source: str
    factor: float = 1.0
    kind: Literal["power", "cos", "sin"] = "power"
    power: int = 1
    unit: float = 1.0

    def derivative(self, value: Array, order: int) -> Array:
        """Return the term (order 0) or its first or second derivative at values of ψ_i, of any shape."""
        u, factor = self.unit * value, self.factor * self.unit**order
        if self.kind == "power":
            if order > self.power:
                return np.asarray(np.zeros_like(value))
            return np.asarray(factor * math.perm(self.power, order) * u ** (self.power - order))
        quarter = 0.5 * np.pi * (order + (1 if self.kind == "cos" else 0))
        return np.asarray(factor * np.sin(u + quarter))


@dataclass(frozen=True)
class Curve:
    """A curve through the space of theory parameters, along which one number is fitted.

    Attributes:
        name: of the number.
        constants: of the theory parameters on the curve, by name.
        terms: of each of them.
        nominal: value of the number where nothing else is said.
        period: after which the curve repeats itself, in units of the number; None if it never does.
    """

    name: str
    constants: Mapping[str, float]
    terms: Mapping[str, tuple[Term, ...]]
    nominal: float = 0.0
    period: float | None = None


@dataclass(frozen=True)
class ParameterMap:
    """θ(ψ) of one component.

    Attributes:
        inputs: names of the I numbers ψ.
        outputs: names of the K parameters θ.
        constants: c_k, `(K,)`.
        terms: of each θ_k.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: tuple[float, ...]
    terms: tuple[tuple[Term, ...], ...]

    @classmethod
    def of(
        cls, inputs: Sequence[str], outputs: Sequence[str], known: Mapping[str, tuple[float, tuple[Term, ...]]]
    ) -> "ParameterMap":
        """Return the map that takes θ_k from `known` (constant and terms by name), and else from the ψ of its name.

        Raises:
            ParameterError: if a θ_k is neither, or a term is of a number that there is not.
        """
        constants, terms = [], []
        for name in outputs:
            constant, of_name = known.get(name, (0.0, (Term(name),)))
            for term in of_name:
                if term.source not in inputs:
                    raise ParameterError(
                        f"'{name}' depends on '{term.source}', which is no parameter of the fit: "
                        f"{', '.join(inputs) or 'it has none'}"
                    )
            constants.append(float(constant))
            terms.append(of_name)
        return cls(tuple(inputs), tuple(outputs), tuple(constants), tuple(terms))

    @cached_property
    def is_identity(self) -> bool:
        """Whether θ = ψ."""
        return self.inputs == self.outputs and all(
            constant == 0.0 and terms == (Term(name),)
            for name, constant, terms in zip(self.outputs, self.constants, self.terms, strict=True)
        )

    def value(self, psi: Array) -> Array:
        """Return θ of points `(..., I)`, as `(..., K)`."""
        if self.is_identity:
            return psi
        values = np.empty((*psi.shape[:-1], len(self.outputs)))
        for k, (constant, terms) in enumerate(zip(self.constants, self.terms, strict=True)):
            values[..., k] = constant
            for term in terms:
                values[..., k] += term.derivative(psi[..., self.inputs.index(term.source)], 0)
        return values

    def derivatives(self, psi: Array, order: int) -> Array:
        """Return ∂θ_k/∂ψ_i (order 1) or ∂²θ_k/∂ψ_i² (order 2) at points `(..., I)`, as `(..., K, I)`."""
        values = np.zeros((*psi.shape[:-1], len(self.outputs), len(self.inputs)))
        for k, terms in enumerate(self.terms):
            for term in terms:
                i = self.inputs.index(term.source)
                values[..., k, i] += term.derivative(psi[..., i], order)
        return values


@dataclass(frozen=True)
class MappedMonomials:
    """The monomials m_a(θ(ψ)) of a component as functions of the numbers that are fitted.

    Attributes:
        monomials: m_a(θ).
        mapping: θ(ψ).
    """

    monomials: Monomials
    mapping: ParameterMap

    def evaluate(self, psi: Array) -> Array:
        """Return m_a at points `(..., I)`, as `(..., A)`."""
        return self.monomials.evaluate(self.mapping.value(psi))

    def gradient(self, psi: Array) -> Array:
        """Return ∂m_a/∂ψ_i at points `(..., I)`, as `(..., A, I)`."""
        slope = self.monomials.gradient(self.mapping.value(psi))
        values: Array = slope if self.mapping.is_identity else slope @ self.mapping.derivatives(psi, 1)
        return values

    def hessian(self, psi: Array) -> Array:
        """Return ∂²m_a/∂ψ_i∂ψ_j at points `(..., I)`, as `(..., A, I, I)`."""
        theta = self.mapping.value(psi)
        curvature = self.monomials.hessian(theta)
        if self.mapping.is_identity:
            return curvature
        first, second = self.mapping.derivatives(psi, 1), self.mapping.derivatives(psi, 2)
        values: Array = np.einsum("...ki,...akl,...lj->...aij", first, curvature, first)
        own = self.monomials.gradient(theta) @ second
        places = np.arange(len(self.mapping.inputs))
        values[..., places, places] += own
        return values


def affine(expression: str | float) -> tuple[float, tuple[Term, ...]]:
    """Return constant and terms of e.g. ``"1 + delta_kappa_t"``, ``"0.5*c - 2"`` or a number.

    Nothing of it is executed: it is a sum of numbers, names, and numbers times a name.

    Raises:
        ParameterError: if it is anything else.
    """
    text = re.sub(r"\s*([+*-])\s*", r"\1", str(expression).strip())
    constant, terms, place = 0.0, list[Term](), 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None or (place and not found[1]):
            raise ParameterError(
                f"cannot read '{expression}': expected a sum of numbers, parameters and numbers times a parameter, "
                "e.g. 1 + 0.5*delta_kappa_t"
            )
        sign = -1.0 if found[1] == "-" else 1.0
        name = found[3] or found[4]
        if name:
            terms.append(Term(name, sign * float(found[2] or 1.0)))
        else:
            constant += sign * float(found[2])
        place = found.end()
    if not text:
        msg = "an empty map: expected a sum such as 1 + delta_kappa_t"
        raise ParameterError(msg)
    return constant, tuple(terms)
