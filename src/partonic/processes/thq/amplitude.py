r"""Helicity amplitudes of t-channel q b → H t q' with a Yukawa coupling of the top that may violate CP.

    L ⊃ −(m_t/v) t̄ [κ_e + (2/3) i κ_o γ5] t H + (2 m_W²/v) W⁺_μ W^{−μ} H + (g/√2) [W⁺_μ ū_i γ^μ P_L d_i + h.c.]

with the unit matrix for mixing and massless quarks but the top. On the curve κ_e = cos α, κ_o = sin α the factor 2/3
keeps the cross section of gluon fusion to H by a heavy top at its value in the Standard Model, which is the point
(1, 0). The light quarks' current J is conserved, and with q₁ the momentum that it gives, q₂ = q₁ − p_H,
Q = p_t + p_H,

    M = (g²/2v) D(q₁) { 2m_W² D(q₂) [ū_t J̸ P_L u_b − (J·q₂) ū_t q̸₂ P_L u_b/m_W²]
                        + m_t ū_t [κ_e + (2/3) iκ_o γ5] (Q̸ + m_t) J̸ P_L u_b/(Q² − m_t²) },

with D(q) = 1/(q² − m_W² + i m_W Γ_W), so that M = M_W + κ_e M_e + κ_o M_o, in unitary gauge, and |M|² has six
coefficients. M_W and M_e nearly cancel at high energy (hep-ph/0106340), where each alone grows; this is why a Yukawa
coupling of the other sign gives ten times the rate.

Charge conjugates: CP turns the process into its conjugate with all momenta reversed and κ_o → −κ_o.

With a `DecayedTop`, ū_t is the row of its products (`physics.amplitudes.top_decay`), the final state H, b, f, f̄', q.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.currents import (
    contract,
    light_cone,
    minkowski_product,
    propagate_column,
    slash_column,
)
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients
from partonic.physics.amplitudes.wavefunctions import component_first, outgoing_fermion
from partonic.physics.amplitudes.weyl import chiral_current, chiral_spinor, left_column
from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.particles import BOTTOM, HIGGS, TOP
from partonic.polynomial import Monomials
from partonic.processes.top_decays import DecayedTop

__all__ = ["PSEUDOSCALAR_STRENGTH", "THQ_PARAMETERS", "SingleTopHiggsAmplitude", "SingleTopHiggsCouplings",
           "flavour_groups", "thq_terms"]  # fmt: skip

THQ_PARAMETERS = ("kappa_e", "kappa_o")
"""κ_e and κ_o: cos α and sin α for a mixing angle α."""
PSEUDOSCALAR_STRENGTH = 2.0 / 3.0
"""Coupling of the pseudoscalar for κ_o = 1 in units of m_t/v."""

_POINTS_PER_BLOCK = 4096
_SPIN_AVERAGE = 0.25
"""Two spin states of each incoming quark; the colour sum 3 · 3 is as large as its average."""
_PARITY = (1.0, -1.0, -1.0, -1.0)


def _zero_width_scheme() -> ElectroweakScheme:
    return ElectroweakScheme(w_width=0.0, z_width=0.0)


@dataclass(frozen=True)
class SingleTopHiggsCouplings:
    """Masses and couplings, in GeV.

    Attributes:
        top_mass: pole mass, also the mass in the Yukawa coupling.
        scheme: masses of the gauge bosons and G_F; its W width is that of the propagators, which are all space-like:
            by default zero.
    """

    top_mass: float = TOP.mass
    scheme: ElectroweakScheme = field(default_factory=_zero_width_scheme)


def _propagator(q: Float[Tensor, "4 points"], scheme: ElectroweakScheme) -> Complex[Tensor, " points"]:
    virtuality = minkowski_product(q, q) - scheme.w_mass**2
    return torch.complex(virtuality, torch.full_like(virtuality, scheme.w_mass * scheme.w_width)).reciprocal()


def thq_terms(
    top: Complex[Tensor, "4 spins points"],
    momenta: Float[Tensor, "3 4 points"],
    current: Complex[Tensor, "4 points"],
    emitted: Float[Tensor, "4 points"],
    couplings: SingleTopHiggsCouplings,
) -> Complex[Tensor, "3 spins points"]:
    """Return M_W, M_e, M_o without the factor g²/2v.

    Args:
        top: ū_t of the outgoing top, or the row of its decay products.
        momenta: of b (incoming), H, t, `(3, 4, N)`, GeV.
        current: light quarks' current J^μ.
        emitted: the momentum q₁ that the light quarks give.
        couplings: masses and couplings.
    """
    bottom, higgs, outgoing_top = momenta
    mass, scheme = couplings.top_mass, couplings.scheme
    column, absorbed = left_column(bottom)[:, None], emitted - higgs
    struck = slash_column(light_cone(current[:, None]), column)
    longitudinal = minkowski_product(current, absorbed) / scheme.w_mass**2
    scalar_part = contract(top, slash_column(light_cone(absorbed[:, None]), column))
    from_w = contract(top, struck) - longitudinal * scalar_part
    from_top = propagate_column(outgoing_top + higgs, mass, struck)
    pseudoscalar = torch.cat([-1j * from_top[:2], 1j * from_top[2:]])
    terms = torch.stack(
        [
            2.0 * scheme.w_mass**2 * _propagator(absorbed, scheme) * from_w,
            mass * contract(top, from_top),
            PSEUDOSCALAR_STRENGTH * mass * contract(top, pseudoscalar),
        ]
    )
    return terms * _propagator(emitted, scheme)


@dataclass(frozen=True)
class SingleTopHiggsAmplitude:
    """One partonic channel of pp → H t q (or H t̄ q) as an `Amplitude`.

    Attributes:
        initial: PDG identifiers of the incoming partons, one of them b or b̄: (2, 5) is u b → H t d, (5, -1) is
            b d̄ → H t ū, (-2, -5) is ū b̄ → H t̄ d̄.
        couplings: masses and couplings.
        decay: of the top, as part of the amplitude; None for a top on its mass shell.

    Raises:
        ProcessError: if there is no such channel.
    """

    initial: tuple[int, int]
    couplings: SingleTopHiggsCouplings = field(default_factory=SingleTopHiggsCouplings)
    decay: DecayedTop | None = None

    def __post_init__(self) -> None:
        known = [pair for group in flavour_groups() for pair in group]
        if self.initial not in known:
            raise ProcessError(
                f"no channel of pp → H t q begins with {self.initial}: expected b and one of u, c, d̄, s̄, or b̄ and "
                f"one of their antiparticles, one of {known}"
            )

    @property
    def _light(self) -> int:
        """Place of the light quark among the incoming partons."""
        return 1 if abs(self.initial[0]) == BOTTOM.pdg_id else 0

    @property
    def _sign(self) -> int:
        """1 for a top, −1 for an antitop."""
        return 1 if self.initial[1 - self._light] > 0 else -1

    @property
    def particles(self) -> tuple[int, ...]:
        """PDG identifiers of the incoming partons, then H, t (or its products), q."""
        light = self.initial[self._light]
        partner = abs(light) + (1 if abs(light) % 2 else -1)
        top = (self._sign * TOP.pdg_id,) if self.decay is None else self.decay.products(self._sign)
        return (*self.initial, HIGGS.pdg_id, *top, partner if light > 0 else -partner)

    @property
    def monomials(self) -> Monomials:
        """The six monomials 1, κ_e, κ_o, κ_e², κ_e κ_o, κ_o²."""
        return Monomials.up_to_degree(THQ_PARAMETERS, 2)

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The one flow: a W carries no colour, so each quark line keeps its own."""
        light, heavy = _line(self.initial[self._light], 501), _line(self.initial[1 - self._light], 502)
        incoming = (heavy, light) if self._light else (light, heavy)
        top = (heavy,) if self.decay is None else self.decay.colours(heavy, 503)
        return ((*incoming, (0, 0), *top, light),)

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events 6"]:
        """Return the coefficients of |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours.

        Args:
            momenta: as `particles`; GeV, any frame.
            alpha_s: not used: there is no strong coupling at this order.

        Raises:
            ProcessError: if the momenta are not float64 (cancellations between diagrams need it).
        """
        if momenta.dtype != torch.float64:
            raise ProcessError(f"amplitudes need float64 momenta, got {momenta.dtype}: convert with .double()")
        own = momenta if self._sign > 0 else momenta * momenta.new_tensor(_PARITY)
        blocks = [self._interference(component_first(block)) for block in torch.split(own, _POINTS_PER_BLOCK)]
        coefficients = quadratic_coefficients(torch.cat(blocks, dim=-1), self.monomials)
        if self._sign > 0:
            return coefficients
        return coefficients * coefficients.new_tensor([(-1.0) ** powers[1] for powers in self.monomials.exponents])

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " 2"],
    ) -> Float[Tensor, "events 1"]:
        """Return ones: there is one colour flow."""
        return torch.ones_like(alpha_s)[:, None]

    def _interference(self, momenta: Tensor) -> Tensor:
        """Return Σ Re(M_i* M_j) of M_W, M_e, M_o, `(3, 3, N)`, for momenta `(n, 4, N)`."""
        light, bottom = momenta[self._light], momenta[1 - self._light]
        higgs, spectator = momenta[2], momenta[-1]
        top, row = self._outgoing_top(momenta[3:-1])
        enters = self._sign * self.initial[self._light] > 0
        out, into = (spectator, light) if enters else (light, spectator)
        current = chiral_current(chiral_spinor(out, "left"), chiral_spinor(into, "left"), "left")
        terms = thq_terms(row, torch.stack([bottom, higgs, top]), current, light - spectator, self.couplings)
        scheme = self.couplings.scheme
        factor = scheme.weak_coupling**2 / (2.0 * scheme.vacuum_expectation_value)
        return interference_matrix(terms) * (_SPIN_AVERAGE * factor**2)

    def _outgoing_top(self, particles: Tensor) -> tuple[Tensor, Tensor]:
        """Return the momentum of the top, and its spinors or the one of its products."""
        if self.decay is None:
            return particles[0], outgoing_fermion(particles[0], self.couplings.top_mass)
        return particles.sum(dim=0), self.decay.row(particles)[:, None]


def _line(pdg: int, number: int) -> tuple[int, int]:
    return (number, 0) if pdg > 0 else (0, number)


def flavour_groups() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return the incoming partons of all channels, those that share one |M|² together."""
    groups = []
    for sign in (1, -1):
        for flavours in ((2, 4), (-1, -3)):
            groups.append(tuple((sign * light, sign * BOTTOM.pdg_id) for light in flavours))
            groups.append(tuple((sign * BOTTOM.pdg_id, sign * light) for light in flavours))
    return tuple(groups)
