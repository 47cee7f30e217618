r"""Helicity amplitudes of q q̄' → V* → V H, with V → two massless leptons or a V on its mass shell.

A vector boson with field J_q couples to massless quarks, another one with k² ≈ m² to the leptons or to nothing. Three
Lorentz structures of the currents J_q and J_ℓ (or the polarisation vector ε* of V) are all there is, q = p₁ + p₂:

    T₁ = J_q·J_ℓ,   T₂ = (q·k) J_q·J_ℓ − (q·J_ℓ)(k·J_q),   T₃ = ε_{μνρσ} q^μ J_q^ν k^ρ J_ℓ^σ  (ε_{0123} = +1)

from L = (m²/v) h V_μ V^μ (complex V for the W: twice that), from field strengths g₂ and dual field strengths g₄ as
in `higgs_form_factors`. With propagators P(p²) = 1/(p² − m² + i m Γ), couplings g_q and g_ℓ and one insertion,

    M = (2/v) {[(g_q + δg_q) m² P(q²) + δg_q^contact] P(k²) g_ℓ T₁
               − Σ_ab g_q^a P_a(q²) (g₂^ab T₂ + g₄^ab T₃) P_b(k²) g_ℓ^b}

up to a phase. (Φ†iD↔Φ)(q̄γq) contains (v + h)² V q̄γq, so that δg_q of such an operator comes with the vertex
q q V H, δg_q^contact = δg_q, and the sum is the SM's amplitude times δg_q/g_q · q²/m²: it grows with q².
Currents of massless fermions are conserved, so that terms q^μ q^ν of the propagators vanish.
"""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.currents import minkowski_product
from partonic.physics.amplitudes.higgs_structures import lorentz_structures
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients
from partonic.physics.amplitudes.wavefunctions import (
    component_first,
    incoming_massless_current,
    massive_polarizations,
)
from partonic.physics.particles import vacuum_expectation_value
from partonic.polynomial import Monomials

__all__ = ["ExchangedBoson", "HiggsStrahlung", "Insertion"]

_POINTS_PER_BLOCK = 4096
_COLOUR_AND_SPIN_AVERAGE = 1.0 / 12.0
"""Three colours of the pair of nine, four spin states."""


@dataclass(frozen=True)
class ExchangedBoson:
    """A vector boson with its couplings to the quarks and leptons of the process.

    Attributes:
        mass: GeV.
        width: GeV.
        quark: couplings to left- and right-handed quarks.
        lepton: the same of the leptons to which it decays; not used of a boson on its mass shell.
    """

    mass: float
    width: float
    quark: tuple[float, float]
    lepton: tuple[float, float] = (0.0, 0.0)

    def propagator(self, square: Float[Tensor, " points"]) -> Complex[Tensor, " points"]:
        """Return 1/(p² − m² + i m Γ) in GeV⁻² at p² in GeV²."""
        return 1.0 / torch.complex(square - self.mass**2, torch.full_like(square, self.mass * self.width))


@dataclass(frozen=True)
class Insertion:
    """What the parameter θ_k = 1 adds to the Lagrangian.

    Attributes:
        quark: shift of the couplings of the first boson to left- and right-handed quarks.
        contact: couplings of the vertex q q̄ V H, in the units of those shifts: v/2 times the coefficient of h V q̄γq.
        lepton: shift of the couplings of the first boson to the leptons.
        even: g₂ of each two bosons, a symmetric matrix in the order of the bosons; empty for none.
        odd: g₄ likewise.
    """

    quark: tuple[float, float] = (0.0, 0.0)
    contact: tuple[float, float] = (0.0, 0.0)
    lepton: tuple[float, float] = (0.0, 0.0)
    even: tuple[tuple[float, ...], ...] = ()
    odd: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of_current(cls, shift: tuple[float, float]) -> "Insertion":
        """Return that of an operator (Φ†iD↔Φ)(q̄γq), which shifts a coupling and brings the vertex q q̄ V H."""
        return cls(quark=shift, contact=shift)


