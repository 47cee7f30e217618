r"""Helicity amplitudes of gg → H t t̄ and q q̄ → H t t̄ with a modified Yukawa coupling and a chromomagnetic dipole.

    L ⊃ −(m_t/v) t̄ [(1 + δκ_t) + i κ̃_t γ5] t H + (g_s c_tG/Λ²) [(Q̄ σ^{μν} T^A t) φ̃ G^A_{μν} + h.c.],   Λ = 1 TeV,

with σ^{μν} = (i/2)[γ^μ, γ^ν] and D = ∂ − i g_s T·G, for which c_tG > 0 raises σ(t t̄). The dipole gives, beside each
quark–gluon vertex γ·ε, the vertex d [k̸, ε̸] with d = c_tG v/(√2 Λ²) and k the incoming gluon momentum; a vertex
with a Higgs boson, d/v [k̸, ε̸]; and vertices with two gluons, −d (T¹T² − T²T¹) [ε̸1, ε̸2], with and without a Higgs boson.
With one insertion per amplitude, M = (1 + δκ_t) M_S + κ̃_t M_P + c_tG M_D, so three amplitudes give the ten
coefficients of the quadratic polynomial exactly.

The amplitude is organised by where the Higgs boson sits on the top line relative to the gluons, so that every
sub-current is computed once. Colour: M = T¹T² A(1,2) + T²T¹ A(2,1), summed with
Tr(T¹T²T²T¹) = 16/3 and Tr(T¹T²T¹T²) = −2/3. Tops are on shell with zero width. Spin flips: see `SPIN_FLIP_FACTOR`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.currents import (
    Bispinor,
    LightCone,
    commutator,
    contract,
    fuse_gluons,
    light_cone,
    propagate_column,
    propagate_row,
    slash_column,
    slash_row,
)
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients, squared_at
from partonic.physics.amplitudes.wavefunctions import (
    SPIN_FLIP_FACTOR,
    component_first,
    incoming_massless_current,
    linear_polarizations,
    outgoing_antifermion,
    outgoing_fermion,
)
from partonic.physics.particles import HIGGS, TOP, vacuum_expectation_value
from partonic.polynomial import Monomials

__all__ = [
    "TTH_PARAMETERS",
    "TTHAmplitude",
    "TopHiggsCouplings",
    "gluon_fusion_amplitudes",
    "gluon_fusion_tth",
    "quark_annihilation_amplitudes",
    "quark_annihilation_tth",
]

TTH_PARAMETERS = ("delta_kappa_t", "kappa_tilde_t", "c_tG")
"""δκ_t, κ̃_t and c_tG (Λ = 1 TeV)."""

_SCALE_OF_NEW_PHYSICS = 1000.0
_POINTS_PER_BLOCK = 2048


@dataclass(frozen=True)
class TopHiggsCouplings:
    """Masses and couplings of the top quark and the Higgs boson, in GeV.

    Attributes:
        top_mass: pole mass, equal to the mass in the Yukawa coupling.
        higgs_mass: pole mass.
        vacuum_expectation_value: v = (√2 G_F)^(−1/2).
    """

    top_mass: float = TOP.mass
    higgs_mass: float = HIGGS.mass
    vacuum_expectation_value: float = field(default_factory=vacuum_expectation_value)

    @property
    def dipole(self) -> float:
        """v/(√2 Λ²) in GeV⁻¹: the strength of [k̸, ε̸] relative to γ·ε for c_tG = 1."""
        return self.vacuum_expectation_value / (math.sqrt(2.0) * _SCALE_OF_NEW_PHYSICS**2)


@dataclass(frozen=True)
class _Gluon:
    """A gluon (or pair of gluons) that attaches to the top line: its γ·ε, its dipole [k̸, ε̸] and its momentum."""

    vector: LightCone
    dipole: Bispinor
    momentum: Tensor


@dataclass(frozen=True)
class _TopLine:
    """The outgoing top ū and antitop v, and both after they have radiated the Higgs boson (scalar, pseudoscalar).

    Spinors are `(4, top spins, antitop spins, 1, 1, N)`: room for two gluon polarisations.
    """

    mass: float
    top: Tensor
    antitop: Tensor
    bar: Tensor
    ket: Tensor
    bar_scalar: Tensor
    bar_pseudoscalar: Tensor
    ket_scalar: Tensor
    ket_pseudoscalar: Tensor

    @classmethod
    def radiating_higgs(cls, momenta: Tensor, mass: float, top_spins: int) -> "_TopLine":
        """Build the line from (H, t, t̄) momenta `(3, 4, N)`, with the first `top_spins` spin states of the top."""
        higgs, top, antitop = momenta
        bar = outgoing_fermion(top, mass)[:, :top_spins, None, None, None, :]
        ket = outgoing_antifermion(antitop, mass)[:, None, :, None, None, :]
        above, below = top + higgs, -(antitop + higgs)
        return cls(
            mass=mass,
            top=top,
            antitop=antitop,
            bar=bar,
            ket=ket,
            bar_scalar=propagate_row(above, mass, bar),
            bar_pseudoscalar=propagate_row(above, mass, _i_gamma5(bar)),
            ket_scalar=propagate_column(below, mass, ket),
            ket_pseudoscalar=propagate_column(below, mass, _i_gamma5(ket)),
        )


def _i_gamma5(spinor: Tensor) -> Tensor:
    """Return iγ5 ψ (for a row: ψ̄ iγ5)."""
    return torch.cat([-1j * spinor[:2], 1j * spinor[2:]])


def _one_gluon_amplitudes(line: _TopLine, gluon: _Gluon) -> Tensor:
    """Return M_S, M_P, M_D for one (off-shell) gluon on the top line, stacked first; M_D without its factor d."""
    ket, bar = slash_column(gluon.vector, line.ket), slash_row(gluon.vector, line.bar)
    dipole_ket, dipole_bar = gluon.dipole.on_column(line.ket), gluon.dipole.on_row(line.bar)
    return torch.stack(
        [
            contract(line.bar_scalar, ket) + contract(bar, line.ket_scalar),
            contract(line.bar_pseudoscalar, ket) + contract(bar, line.ket_pseudoscalar),
            contract(line.bar_scalar + line.bar / line.mass, dipole_ket) + contract(dipole_bar, line.ket_scalar),
        ]
    )


@dataclass(frozen=True)
class _Attached:
    """A gluon attached next to the top (rows) and next to the antitop (columns), with what the other gluon meets.

    `bar`, `bar_dipole`: ū with the gluon absorbed; `bar_with_*`: the same with the Higgs boson radiated on either side
    of it; `ket`, `ket_dipole` and `ket_after_*`: the gluon next to v, and next to v that has radiated the Higgs boson.
    """

    bar: Tensor
    bar_dipole: Tensor
    bar_with_scalar: Tensor
    bar_with_pseudoscalar: Tensor
    bar_with_dipole: Tensor
    ket: Tensor
    ket_dipole: Tensor
    ket_after_scalar: Tensor
    ket_after_pseudoscalar: Tensor
    ket_after_dipole: Tensor

    @classmethod
    def to(cls, line: _TopLine, gluon: _Gluon) -> "_Attached":
        """Attach `gluon` to both ends of `line`."""
        above, below = line.top - gluon.momentum, gluon.momentum - line.antitop
        dipole_bar, dipole_ket = gluon.dipole.on_row(line.bar), gluon.dipole.on_column(line.ket)
        bar = propagate_row(above, line.mass, slash_row(gluon.vector, line.bar))
        bar_dipole = propagate_row(above, line.mass, dipole_bar)
        return cls(
            bar=bar,
            bar_dipole=bar_dipole,
            bar_with_scalar=slash_row(gluon.vector, line.bar_scalar) + bar,
            bar_with_pseudoscalar=slash_row(gluon.vector, line.bar_pseudoscalar) + _i_gamma5(bar),
            bar_with_dipole=gluon.dipole.on_row(line.bar_scalar) + bar_dipole + dipole_bar / line.mass,
            ket=propagate_column(below, line.mass, slash_column(gluon.vector, line.ket)),
            ket_dipole=propagate_column(below, line.mass, dipole_ket),
            ket_after_scalar=slash_column(gluon.vector, line.ket_scalar),
            ket_after_pseudoscalar=slash_column(gluon.vector, line.ket_pseudoscalar),
            ket_after_dipole=gluon.dipole.on_column(line.ket_scalar) + dipole_ket / line.mass,
        )


def _ordered_amplitudes(first: _Attached, second: _Attached) -> Tensor:
    """Return M_S, M_P, M_D of the colour order (first, second) without the pair current, stacked first."""
    scalar = contract(first.bar_with_scalar, second.ket) + contract(first.bar, second.ket_after_scalar)
    pseudoscalar = contract(first.bar_with_pseudoscalar, second.ket) + contract(
        first.bar, second.ket_after_pseudoscalar
    )
    dipole = (
        contract(first.bar_with_dipole, second.ket)
        + contract(first.bar_with_scalar, second.ket_dipole)
        + contract(first.bar, second.ket_after_dipole)
        + contract(first.bar_dipole, second.ket_after_scalar)
    )
    return torch.stack([scalar, pseudoscalar, dipole])


def gluon_fusion_amplitudes(
    momenta: Tensor, polarization1: Tensor, polarization2: Tensor, couplings: TopHiggsCouplings, top_spins: int = 1
) -> Tensor:
    """Return A(1,2) and A(2,1) of gg → H t t̄ for M_S, M_P, M_D, without the factor g_s² m_t/v.

    Args:
        momenta: g, g (incoming), H, t, t̄, `(5, 4, N)`, GeV.
        polarization1: real polarisation vectors of the first gluon, `(4, λ, N)`.
        polarization2: the same of the second gluon.
        couplings: masses and couplings.
        top_spins: number of top spin states (1: see `SPIN_FLIP_FACTOR`; 2: all).

    Returns:
        complex `(2 orders, 3, top spins, 2, λ1, λ2, N)`.
    """
    k1, k2 = momenta[0], momenta[1]
    e1, e2 = polarization1[:, None, None, :, None, :], polarization2[:, None, None, None, :, :]
    k1_wide, k2_wide = k1[:, None, None, None, None, :], k2[:, None, None, None, None, :]
    line = _TopLine.radiating_higgs(momenta[2:], couplings.top_mass, top_spins)
    v1, v2 = light_cone(e1), light_cone(e2)
    gluon1 = _Gluon(v1, commutator(light_cone(k1_wide), v1), k1)
    gluon2 = _Gluon(v2, commutator(light_cone(k2_wide), v2), k2)
    current = light_cone(fuse_gluons(k1_wide, e1, k2_wide, e2))
    pair_dipole = commutator(light_cone(k1_wide + k2_wide), current) - commutator(v1, v2)
    pair = _one_gluon_amplitudes(line, _Gluon(current, pair_dipole, k1 + k2))
    attached1, attached2 = _Attached.to(line, gluon1), _Attached.to(line, gluon2)
    amplitudes = torch.stack(
        [_ordered_amplitudes(attached1, attached2) + pair, _ordered_amplitudes(attached2, attached1) - pair]
    )
    amplitudes[:, 2] *= couplings.dipole
    return amplitudes


def quark_annihilation_amplitudes(momenta: Tensor, couplings: TopHiggsCouplings) -> Tensor:
    """Return the amplitude of q q̄ → H t t̄ for M_S, M_P, M_D and quark helicity +1/2, without g_s² m_t/v.

    Args:
        momenta: q, q̄ (incoming), H, t, t̄, `(5, 4, N)`, GeV.
        couplings: masses and couplings.

    Returns:
        complex `(3, 2 top spins, 2 antitop spins, 1, 1, N)`.
    """
    k = momenta[0] + momenta[1]
    current = incoming_massless_current(momenta[0], momenta[1]) / (k[0] ** 2 - k[1] ** 2 - k[2] ** 2 - k[3] ** 2)
    vector = light_cone(current[:, None, None, None, None, :])
    line = _TopLine.radiating_higgs(momenta[2:], couplings.top_mass, top_spins=2)
    dipole = commutator(light_cone(k[:, None, None, None, None, :]), vector)
    amplitudes = _one_gluon_amplitudes(line, _Gluon(vector, dipole, k))
    amplitudes[2] *= couplings.dipole
    return amplitudes


@dataclass(frozen=True)
class TTHAmplitude:
    """One partonic channel of pp → H t t̄ as an `Amplitude`; built by `gluon_fusion_tth` and `quark_annihilation_tth`.

    Attributes:
        particles: PDG identifiers of the two initial partons, then H, t, t̄.
        colour_flows: colour flows, see `Amplitude`.
        couplings: masses and couplings.
        colour_ordered: gives the colour-ordered amplitudes `(flows, 3, ..., N)` of M_S, M_P, M_D.
        colour_matrix: weights of their products in the colour sum, averaged over initial spins and colours.
    """

    particles: tuple[int, ...]
    colour_flows: tuple[ColourFlow, ...]
    couplings: TopHiggsCouplings
    colour_ordered: Callable[[Tensor, TopHiggsCouplings], Tensor]
    colour_matrix: tuple[tuple[float, ...], ...]

    @property
    def monomials(self) -> Monomials:
        """The ten monomials of (δκ_t, κ̃_t, c_tG) up to degree two."""
        return Monomials.up_to_degree(TTH_PARAMETERS, 2)

    def coefficients(
        self, momenta: Float[Tensor, "events 5 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events 10"]:
        """Return the coefficients of |M|² in GeV⁻², averaged over initial and summed over final spins and colours.

        Args:
            momenta: the incoming partons, then H, t, t̄; GeV, any frame.
            alpha_s: strong coupling of each event.

        Raises:
            ProcessError: if the momenta are not float64 (cancellations between diagrams need it).
        """
        interference = self._by_blocks(momenta, self._colour_summed)
        return quadratic_coefficients(_with_kappa(interference) * self._factor(alpha_s), self.monomials)

    def flow_weights(
        self, momenta: Float[Tensor, "events 5 4"], alpha_s: Float[Tensor, " events"], theta: Float[Tensor, " 3"]
    ) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each colour flow at `theta`, up to a factor common to the flows."""
        if len(self.colour_flows) == 1:
            return torch.ones_like(alpha_s)[:, None]
        flows = self._by_blocks(momenta, self._flow_by_flow)
        return torch.stack([squared_at(_with_kappa(flow), theta) for flow in flows], dim=-1)

    def _factor(self, alpha_s: Tensor) -> Tensor:
        yukawa = self.couplings.top_mass / self.couplings.vacuum_expectation_value
        return (4.0 * math.pi * alpha_s * yukawa) ** 2 * SPIN_FLIP_FACTOR

    def _by_blocks(self, momenta: Tensor, evaluate: Callable[[Tensor], Tensor]) -> Tensor:
        """Evaluate in blocks of points that stay in the processor's cache."""
        if momenta.dtype != torch.float64:
            raise ProcessError(f"amplitudes need float64 momenta, got {momenta.dtype}: convert with .double()")
        blocks = [evaluate(component_first(block)) for block in torch.split(momenta, _POINTS_PER_BLOCK)]
        return torch.cat(blocks, dim=-1)

    def _colour_summed(self, momenta: Tensor) -> Tensor:
        """Return the interference matrix of M_S, M_P, M_D, `(3, 3, N)`, summed over colours and half of the spins."""
        ordered = self.colour_ordered(momenta, self.couplings)
        strengths, directions = torch.linalg.eigh(momenta.new_tensor(self.colour_matrix))
        total = momenta.new_zeros(3, 3, momenta.shape[-1])
        for strength, direction in zip(strengths.tolist(), directions.T.tolist(), strict=True):
            eigen_amplitude = sum(weight * amplitude for weight, amplitude in zip(direction, ordered, strict=True))
            total = total + strength * interference_matrix(eigen_amplitude)
        return total

    def _flow_by_flow(self, momenta: Tensor) -> Tensor:
        """Return the interference matrix of every colour order, `(flows, 3, 3, N)`."""
        return torch.stack([interference_matrix(order) for order in self.colour_ordered(momenta, self.couplings)])


