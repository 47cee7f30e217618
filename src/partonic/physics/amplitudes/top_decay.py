r"""The decay of a top quark as part of an amplitude: its spinor is replaced by the chain of its products.

In a diagram with an outgoing top, ū(p) becomes the row

    ū_L(k_b) J̸ (p̸ + m_t) / {[p² − m_t² + i m_t Γ_t] [q² − m_W² + i m_W Γ_W]},      J^μ = ū(k₁) γ^μ P_L v(k₂),

with p = k_b + k₁ + k₂, q = k₁ + k₂ and massless products, and v(p) of an antitop the column with −p̸ + m_t on the left.
All spin states of the top are in it with their phases, and so are the spin correlations. For p² = m_t² it is a
superposition of the two ū(p, s): the gauge symmetries of the undecayed amplitude hold as they do there.

On the mass shell, with |D_s|² the squared amplitude of the decay without its couplings and x = q²,

    ½ Σ_s ∫ dΦ₃ |D_s|² = K = 1/(96π² · 2π · 2m_t²) ∫₀^{m_t²} dx (m_t² − x)² (m_t² + 2x)/[(x − m_W²)² + m_W²Γ_W²],

which times g⁴/(8m_t) is the width (in the limit of a narrow W: G_F m_t³/(8√2π) (1 − r)² (1 + 2r), r = m_W²/m_t²). The
shapes of t and W come from the propagators, and the size from the branching fraction: rows and columns are divided by
√K and by the root of the integral of the top's propagator, so that integrated over all decays

    Σ R† R → Σ_s ū† ū · (branching fraction).

The particle of isospin −½, charged lepton or down-type quark, is emitted along the spin of the top with the analysing
power 1, the b quark against it with (1 − 2r)/(1 + 2r) (Czarnecki, Jezabek and Kühn, Nucl. Phys. B351 (1991) 70).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.currents import light_cone, minkowski_product, slash_column, slash_row
from partonic.physics.amplitudes.weyl import chiral_current, chiral_spinor, left_column
from partonic.physics.particles import TOP, W_BOSON

__all__ = ["TopDecay"]


@dataclass(frozen=True)
class TopDecay:
    """t → b f f̄' through a W, and its conjugate.

    Attributes:
        top_mass: pole mass, that of the propagator, GeV.
        top_width: total width, GeV: the shape of the mass of its products.
        w_mass: GeV.
        w_width: total width of the W, GeV.
        window: largest distance of the mass of the products from `top_mass`, GeV; the amplitude does not vanish beyond,
            but is normalised to what is within.

    Raises:
        ProcessError: if a mass, width or window is not positive, the W is heavier than the top, or the window reaches
            masses at which a W is not produced.
    """

    top_mass: float = TOP.mass
    top_width: float = TOP.width
    w_mass: float = W_BOSON.mass
    w_width: float = W_BOSON.width
    window: float = 15.0 * TOP.width

    def __post_init__(self) -> None:
        if not min(self.top_mass, self.top_width, self.w_mass, self.w_width, self.window) > 0.0:
            raise ProcessError(
                "the decay of a top needs positive masses, widths and window (GeV), got "
                f"m_t = {self.top_mass}, Γ_t = {self.top_width}, m_W = {self.w_mass}, Γ_W = {self.w_width}, "
                f"window = {self.window}"
            )
        if not self.w_mass + self.window < self.top_mass:
            raise ProcessError(
                f"the mass of a top's products may not reach down to that of the W: {self.top_mass} − {self.window} "
                f"GeV is not above {self.w_mass} GeV. Take a smaller window"
            )

    @property
    def mass_range(self) -> tuple[float, float]:
        """Smallest and largest mass of the products of a top, GeV."""
        return self.top_mass - self.window, self.top_mass + self.window

    def row(self, products: Float[Tensor, "3 4 points"]) -> Complex[Tensor, "4 points"]:
        """Return what takes the place of ū(p) of an outgoing top, `(4, N)`, GeV^(1/2) times GeV⁻³.

        Args:
            products: momenta of b, of the antiparticle of isospin ½ (ℓ⁺, d̄) and of the particle (ν, u), GeV.
        """
        bottom, down, up = products
        top = bottom + down + up
        row = slash_row(light_cone(_current(up, down)), _left_row(bottom))
        return (slash_row(light_cone(top), row) + self.top_mass * row) * self._propagators(top, down + up)

    def column(self, products: Float[Tensor, "3 4 points"]) -> Complex[Tensor, "4 points"]:
        """Return what takes the place of v(p) of an outgoing antitop.

        Args:
            products: momenta of b̄, of the particle of isospin −½ (ℓ⁻, d) and of the antiparticle (ν̄, ū), GeV.
        """
        bottom, down, up = products
        top = bottom + down + up
        column = slash_column(light_cone(_current(down, up)), left_column(bottom))
        return (self.top_mass * column - slash_column(light_cone(top), column)) * self._propagators(top, down + up)

    def _propagators(self, top: Tensor, w: Tensor) -> Tensor:
        of_top = _propagator(top, self.top_mass, self.top_width)
        return of_top * _propagator(w, self.w_mass, self.w_width) * self._normalisation

    @property
    def _normalisation(self) -> float:
        low, high = (mass**2 - self.top_mass**2 for mass in self.mass_range)
        strength = self.top_mass * self.top_width
        # ∫ dp²/2π |D_t|² over the window; 1/(2 m_t Γ_t) over all masses
        shape = (math.atan(high / strength) - math.atan(low / strength)) / (2.0 * math.pi * strength)
        return 1.0 / math.sqrt(self._integral * shape)

    @property
    def _integral(self) -> float:
        """K in GeV², in closed form: with y = x − m_W² the integrand is a cubic polynomial over y² + m_W²Γ_W²."""
        square, pole, strength = self.top_mass**2, self.w_mass**2, self.w_mass * self.w_width
        a, b = square - pole, square + 2.0 * pole
        polynomial = (a * a * b, 2.0 * a * (a - b), b - 4.0 * a, 2.0)

        def primitive(y: float) -> float:
            angle, logarithm = math.atan(y / strength) / strength, 0.5 * math.log(y * y + strength**2)
            powers = (angle, logarithm, y - strength**2 * angle, 0.5 * y * y - strength**2 * logarithm)
            return math.fsum(factor * power for factor, power in zip(polynomial, powers, strict=True))

        return (primitive(a) - primitive(-pole)) / (96.0 * math.pi**2 * 2.0 * math.pi * 2.0 * square)


def _propagator(momentum: Tensor, mass: float, width: float) -> Tensor:
    virtuality = minkowski_product(momentum, momentum) - mass**2
    return torch.complex(virtuality, torch.full_like(virtuality, mass * width)).reciprocal()


def _left_row(momentum: Tensor) -> Tensor:
    """Return ū_L of an outgoing particle as a Dirac row, `(4, N)`."""
    lower = chiral_spinor(momentum, "left").conj().resolve_conj()
    return torch.cat([torch.zeros_like(lower), lower])


def _current(particle: Tensor, antiparticle: Tensor) -> Tensor:
    """Return ū(particle) γ^μ P_L v(antiparticle), `(4, N)`."""
    return chiral_current(chiral_spinor(particle, "left"), chiral_spinor(antiparticle, "left"), "left")
