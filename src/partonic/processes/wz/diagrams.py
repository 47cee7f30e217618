"""Feynman diagrams of q q̄' → W V and q q̄' → ℓν V with V = Z or γ, for any field of W and V.

A field is the wave function of an outgoing boson (a polarisation vector, or a current times its propagator) with its
momentum, so that the same diagrams serve bosons on and off the mass shell. Amplitudes are value and derivatives by
θ, `(4, N)`, up to one phase common to all; `partonic.processes.wz.couplings.times` multiplies couplings to them.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from partonic.physics.amplitudes.triple_gauge import triple_gauge_structures
from partonic.physics.amplitudes.weyl import Chirality, Spinor, chiral_current, chiral_line, chiral_spinor
from partonic.processes.wz.couplings import WZCouplings, times

__all__ = [
    "BosonField",
    "FermionLine",
    "NeutralBoson",
    "NeutralCouplings",
    "annihilation",
    "couplings_of",
    "exchanged",
    "exchanged_to_pair",
    "from_leptons",
    "from_quarks",
    "incoming_w",
    "line_between",
    "propagator",
]

NeutralBoson = Literal["Z", "photon"]
_UP, _DOWN, _ELECTRON, _NEUTRINO = 2, 1, 11, 12


class BosonField(NamedTuple):
    """The field of an outgoing boson.

    Attributes:
        components: contravariant, `(4, N)`.
        momentum: outgoing, `(4, N)`, GeV.
    """

    components: Tensor
    momentum: Tensor


class FermionLine(NamedTuple):
    """A massless fermion line of one chirality.

    Attributes:
        out: two-component spinor where the line leaves, `(2, N)`.
        into: where it enters.
        entering: momentum that enters along the line: of an incoming fermion, minus that of an outgoing antifermion.
        chirality: of the line.
    """

    out: Spinor
    into: Spinor
    entering: Tensor
    chirality: Chirality

    def current(self) -> Tensor:
        """Return ψ̄ γ^μ ψ, `(4, N)`."""
        return chiral_current(self.out, self.into, self.chirality)

    def emits(self, last: BosonField, first: BosonField) -> Tensor:
        """Return the line that emits two bosons, `first` next to where it enters."""
        inner = self.entering - first.momentum
        return -chiral_line(self.out, last.components, inner, first.components, self.into, self.chirality)


def annihilation(quark: Tensor, antiquark: Tensor) -> FermionLine:
    """Return the left-handed line of an incoming quark and antiquark of these momenta, `(4, N)`."""
    return FermionLine(chiral_spinor(antiquark, "left"), chiral_spinor(quark, "left"), quark, "left")


def line_between(fermion: Tensor, antifermion: Tensor, chirality: Chirality) -> FermionLine:
    """Return the line of an outgoing fermion and antifermion of these momenta, `(4, N)`."""
    return FermionLine(
        chiral_spinor(fermion, chirality), chiral_spinor(antifermion, chirality), -antifermion, chirality
    )


def propagator(p: Tensor, mass: float, width: float) -> Tensor:
    """Return 1/(p² − M² + iMΓ)."""
    square = p[0] ** 2 - p[1] ** 2 - p[2] ** 2 - p[3] ** 2
    return 1.0 / torch.complex(square - mass**2, torch.full_like(square, mass * width))


def exchanged(line: FermionLine, momentum: Tensor, mass: float, width: float) -> BosonField:
    """Return the field of the boson of outgoing `momentum` that a line without further emission makes."""
    return BosonField(line.current() * propagator(momentum, mass, width), momentum)


class NeutralCouplings(NamedTuple):
    """Couplings of a neutral boson, `(4, 1)`; or those of Z and γ with propagators and what they decay to, `(4, N)`.

    Attributes:
        up, down, electron, neutrino: to left-handed fermions.
        gauge, magnetic, field_strengths: g₁, κ and λ of the vertex with two W.
    """

    up: Tensor
    down: Tensor
    electron: Tensor
    neutrino: Tensor
    gauge: Tensor
    magnetic: Tensor
    field_strengths: Tensor


def couplings_of(boson: NeutralBoson, couplings: WZCouplings) -> NeutralCouplings:
    """Return the couplings of a Z or photon as such."""
    fermions = [
        couplings.photon(pdg) if boson == "photon" else couplings.z(pdg, "left")
        for pdg in (_UP, _DOWN, _ELECTRON, _NEUTRINO)
    ]
    vertex = (couplings.gauge(boson), couplings.magnetic(boson), couplings.field_strengths(boson))
    return NeutralCouplings(*(each[:, None] for each in (*fermions, *vertex)))


def exchanged_to_pair(momentum: Tensor, chirality: Chirality, couplings: WZCouplings) -> NeutralCouplings:
    """Return the couplings of Z and γ that go to a pair of charged leptons: the sum of both, with propagators.

    Both have the field of the lepton current, so that their diagrams need to be evaluated once.

    Args:
        momentum: of the pair, `(4, N)`, GeV.
        chirality: of the pair.
        couplings: of W, Z and γ.
    """
    scheme = couplings.scheme
    of_z = couplings.z(_ELECTRON, chirality)[:, None] * propagator(momentum, scheme.z_mass, scheme.z_width)
    of_photon = couplings.photon(_ELECTRON)[:, None] * propagator(momentum, 0.0, 0.0)
    both = zip(couplings_of("Z", couplings), couplings_of("photon", couplings), strict=True)
    return NeutralCouplings(*(times(z, of_z) + times(photon, of_photon) for z, photon in both))


def from_quarks(
    quarks: FermionLine, w: BosonField, neutral: BosonField, of: NeutralCouplings, couplings: WZCouplings
) -> Tensor:
    """Return u d̄ → W⁺V: V from the quarks, in two places, and from the W of the s-channel.

    Args:
        quarks: the line of u and d̄.
        w: field of the W⁺.
        neutral: field of V.
        of: couplings of V.
        couplings: of W.

    Returns:
        complex `(4, N)`.
    """
    s_channel = incoming_w(quarks, w.momentum + neutral.momentum, couplings)
    vertex = triple_gauge_structures(
        s_channel.components, -s_channel.momentum, w.components, -w.momentum, neutral.components, -neutral.momentum
    )
    radiated = (
        of.up * quarks.emits(w, neutral)
        + of.down * quarks.emits(neutral, w)
        + of.gauge * vertex.gauge
        + of.magnetic * vertex.magnetic
        + of.field_strengths * vertex.field_strengths
    )
    return times(radiated, couplings.w_quarks()[:, None])


def from_leptons(
    leptons: FermionLine, s_channel: BosonField, neutral: BosonField, of: NeutralCouplings, couplings: WZCouplings
) -> Tensor:
    """Return u d̄ → W* → ℓ⁺ν V with V from ν or ℓ⁺.

    Args:
        leptons: the line of ν and ℓ⁺.
        s_channel: field of `incoming_w`.
        neutral: field of V.
        of: couplings of V.
        couplings: of W.

    Returns:
        complex `(4, N)`.
    """
    radiated = of.neutrino * leptons.emits(neutral, s_channel) + of.electron * leptons.emits(s_channel, neutral)
    return times(radiated, couplings.w_quarks()[:, None], couplings.w_leptons()[:, None])


def incoming_w(quarks: FermionLine, total: Tensor, couplings: WZCouplings) -> BosonField:
    """Return the field of the W of the s-channel, as a boson of outgoing momentum −`total`; quark coupling left out."""
    field = exchanged(quarks, total, couplings.scheme.w_mass, couplings.scheme.w_width)
    return BosonField(field.components, -total)