def _with_kappa(interference: Tensor) -> Tensor:
    """Extend the interference matrix of M_S, M_P, M_D to M_0, δκ_t, κ̃_t, c_tG: δκ_t multiplies M_0 itself."""
    rows = interference[[0, 0, 1, 2]]
    return rows[:, [0, 0, 1, 2]]


def gluon_fusion_tth(couplings: TopHiggsCouplings | None = None) -> TTHAmplitude:
    """Return gg → H t t̄ with its two colour flows, in which the top takes the colour of the first or second gluon."""
    return TTHAmplitude(
        particles=(21, 21, HIGGS.pdg_id, TOP.pdg_id, -TOP.pdg_id),
        colour_flows=(
            ((501, 502), (502, 503), (0, 0), (501, 0), (0, 503)),
            ((502, 503), (501, 502), (0, 0), (501, 0), (0, 503)),
        ),
        couplings=couplings or TopHiggsCouplings(),
        colour_ordered=_transverse_gluon_fusion,
        colour_matrix=((16 / 3 / 256, -2 / 3 / 256), (-2 / 3 / 256, 16 / 3 / 256)),
    )


def quark_annihilation_tth(quark: int, couplings: TopHiggsCouplings | None = None) -> TTHAmplitude:
    """Return q q̄ → H t t̄ for the massless quark with PDG identifier `quark`; negative: the antiquark comes first."""
    incoming = ((501, 0), (0, 502)) if quark > 0 else ((0, 502), (501, 0))
    return TTHAmplitude(
        particles=(quark, -quark, HIGGS.pdg_id, TOP.pdg_id, -TOP.pdg_id),
        colour_flows=((*incoming, (0, 0), (501, 0), (0, 502)),),
        couplings=couplings or TopHiggsCouplings(),
        colour_ordered=_quark_first if quark > 0 else _antiquark_first,
        colour_matrix=((2.0 / 36,),),
    )


def _transverse_gluon_fusion(momenta: Tensor, couplings: TopHiggsCouplings) -> Tensor:
    polarization1, polarization2 = linear_polarizations(momenta[0]), linear_polarizations(momenta[1])
    return gluon_fusion_amplitudes(momenta, polarization1, polarization2, couplings)


def _quark_first(momenta: Tensor, couplings: TopHiggsCouplings) -> Tensor:
    return quark_annihilation_amplitudes(momenta, couplings)[None]


def _antiquark_first(momenta: Tensor, couplings: TopHiggsCouplings) -> Tensor:
    return quark_annihilation_amplitudes(momenta[[1, 0, 2, 3, 4]], couplings)[None]
