r"""The top line of H t t̄: one or two gluons and a Higgs boson attached to a top and an antitop, or to their products.

Every sub-current is computed once: the amplitude is organised by where the Higgs boson sits on the line relative to the
gluons. For the Lagrangian and its vertices see `processes.tth.amplitude`.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

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
from partonic.physics.amplitudes.wavefunctions import (
    incoming_massless_current,
    outgoing_antifermion,
    outgoing_fermion,
)
from partonic.physics.particles import HIGGS, TOP, vacuum_expectation_value
from partonic.processes.top_decays import DecayedTop

__all__ = ["TopHiggsCouplings", "TopPair", "gluon_fusion_amplitudes", "quark_annihilation_amplitudes"]

_SCALE_OF_NEW_PHYSICS = 1000.0


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
class TopPair:
    """The outgoing top and antitop of an amplitude: momenta `(4, N)`, and row and column spinors `(4, spins, N)`."""

    top: Tensor
    antitop: Tensor
    bar: Tensor
    ket: Tensor

    @classmethod
    def on_shell(cls, momenta: Tensor, mass: float, top_spins: int) -> "TopPair":
        """Return the pair with momenta `(2, 4, N)`, and the first `top_spins` spin states of the top."""
        top, antitop = momenta
        return cls(top, antitop, outgoing_fermion(top, mass)[:, :top_spins], outgoing_antifermion(antitop, mass))

    @classmethod
    def decayed(cls, momenta: Tensor, top: DecayedTop, antitop: DecayedTop) -> "TopPair":
        """Return the pair whose products have the momenta `(6, 4, N)`, those of the top first."""
        first, second = momenta[:3], momenta[3:]
        return cls(first.sum(dim=0), second.sum(dim=0), top.row(first)[:, None], antitop.column(second)[:, None])


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
    def radiating_higgs(cls, higgs: Tensor, pair: TopPair, mass: float) -> "_TopLine":
        """Build the line of a pair that radiates a Higgs boson of momentum `(4, N)`."""
        top, antitop = pair.top, pair.antitop
        bar = pair.bar[:, :, None, None, None, :]
        ket = pair.ket[:, None, :, None, None, :]
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
    momenta: Tensor, pair: TopPair, polarizations: tuple[Tensor, Tensor], couplings: TopHiggsCouplings
) -> Tensor:
    """Return A(1,2) and A(2,1) of gg → H t t̄ for M_S, M_P, M_D, without the factor g_s² m_t/v.

    Args:
        momenta: g, g (incoming), H, `(3, 4, N)`, GeV; more are not looked at.
        pair: the tops.
        polarizations: real polarisation vectors of the first and the second gluon, `(4, λ, N)`.
        couplings: masses and couplings.

    Returns:
        complex `(2 orders, 3, top spins, antitop spins, λ1, λ2, N)`.
    """
    k1, k2 = momenta[0], momenta[1]
    e1, e2 = polarizations[0][:, None, None, :, None, :], polarizations[1][:, None, None, None, :, :]
    k1_wide, k2_wide = k1[:, None, None, None, None, :], k2[:, None, None, None, None, :]
    line = _TopLine.radiating_higgs(momenta[2], pair, couplings.top_mass)
    v1, v2 = light_cone(e1), light_cone(e2)
    gluon1 = _Gluon(v1, commutator(light_cone(k1_wide), v1), k1)
    gluon2 = _Gluon(v2, commutator(light_cone(k2_wide), v2), k2)
    current = light_cone(fuse_gluons(k1_wide, e1, k2_wide, e2))
    fused_dipole = commutator(light_cone(k1_wide + k2_wide), current) - commutator(v1, v2)
    fused = _one_gluon_amplitudes(line, _Gluon(current, fused_dipole, k1 + k2))
    attached1, attached2 = _Attached.to(line, gluon1), _Attached.to(line, gluon2)
    amplitudes = torch.stack(
        [_ordered_amplitudes(attached1, attached2) + fused, _ordered_amplitudes(attached2, attached1) - fused]
    )
    amplitudes[:, 2] *= couplings.dipole
    return amplitudes


def quark_annihilation_amplitudes(
    momenta: Tensor, pair: TopPair, couplings: TopHiggsCouplings, helicities: int = 1
) -> Tensor:
    """Return the amplitude of q q̄ → H t t̄ for M_S, M_P, M_D, without g_s² m_t/v.

    Args:
        momenta: q, q̄ (incoming), H, `(3, 4, N)`, GeV; more are not looked at.
        pair: the tops.
        couplings: masses and couplings.
        helicities: of the quark: 1 for +1/2, 2 for both.

    Returns:
        complex `(3, top spins, antitop spins, 1, helicities, N)`.
    """
    k = momenta[0] + momenta[1]
    current = incoming_massless_current(momenta[0], momenta[1]) / (k[0] ** 2 - k[1] ** 2 - k[2] ** 2 - k[3] ** 2)
    currents = torch.stack([current, current.conj().resolve_conj()][:helicities], dim=1)
    vector = light_cone(currents[:, None, None, None, :, :])
    line = _TopLine.radiating_higgs(momenta[2], pair, couplings.top_mass)
    dipole = commutator(light_cone(k[:, None, None, None, None, :]), vector)
    amplitudes = _one_gluon_amplitudes(line, _Gluon(vector, dipole, k))
    amplitudes[2] *= couplings.dipole
    return amplitudes
