"""Coefficients of the events of one subprocess, relative to |M|² at the θ of the generation."""

import threading
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ProcessError
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.reweighting.basis import Basis
from partonic.reweighting.engine import EngineElement
from partonic.reweighting.subprocess import canonical, subprocess_text
from partonic.reweighting.theta_element import ThetaElement, check_neighbours

__all__ = ["Solution", "SubprocessSolver"]

Array = NDArray[np.float64]

_VANISHES = 1e-12
"""|M|² at θ of the generation, in units of the sum of the sizes of its terms at the scales of θ, that is zero to
rounding: an event that the model says cannot have been generated."""


@dataclass(frozen=True)
class Solution:
    """Coefficients of N events of a subprocess.

    Attributes:
        ratios: c_a such that Σ_a c_a m_a(θ) = |M(θ)|²/|M(θ_gen)|², `(N, A)`; 0 where it is not defined.
        residual: largest deviation of the polynomial from |M|² at the check points, in units of the largest |M|² there,
            `(N,)`.
        vanishing: events with |M(θ_gen)|² = 0, `(N,)`.
        needs_alpha_s: whether the coefficients have different powers of α_s, so that the ratios depend on it.
    """

    ratios: Array
    residual: Array
    vanishing: NDArray[np.bool_]
    needs_alpha_s: bool


class SubprocessSolver:
    """Solves events of one subprocess; calls from several threads take turns.

    Args:
        built: the matrix element of the model.
        config: settings of the reweighting.
        basis: what is solved for.

    Raises:
        ParameterError: if the model lacks a parameter, or has further coefficients that are on.
    """

    def __init__(self, built: EngineElement, config: ReweightConfig, basis: Basis) -> None:
        self._basis, self._built, self._turn = basis, built, threading.Lock()
        self._from_events = config.alpha_s == "event" and config.strong_coupling is not None
        if config.alpha_s != "event" and config.strong_coupling is not None:
            built.element.set_parameters({config.strong_coupling: float(config.alpha_s)})
        check_neighbours(built.element.parameters, built.blocks, config.parameters, config.values)
        strong_coupling = config.strong_coupling if self._from_events else None
        self._element = ThetaElement(built.element, config.parameters, strong_coupling)
        self._morphed = MorphedAmplitude(
            self._element, basis.monomials, scales=basis.scales, strong_coupling=strong_coupling,
            tolerance=config.max_residual,
        )  # fmt: skip

    @property
    def particles(self) -> tuple[int, ...]:
        """PDG ids in the order in which momenta are taken, incoming first."""
        return self._element.particles

    @property
    def masses(self) -> tuple[float, ...]:
        """Masses of the `particles` in the model, GeV."""
        return self._built.masses

    def solve(self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]) -> Solution:
        """Return the coefficients of events.

        Args:
            momenta: on shell, in the order of `particles`, GeV.
            alpha_s: of each event; NaN where it is not known.

        Raises:
            ProcessError: if |M|² is no polynomial of the monomials, or vanishes at all θ.
            NonFiniteError: if the engine gives a value that is not finite.
        """
        if self._built.mirrored:
            momenta = momenta * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=momenta.dtype)
        with self._turn:
            reference = self._morphed.reference_coefficients(momenta)
            actual = self._at_checks(momenta)
        if not bool(reference.any()) and not actual.any():
            raise ProcessError(
                f"|M|^2 of {subprocess_text(canonical(self.particles))} is zero at all θ: the model has no "
                "amplitude for it at these coupling orders (`orders`)"
            )
        needs = len(set(self._morphed.powers_of_alpha_s)) > 1
        values = self._morphed.at_alpha_s(reference, alpha_s) if needs else reference
        residual = self._residual(reference.numpy(), actual)
        at_generation, vanishing = self._at_generation(values.numpy())
        ratios = np.where(vanishing[:, None], 0.0, values.numpy() / np.where(vanishing, 1.0, at_generation)[:, None])
        return Solution(ratios, residual, vanishing, needs)

    def _at_checks(self, momenta: Float[Tensor, "events particles 4"]) -> Array:
        """Return |M|² at the check points, `(N, P)`, at the α_s of the reference."""
        names, columns = self._basis.monomials.parameters, []
        try:
            for point in self._basis.checks:
                self._element.set_parameters(dict(zip(names, point.tolist(), strict=True)))
                columns.append(self._element.squared(momenta).numpy())
        finally:
            self._element.set_parameters(dict.fromkeys(names, 0.0))
        return np.stack(columns, axis=1)

    def _residual(self, reference: Array, actual: Array) -> Array:
        predicted = reference @ self._basis.monomials.evaluate(self._basis.checks).T
        size = np.abs(actual).max(axis=1)
        residual: Array = np.abs(predicted - actual).max(axis=1) / np.where(size > 0, size, 1.0)
        return residual

    def _at_generation(self, values: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return |M|² at θ of the generation, and where it is zero to rounding."""
        monomials = self._basis.monomials
        at_generation: Array = values @ monomials.evaluate(self._basis.generation)
        sizes = np.abs(monomials.evaluate(self._basis.points)).max(axis=0)
        return at_generation, ~(at_generation > _VANISHES * (np.abs(values) @ sizes))
