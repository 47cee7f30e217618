"""What is fitted, and how it moves the density of events: signal and backgrounds as one linear form.

The parameters φ are θ, the signal strength μ, one normalisation n_b for each background, and the scale λ of the
luminosity. Every density and every rate is linear in the mixture vector

    v(φ) = (μ m_1(θ), ..., μ m_A(θ), n_1, n_2, ...),

the expected number of events is L λ s·v with s = (σ_1, ..., σ_A, σ_b1, ...), and the density of an event is B·v with
one row B of its coefficients (`partonic.inference.likelihood.event_terms`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.rate import FiducialRate
from partonic.units import PB_TO_FB

__all__ = ["LUMINOSITY", "SIGNAL_STRENGTH", "BackgroundRate", "Mixture"]

Array = NDArray[np.float64]

SIGNAL_STRENGTH = "signal_strength"
"""Name of the factor μ on the signal."""

LUMINOSITY = "luminosity_scale"
"""Name of the factor λ on the luminosity."""


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
        if self.uncertainty is not None and self.uncertainty < 0:
            raise ParameterError(f"the uncertainty of the background '{self.name}' must be ≥ 0, got {self.uncertainty}")


@dataclass(frozen=True)
class Mixture:
    """Signal and backgrounds, and which of their parameters are fitted.

    Attributes:
        signal: rate of the signal.
        backgrounds: rates of the backgrounds.
        luminosity: L in fb⁻¹.
        luminosity_uncertainty: relative, Gaussian; 0 fixes λ.
        fitted: theory parameters that are fitted; the others are fixed.
        fixed_values: values of theory parameters that are fixed; 0 where not named.
        free_signal_strength: whether μ is fitted.
        theta_constraints: (centre, width) of Gaussian constraints on theory parameters.
    """

    signal: FiducialRate
    backgrounds: tuple[BackgroundRate, ...] = ()
    luminosity: float = 300.0
    luminosity_uncertainty: float = 0.0
    fitted: tuple[str, ...] = ()
    fixed_values: Mapping[str, float] = field(default_factory=dict)
    free_signal_strength: bool = False
    theta_constraints: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = self.signal.monomials.parameters
        for name in (*self.fitted, *self.fixed_values, *self.theta_constraints):
            if name not in known:
                raise ParameterError(
                    f"unknown theory parameter '{name}': the coefficients have {', '.join(known) or 'none'}"
                )
        if both := set(self.fitted) & set(self.fixed_values):
            raise ParameterError(f"{', '.join(sorted(both))}: a parameter is either fitted or fixed, not both")
        if not self.luminosity > 0:
            raise ParameterError(f"the luminosity must be > 0 fb⁻¹, got {self.luminosity}")
        if len(set(self.names)) < len(self.names):
            raise ParameterError(f"the parameters of a fit must have different names, got {', '.join(self.names)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all P parameters φ: θ, μ, normalisations of the backgrounds, λ."""
        norms = (f"{background.name}_normalisation" for background in self.backgrounds)
        return (*self.signal.monomials.parameters, SIGNAL_STRENGTH, *norms, LUMINOSITY)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Which parameters are fitted, `(P,)`."""
        theta = [name in self.fitted for name in self.signal.monomials.parameters]
        norms = [background.uncertainty != 0.0 for background in self.backgrounds]
        return np.array([*theta, self.free_signal_strength, *norms, self.luminosity_uncertainty > 0], dtype=np.bool_)

    @cached_property
    def constraints(self) -> Array:
        """Centres and widths of the Gaussian constraints, infinite width where there is none, `(2, P)`."""
        theta = [self.theta_constraints.get(name, (0.0, np.inf)) for name in self.signal.monomials.parameters]
        norms = [(1.0, background.uncertainty or np.inf) for background in self.backgrounds]
        return np.array([*theta, (1.0, np.inf), *norms, (1.0, self.luminosity_uncertainty or np.inf)]).T

    @cached_property
    def stacked_rate(self) -> Array:
        """Cross sections s = (σ_a, σ_b) in pb, in the order of v, `(V,)`."""
        return np.array([*self.signal.coefficients, *(background.cross_section for background in self.backgrounds)])

    @cached_property
    def stacked_covariance(self) -> Array:
        """Statistical covariance of `stacked_rate` in pb², `(V, V)`."""
        size = len(self.signal.monomials)
        covariance = np.diag([0.0] * size + [background.error**2 for background in self.backgrounds])
        covariance[:size, :size] = self.signal.covariance
        return covariance

    @property
    def per_picobarn(self) -> float:
        """The luminosity in pb⁻¹."""
        return self.luminosity * PB_TO_FB

    def point(self, values: Mapping[str, float] | None = None) -> Array:
        """Return φ `(P,)` with the given values, the fixed ones, and nominal ones elsewhere (θ = 0, all factors 1).

        Raises:
            ParameterError: if a name is not a parameter.
        """
        start = dict.fromkeys(self.names, 1.0) | dict.fromkeys(self.signal.monomials.parameters, 0.0)
        for name, value in {**self.fixed_values, **(values or {})}.items():
            if name not in start:
                raise ParameterError(f"unknown parameter '{name}'; this fit has {', '.join(self.names)}")
            start[name] = float(value)
        return np.array([start[name] for name in self.names])

    def index(self, name: str) -> int:
        """Return the place of the parameter `name` in φ.

        Raises:
            ParameterError: if there is none of that name.
        """
        if name not in self.names:
            raise ParameterError(f"unknown parameter '{name}'; this fit has {', '.join(self.names)}")
        return self.names.index(name)

    def vector(self, phi: Array) -> Array:
        """Return v(φ) of points `(..., P)`, as `(..., V)`."""
        count = len(self.signal.monomials.parameters)
        signal = phi[..., count, None] * self.signal.monomials.evaluate(phi[..., :count])
        return np.concatenate([signal, phi[..., count + 1 : -1]], axis=-1)

    def jacobian(self, phi: Array) -> Array:
        """Return ∂v/∂φ at one point `(P,)`, as `(V, P)`."""
        monomials = self.signal.monomials
        count, size = len(monomials.parameters), len(monomials)
        values = np.zeros((len(self.stacked_rate), len(phi)))
        values[:size, :count] = phi[count] * monomials.gradient(phi[:count])
        values[:size, count] = monomials.evaluate(phi[:count])
        norms = np.arange(len(self.backgrounds))
        values[size + norms, count + 1 + norms] = 1.0
        return values

    def curvature(self, phi: Array, factors: Array) -> Array:
        """Return Σ_a factors_a ∂²v_a/∂φ∂φ at one point `(P,)`, as `(P, P)`; `factors` is `(V,)`."""
        monomials = self.signal.monomials
        count, size = len(monomials.parameters), len(monomials)
        values = np.zeros((len(phi), len(phi)))
        values[:count, :count] = phi[count] * np.einsum("a,ajk->jk", factors[:size], monomials.hessian(phi[:count]))
        mixed = factors[:size] @ monomials.gradient(phi[:count])
        values[:count, count] = values[count, :count] = mixed
        return values

    def expected_by_component(self, phi: Array) -> Array:
        """Return the expected numbers of events of the signal and of each background at φ `(P,)`, `(1 + backgrounds,)`.

        A fit may leave one of them negative: a background that the data have less of than nothing.
        """
        size = len(self.signal.monomials)
        each = self.stacked_rate * self.vector(phi)
        numbers: Array = self.per_picobarn * phi[-1] * np.array([each[:size].sum(), *each[size:]])
        return numbers