@dataclass(frozen=True)
class HiggsStrahlung:
    """One partonic channel of pp → V H as an `Amplitude`; momenta in the order q, q̄, H and leptons, or H and V.

    Attributes:
        particles: PDG identifiers: quark and antiquark in either order, H, then a lepton and an antilepton in either
            order, or V.
        bosons: those that are exchanged; the first has the coupling 2m²/v to H, and is the V on its mass shell.
        insertions: the parameters with their terms, in the order of θ.
        vacuum_expectation_value: v in GeV.

    Raises:
        ProcessError: unless there are one quark and one antiquark, and one lepton and one antilepton or a boson.
    """

    particles: tuple[int, ...]
    bosons: tuple[ExchangedBoson, ...]
    insertions: tuple[tuple[str, Insertion], ...] = ()
    vacuum_expectation_value: float = vacuum_expectation_value()

    def __post_init__(self) -> None:
        initial, final = self.particles[:2], self.particles[3:]
        if len(self.particles) not in (4, 5) or initial[0] * initial[1] >= 0 or (len(final) == 2) != self.is_decayed:
            raise ProcessError(
                "Higgs-strahlung needs a quark and an antiquark, H, and a lepton and an antilepton or a vector boson, "
                f"got {self.particles}"
            )

    @property
    def is_decayed(self) -> bool:
        """Whether there are leptons in place of V."""
        return len(self.particles) == 5 and self.particles[3] * self.particles[4] < 0

    @property
    def monomials(self) -> Monomials:
        """The monomials of θ up to the second degree."""
        names = [name for name, _ in self.insertions]
        return Monomials.up_to_degree(names, 2) if names else Monomials.constant()

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The one flow: colour annihilates with anticolour."""
        incoming = ((501, 0), (0, 501)) if self.particles[0] > 0 else ((0, 501), (501, 0))
        return ((*incoming, *((0, 0) for _ in self.particles[2:])),)

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of |M|², in GeV⁻² with leptons and without dimension with V, see `Amplitude`.

        Args:
            momenta: the incoming partons, then H and two leptons or V; GeV, any frame.
            alpha_s: not used: there is no strong coupling at this order.

        Raises:
            ProcessError: if the momenta are not float64 of these particles.
        """
        if momenta.dtype != torch.float64 or momenta.shape[1:] != (len(self.particles), 4):
            raise ProcessError(
                f"the amplitude needs float64 momenta (events, {len(self.particles)}, 4) of the particles "
                f"{self.particles}, got {momenta.dtype} of shape {tuple(momenta.shape)}"
            )
        matrices = [
            interference_matrix(self.amplitudes(component_first(block)))
            for block in torch.split(momenta, _POINTS_PER_BLOCK)
        ]
        return quadratic_coefficients(torch.cat(matrices, dim=-1) * _COLOUR_AND_SPIN_AVERAGE, self.monomials)

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " parameters"],
    ) -> Float[Tensor, "events 1"]:
        """Return one for the only colour flow."""
        return torch.ones_like(alpha_s)[:, None]

    def amplitudes(
        self, momenta: Float[Tensor, "particles 4 points"]
    ) -> Complex[Tensor, "terms quarks outgoing points"]:
        """Return M_0 and the M_k of θ_k, for quark and lepton helicities −½ and +½, or polarisations of V.

        Helicities to which the first boson and no insertion couples are left out.
        """
        total, k = momenta[0] + momenta[1], momenta[3:].sum(dim=0)
        structures = lorentz_structures(total, k, self._quark_currents(momenta), self._outgoing_currents(momenta))
        terms = [self._term(insertion, total, k, structures) for _, insertion in self.insertions]
        return torch.stack([self._standard_model(total, k) * structures[0], *terms]) * (
            2.0 / self.vacuum_expectation_value
        )

    def _standard_model(self, total: Tensor, k: Tensor) -> Tensor:
        """Return g_q m² P(q²) P(k²) g_ℓ, `(quarks, outgoing, N)`."""
        first = self.bosons[0]
        inner = first.mass**2 * first.propagator(_square(total)) * self._outer(0, k)
        return inner * self._over_helicities(first.quark, self._lepton_couplings(0), inner)

    def _term(self, insertion: Insertion, total: Tensor, k: Tensor, structures: Tensor) -> Tensor:
        """Return the amplitude of θ_k = 1, `(quarks, outgoing, N)`."""
        first, outer = self.bosons[0], self._outer(0, k)
        exchange = first.mass**2 * first.propagator(_square(total)) * outer
        leptons = self._lepton_couplings(0)
        vector = exchange * self._over_helicities(insertion.quark, leptons, outer)
        vector = vector + outer * self._over_helicities(insertion.contact, leptons, outer)
        if self.is_decayed:
            vector = vector + exchange * self._over_helicities(first.quark, insertion.lepton, outer)
        result = vector * structures[0]
        for matrix, structure in ((insertion.even, structures[1]), (insertion.odd, structures[2])):
            if matrix:
                result = result - self._field_strengths(matrix, total, k) * structure
        return result

    def _field_strengths(self, matrix: tuple[tuple[float, ...], ...], total: Tensor, k: Tensor) -> Tensor:
        """Return Σ_ab g_q^a P_a(q²) g^ab P_b(k²) g_ℓ^b, `(quarks, outgoing, N)`."""
        outgoing = range(len(self.bosons)) if self.is_decayed else range(1)
        result = k.new_zeros(1, dtype=torch.complex128)
        for a, b in itertools.product(range(len(self.bosons)), outgoing):
            if matrix[a][b]:
                inner = matrix[a][b] * self.bosons[a].propagator(_square(total)) * self._outer(b, k)
                helicities = self._over_helicities(self.bosons[a].quark, self._lepton_couplings(b), inner)
                result = result + inner * helicities
        return result

    def _outer(self, boson: int, k: Tensor) -> Tensor:
        """Return the propagator of the boson that decays, one for V on its mass shell."""
        if self.is_decayed:
            return self.bosons[boson].propagator(_square(k))
        return torch.ones_like(k[0], dtype=torch.complex128)

    def _lepton_couplings(self, boson: int) -> tuple[float, ...]:
        return self.bosons[boson].lepton if self.is_decayed else (1.0, 1.0, 1.0)

    def _over_helicities(self, quark: tuple[float, float], outgoing: tuple[float, ...], like: Tensor) -> Tensor:
        """Return the products of couplings to quarks and to what goes out, `(quarks, outgoing, 1)`."""
        quarks = like.new_tensor([quark[i] for i in self._quark_chiralities])
        couplings = [outgoing[i] for i in self._lepton_chiralities] if self.is_decayed else outgoing
        return (quarks[:, None] * like.new_tensor(couplings))[..., None]

    @property
    def _quark_chiralities(self) -> tuple[int, ...]:
        """Return which of left (0) and right (1) couple at all."""
        sources = [boson.quark for boson in self.bosons]
        sources += [pair for _, term in self.insertions for pair in (term.quark, term.contact)]
        return tuple(i for i in (0, 1) if any(pair[i] for pair in sources))

    @property
    def _lepton_chiralities(self) -> tuple[int, ...]:
        sources = [boson.lepton for boson in self.bosons] + [term.lepton for _, term in self.insertions]
        return tuple(i for i in (0, 1) if any(pair[i] for pair in sources))

    def _quark_currents(self, momenta: Tensor) -> Tensor:
        """Return v̄ γ^μ P u of the incoming pair, `(4, quarks, N)`."""
        quark, antiquark = (0, 1) if self.particles[0] > 0 else (1, 0)
        right = incoming_massless_current(momenta[quark], momenta[antiquark])
        return torch.stack([(right.conj(), right)[i] for i in self._quark_chiralities], dim=1)

    def _outgoing_currents(self, momenta: Tensor) -> Tensor:
        """Return ū γ^μ P v of the leptons, or three polarisation vectors of V, `(4, outgoing, N)`."""
        if not self.is_decayed:
            return massive_polarizations(momenta[3], self.bosons[0].mass)
        lepton, antilepton = (3, 4) if self.particles[3] > 0 else (4, 3)
        # ū(ℓ) of an outgoing lepton is v̄(p) of an incoming antiparticle of the opposite helicity, without masses
        right = incoming_massless_current(momenta[antilepton], momenta[lepton])
        return torch.stack([(right.conj(), right)[i] for i in self._lepton_chiralities], dim=1)


def _square(p: Tensor) -> Tensor:
    return minkowski_product(p, p)
