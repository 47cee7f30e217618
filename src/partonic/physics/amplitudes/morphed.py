"""Coefficients of θ from a program that only knows |M|² at one parameter point at a time.

|M|² is evaluated at as many θ points as there are monomials and Σ_a c_a m_a(θ_b) = |M(θ_b)|² is solved for the c_a. The
strong coupling is treated likewise: at tree level each coefficient is a pure power of α_s, found by evaluating at two
values, so that one evaluation serves events of every scale. Both assumptions are checked on the first events, at
parameter values that took no part in the solution.
"""

import threading
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow, SquaredMatrixElement
from partonic.polynomial import Monomials, morphing_basis, solve_morphing

__all__ = ["MorphedAmplitude"]

_CHECKED_EVENTS = 8
_TOLERANCE = 1e-7
_IRRELEVANT = 1e-12  # share of |M|² below which rounding decides a coefficient, and so its apparent power of α_s


class MorphedAmplitude:
    """An external matrix element as an `Amplitude`: the coefficients of its polynomial in θ.

    Threads take turns, since the parameters belong to the matrix element.

    Args:
        matrix_element: |M|² at given parameter values. Its parameters are changed by the evaluation and left at θ = 0.
        monomials: the monomials of θ; each θ must be a parameter of the matrix element, `names` maps those whose name
            differs. None: |M|² depends on no θ.
        scales: for each θ, the size at which it is evaluated (default 1). Choose it so that the effect is neither
            negligible nor overwhelming; precision suffers otherwise.
        names: name in the matrix element of a θ that is called differently there, e.g. ``{"c_tG": "ctG"}``.
        strong_coupling: name of the parameter α_s in the matrix element; None if |M|² does not depend on it.
        tolerance: largest relative deviation from a polynomial in θ, and from powers of α_s, of the first events.

    Attributes:
        particles, monomials, colour_flows: see `Amplitude`.

    Raises:
        ParameterError: if a θ or the strong coupling is no parameter of the matrix element.
    """

    def __init__(
        self,
        matrix_element: SquaredMatrixElement,
        monomials: Monomials | None = None,
        *,
        scales: Mapping[str, float] | None = None,
        names: Mapping[str, str] | None = None,
        strong_coupling: str | None = "aS",
        tolerance: float = _TOLERANCE,
    ) -> None:
        self._element = matrix_element
        self._tolerance = tolerance
        self.monomials = monomials or Monomials.constant()
        self._names = [(names or {}).get(name, name) for name in self.monomials.parameters]
        self._strong_coupling = strong_coupling
        known = matrix_element.parameters
        for name in (*self._names, *([strong_coupling] if strong_coupling else [])):
            if name not in known:
                raise ParameterError(
                    f"the matrix element has no parameter '{name}'; it has: {', '.join(sorted(known)) or 'none'}"
                )
        self._reference = known[strong_coupling] if strong_coupling else 1.0
        self._points = morphing_basis(self.monomials, scales)
        self._powers: Float[Tensor, " monomials"] | None = None
        self._turn = threading.RLock()

    @property
    def particles(self) -> tuple[int, ...]:
        """PDG identifiers of the two initial and then the final particles."""
        return self._element.particles

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The colour flows; empty when the matrix element tells nothing about them."""
        return self._element.colour_flows

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of |M|² in GeV^(4−2n), spin- and colour-averaged.

        Args:
            momenta: (E, px, py, pz) in GeV, incoming first, float64.
            alpha_s: α_s of each event.

        Raises:
            ProcessError: if |M|² is not the polynomial that the monomials describe, or its coefficients are no powers
                of α_s.
            NonFiniteError: if the matrix element returns a value that is not finite.
        """
        return self.at_alpha_s(self.reference_coefficients(momenta), alpha_s)

    def reference_coefficients(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events monomials"]:
        """Return the coefficients at the α_s that the matrix element had when it came; arguments, errors as above."""
        with self._turn:
            if self._powers is None and len(momenta):
                self._check_polynomial(momenta[:_CHECKED_EVENTS])
                self._powers = self._find_powers(momenta[:_CHECKED_EVENTS])
            return self._at_reference(momenta)

    def at_alpha_s(
        self, reference: Float[Tensor, "events monomials"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events monomials"]:
        """Return what `reference_coefficients` gave, at the α_s of each event."""
        if self._powers is None:
            return reference
        return reference * (alpha_s / self._reference)[:, None] ** self._powers.to(reference)

    @property
    def powers_of_alpha_s(self) -> tuple[float, ...]:
        """The power of α_s of each coefficient; empty before the first events have told them."""
        return () if self._powers is None else tuple(self._powers.tolist())

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " parameters"],
    ) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each colour flow at `theta`, at the reference α_s (relative weights)."""
        with self._turn:
            self._set(theta.detach().cpu().numpy())
            try:
                return self._element.flow_squared(momenta)
            finally:
                self._set(np.zeros(len(self._names)))

    def _set(self, theta: Float[np.ndarray, " parameters"], alpha_s: float | None = None) -> None:
        values = {name: float(value) for name, value in zip(self._names, theta, strict=True)}
        if self._strong_coupling:
            values[self._strong_coupling] = self._reference if alpha_s is None else alpha_s
        self._element.set_parameters(values)

    def _at_reference(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: float | None = None
    ) -> Float[Tensor, "events monomials"]:
        """Return the coefficients at one value of α_s, by default the reference."""
        columns = []
        try:
            for point in self._points:
                self._set(point, alpha_s)
                columns.append(self._element.squared(momenta))
        finally:
            self._set(np.zeros(len(self._names)))
        weights = torch.stack(columns, dim=1)
        solution = solve_morphing(self.monomials, self._points, weights.cpu().numpy())
        return torch.from_numpy(solution.coefficients).to(weights.device)

    def _find_powers(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " monomials"]:
        """Return the power of α_s of each coefficient, a multiple of 1/2, from three values of α_s."""
        if self._strong_coupling is None:
            return torch.zeros(len(self.monomials), dtype=torch.float64)
        base, double, half = (self._at_reference(momenta, self._reference * factor) for factor in (1.0, 2.0, 0.5))
        sizes = torch.from_numpy(np.abs(self.monomials.evaluate(self._points)).max(axis=0)).to(base)
        relevant = (base.abs() * sizes) > _IRRELEVANT * (base.abs() * sizes).sum(dim=1, keepdim=True)
        ratio = torch.where(relevant, double / torch.where(relevant, base, 1.0), torch.nan)
        powers = torch.round(2.0 * torch.log2(torch.nanmedian(ratio, dim=0).values)) / 2.0
        found = ~powers.isnan()
        # A coefficient that vanishes at all events has no power of its own, and any will do; so say the misfits below.
        powers = torch.where(found, powers, powers[found][0] if bool(found.any()) else 0.0)
        scale = (base.abs() * sizes).sum(dim=1, keepdim=True)
        for factor, values in ((2.0, double), (0.5, half)):
            misfit = ((values - base * factor**powers).abs() * sizes / scale).max()
            if float(misfit) > self._tolerance * factor ** float(powers.max()):
                raise ProcessError(
                    f"the coefficients of |M|^2 are no pure powers of {self._strong_coupling} (relative misfit "
                    f"{float(misfit):.1e}): the amplitude mixes coupling orders. Fix them (option orders), or pass "
                    "strong_coupling=None to keep one value of the coupling for all events"
                )
        return powers

    def _check_polynomial(self, momenta: Float[Tensor, "events particles 4"]) -> None:
        """Compare with |M|² at a point that was not used, half-way out and off all axes."""
        theta = 0.5 * np.abs(self._points).max(axis=0, initial=0.0) * (-1.0) ** np.arange(len(self._names))
        if not len(theta):
            return
        predicted = self._at_reference(momenta) @ torch.from_numpy(self.monomials.evaluate(theta)).to(momenta)
        try:
            self._set(theta)
            actual = self._element.squared(momenta)
        finally:
            self._set(np.zeros(len(self._names)))
        misfit = float(((predicted - actual).abs() / actual.abs().max()).max())
        if misfit > self._tolerance:
            raise ProcessError(
                f"|M|^2 is not a polynomial of the monomials {', '.join(self.monomials.names)}: at the point "
                f"{theta.tolist()} they miss it by {misfit:.1e} of its largest value. Does the model allow several "
                "operators in one amplitude (limit their coupling order with the option orders), or does a parameter "
                "enter a mass or a width?"
            )
