"""What is fitted, and how it moves the density of events: signals and backgrounds as one linear form.

The parameters φ are the theory parameters ψ, the signal strength μ, one normalisation n for each further component and
background, and the scale λ of the luminosity. Every density and every rate is linear in the mixture vector

    v(φ) = (μ m_1(θ), ..., μ m_A(θ), n_1 m'_1(θ'), ..., n_2, n_3, ...),

the expected number of events is L λ s·v with s = (σ_1, ..., σ_A, σ'_1, ..., σ_b, ...), and the density of an event is
B·v with one row B of its coefficients (`partonic.inference.likelihood.event_terms`). θ of the signal and θ' of further
components are functions of the same ψ (`partonic.inference.likelihood.parameter_map`): parameters of one name are one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.components import BackgroundRate, SignalComponent, block_diagonal
from partonic.inference.likelihood.parameter_map import Curve, MappedMonomials, ParameterMap
from partonic.units import PB_TO_FB

__all__ = ["LUMINOSITY", "SIGNAL_STRENGTH", "BackgroundRate", "Mixture"]

Array = NDArray[np.float64]

SIGNAL_STRENGTH = "signal_strength"
"""Name of the factor μ on the signal."""

LUMINOSITY = "luminosity_scale"
"""Name of the factor λ on the luminosity."""


@dataclass(frozen=True)
class Mixture:
    """Signals and backgrounds, and which of their parameters are fitted.

    Attributes:
        signal: rate of the signal.
        backgrounds: rates of the backgrounds.
        luminosity: L in fb⁻¹.
        luminosity_uncertainty: relative, Gaussian; 0 fixes λ.
        fitted: theory parameters that are fitted; the others are fixed.
        fixed_values: values of theory parameters that are fixed; those of the Standard Model where not named.
        free_signal_strength: whether μ is fitted.
        theta_constraints: (centre, width) of Gaussian constraints on theory parameters.
        components: further components that depend on theory parameters.
        curves: along which theory parameters are moved together.
        standard_model: values of theory parameters in the Standard Model; 0 where not named.
    """

    signal: FiducialRate
    backgrounds: tuple[BackgroundRate, ...] = ()
    luminosity: float = 300.0
    luminosity_uncertainty: float = 0.0
    fitted: tuple[str, ...] = ()
    fixed_values: Mapping[str, float] = field(default_factory=dict)
    free_signal_strength: bool = False
    theta_constraints: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    components: tuple[SignalComponent, ...] = ()
    curves: tuple[Curve, ...] = ()
    standard_model: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        on_curve = {name: curve.name for curve in self.curves for name in curve.terms}
        for name in (*self.fitted, *self.fixed_values, *self.theta_constraints):
            if name not in self.theory:
                where = f" ('{name}' is on the curve '{on_curve[name]}')" if name in on_curve else ""
                raise ParameterError(
                    f"unknown theory parameter '{name}': the fit has {', '.join(self.theory) or 'none'}{where}"
                )
        if unknown := (set(on_curve) | set(self.standard_model)) - set(self._all_theta):
            raise ParameterError(
                f"{', '.join(sorted(unknown))}: a curve, or the Standard Model, is given for parameters that the "
                f"coefficients do not have: {', '.join(self._all_theta) or 'none'}"
            )
        if both := set(self.fitted) & set(self.fixed_values):
            raise ParameterError(f"{', '.join(sorted(both))}: a parameter is either fitted or fixed, not both")
        if not self.luminosity > 0:
            raise ParameterError(f"the luminosity must be > 0 fb⁻¹, got {self.luminosity}")
        if len(set(self.names)) < len(self.names) or len(on_curve) < sum(len(curve.terms) for curve in self.curves):
            raise ParameterError(
                f"the parameters of a fit must have different names, and be on one curve at most, got "
                f"{', '.join(self.names)}"
            )

    @cached_property
    def _all_theta(self) -> tuple[str, ...]:
        """Parameters of the signal and those that further components add, before curves."""
        added = (name for component in self.components for name in component.own_parameters)
        return tuple(dict.fromkeys([*self.signal.monomials.parameters, *added]))

    @cached_property
    def theory(self) -> tuple[str, ...]:
        """Names of the I theory parameters ψ: those that are on no curve, and the curves."""
        on_curve = {name for curve in self.curves for name in curve.terms}
        return (*(name for name in self._all_theta if name not in on_curve), *(curve.name for curve in self.curves))

    @property
    def _normalised(self) -> tuple[SignalComponent | BackgroundRate, ...]:
        """What has a normalisation of its own."""
        return (*self.components, *self.backgrounds)

    @property
    def theory_count(self) -> int:
        """Number I of theory parameters, which stand first in φ."""
        return len(self.theory)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all P parameters φ: ψ, μ, normalisations of components and backgrounds, λ."""
        norms = (f"{each.name}_normalisation" for each in self._normalised)
        return (*self.theory, SIGNAL_STRENGTH, *norms, LUMINOSITY)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Which parameters are fitted, `(P,)`."""
        theta = [name in self.fitted for name in self.theory]
        norms = [each.uncertainty != 0.0 for each in self._normalised]
        return np.array([*theta, self.free_signal_strength, *norms, self.luminosity_uncertainty > 0], dtype=np.bool_)

    @cached_property
    def periods(self) -> Array:
        """Period of each parameter, infinite for those that have none, `(P,)`."""
        known = {curve.name: curve.period for curve in self.curves}
        return np.array([known.get(name) or np.inf for name in self.names])

    @cached_property
    def constraints(self) -> Array:
        """Centres and widths of the Gaussian constraints, infinite width where there is none, `(2, P)`."""
        theta = [self.theta_constraints.get(name, (0.0, np.inf)) for name in self.theory]
        norms = [(1.0, each.uncertainty or np.inf) for each in self._normalised]
        return np.array([*theta, (1.0, np.inf), *norms, (1.0, self.luminosity_uncertainty or np.inf)]).T

    @cached_property
    def stacked_rate(self) -> Array:
        """Cross sections s = (σ_a, σ'_a, σ_b) in pb, in the order of v, `(V,)`."""
        signals = [rate.coefficients for rate in (self.signal, *(each.rate for each in self.components))]
        return np.concatenate([*signals, [background.cross_section for background in self.backgrounds]])

    @cached_property
    def stacked_covariance(self) -> Array:
        """Statistical covariance of `stacked_rate` in pb², `(V, V)`."""
        signals = [rate.covariance for rate in (self.signal, *(each.rate for each in self.components))]
        return block_diagonal([*signals, *(np.array([[background.error**2]]) for background in self.backgrounds)])

    @property
    def per_picobarn(self) -> float:
        """The luminosity in pb⁻¹."""
        return self.luminosity * PB_TO_FB

    @cached_property
    def mapped(self) -> tuple[MappedMonomials, ...]:
        """Monomials of the signal and of each further component as functions of ψ."""
        on_curves = {
            name: (curve.constants.get(name, 0.0), terms)
            for curve in self.curves
            for name, terms in curve.terms.items()
        }
        signal = ParameterMap.of(self.theory, self.signal.monomials.parameters, on_curves)
        others = (
            MappedMonomials(each.rate.monomials, each.parameter_map(self.theory, on_curves)) for each in self.components
        )
        return (MappedMonomials(self.signal.monomials, signal), *others)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Places in v of the signal, of each further component and of each background."""
        sizes = [*(len(each.monomials) for each in self.mapped), *(1 for _ in self.backgrounds)]
        ends = np.cumsum(sizes)
        return tuple(slice(int(end) - size, int(end)) for end, size in zip(ends, sizes, strict=True))

    def point(self, values: Mapping[str, float] | None = None) -> Array:
        """Return φ `(P,)` with the given values, the fixed ones, and nominal ones elsewhere (the SM, all factors 1).

        Raises:
            ParameterError: if a name is not a parameter.
        """
        start = dict.fromkeys(self.names, 1.0) | self.standard_point()
        for name, value in {**self.fixed_values, **(values or {})}.items():
            if name not in start:
                raise ParameterError(f"unknown parameter '{name}'; this fit has {', '.join(self.names)}")
            start[name] = float(value)
        return np.array([start[name] for name in self.names])

    def standard_point(self) -> dict[str, float]:
        """Return all theory parameters ψ by name in the Standard Model, curves at their nominal place."""
        values = {name: float(self.standard_model.get(name, 0.0)) for name in self.theory}
        return values | {curve.name: curve.nominal for curve in self.curves}

    def theta(self, phi: Array) -> Array:
        """Return the parameters θ of the signal at points φ `(..., P)`, as `(..., K)`."""
        return self.mapped[0].mapping.value(phi[..., : self.theory_count])

    def index(self, name: str) -> int:
        """Return the place of the parameter `name` in φ.

        Raises:
            ParameterError: if there is none of that name.
        """
        if name not in self.names:
            raise ParameterError(f"unknown parameter '{name}'; this fit has {', '.join(self.names)}")
        return self.names.index(name)

    def wrapped(self, phi: Array) -> Array:
        """Return points `(..., P)` whose periodic parameters are moved to (−period/2, period/2]."""
        periodic = np.isfinite(self.periods)
        if not periodic.any():
            return phi
        values = phi.copy()
        period = self.periods[periodic]
        values[..., periodic] = 0.5 * period - np.mod(0.5 * period - phi[..., periodic], period)
        return values

    def vector(self, phi: Array) -> Array:
        """Return v(φ) of points `(..., P)`, as `(..., V)`."""
        count = self.theory_count
        parts = [
            phi[..., count + number, None] * each.evaluate(phi[..., :count]) for number, each in enumerate(self.mapped)
        ]
        return np.concatenate([*parts, phi[..., count + len(parts) : -1]], axis=-1)

    def jacobian(self, phi: Array) -> Array:
        """Return ∂v/∂φ at one point `(P,)`, as `(V, P)`."""
        count = self.theory_count
        values = np.zeros((len(self.stacked_rate), len(phi)))
        for number, (each, rows) in enumerate(zip(self.mapped, self.slices, strict=False)):
            values[rows, :count] = phi[count + number] * each.gradient(phi[:count])
            values[rows, count + number] = each.evaluate(phi[:count])
        norms = np.arange(len(self.backgrounds))
        values[self.slices[len(self.mapped) - 1].stop + norms, count + len(self.mapped) + norms] = 1.0
        return values

    def curvature(self, phi: Array, factors: Array) -> Array:
        """Return Σ_a factors_a ∂²v_a/∂φ∂φ at one point `(P,)`, as `(P, P)`; `factors` is `(V,)`."""
        count = self.theory_count
        values = np.zeros((len(phi), len(phi)))
        for number, (each, rows) in enumerate(zip(self.mapped, self.slices, strict=False)):
            curved = np.einsum("a,ajk->jk", factors[rows], each.hessian(phi[:count]))
            values[:count, :count] += phi[count + number] * curved
            mixed = factors[rows] @ each.gradient(phi[:count])
            values[:count, count + number] = values[count + number, :count] = mixed
        return values

    def expected_by_component(self, phi: Array) -> Array:
        """Return the expected numbers of events of signal, components and backgrounds at φ `(P,)`, `(C,)`.

        A fit may leave one of them negative: a background that the data have less of than nothing.
        """
        each = self.stacked_rate * self.vector(phi)
        numbers: Array = self.per_picobarn * phi[-1] * np.array([each[rows].sum() for rows in self.slices])
        return numbers
