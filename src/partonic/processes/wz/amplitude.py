r"""Helicity amplitudes of q q̄' → ℓν ℓ'ℓ̄': all diagrams, with the three operators of `couplings`.

For u d̄ → ℓ⁺ν ℓ'⁻ℓ'⁺ the Z or photon is radiated by the quark line (two places each), by the W (the triple vertex), or
by ℓ⁺ and ν of a W in the s-channel; and that W can go to ℓ'⁺ν', ν' → ℓ'⁻W⁺. Fermions are massless: the W fixes the
chirality of quarks, ℓ and ν, so two helicity amplitudes are left, those of ℓ'. Breit–Wigner propagators have fixed
widths, as in other programs: the Ward identities of photon and Z hold with them, relations that rest on
cos θ_W = m_W/m_Z to the order Γ/m.
`doubly_resonant` leaves out the diagrams that have not both a W → ℓν and a Z or γ → ℓ'ℓ̄'.

W⁻Z is the CP conjugate: particles and antiparticles exchanged, momenta reflected. The operators conserve CP.

With three leptons of one flavour the amplitude is antisymmetric in the two of equal charge. The slots are then those of
the assignment that is nearer to both resonances (the larger product of propagators); the other half of phase space, the
same events once more, is empty.
"""

from dataclasses import dataclass, field
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients
from partonic.physics.amplitudes.wavefunctions import component_first
from partonic.physics.amplitudes.weyl import Chirality
from partonic.polynomial import Monomials
from partonic.processes.wz.couplings import WZ_PARAMETERS, WZCouplings, times
from partonic.processes.wz.diagrams import (
    BosonField,
    annihilation,
    exchanged,
    exchanged_to_pair,
    from_leptons,
    from_quarks,
    incoming_w,
    line_between,
    propagator,
)

__all__ = ["WZAmplitude", "w_plus_z_amplitudes"]

_CHIRALITIES: Final[tuple[Chirality, ...]] = ("left", "right")
_SPIN_AND_COLOUR = 1.0 / 12.0
"""Average over 4 spin and 9 colour states of the quarks, times 3 colours of the pair."""
_POINTS_PER_BLOCK = 4096


def w_plus_z_amplitudes(momenta: Tensor, couplings: WZCouplings, *, doubly_resonant: bool = False) -> Tensor:
    """Return M of u d̄ → ℓ⁺ν ℓ'⁻ℓ'⁺: value and derivatives by θ for both chiralities of ℓ'.

    Args:
        momenta: u, d̄ (incoming), ℓ⁺, ν, ℓ'⁻, ℓ'⁺, `(6, 4, N)`, GeV.
        couplings: of W and Z.
        doubly_resonant: leave out diagrams with fewer than two resonances.

    Returns:
        complex `(4, 2, N)`, GeV⁻².
    """
    return torch.stack([_of_chirality(momenta, couplings, name, doubly_resonant) for name in _CHIRALITIES], dim=1)


def _of_chirality(momenta: Tensor, couplings: WZCouplings, chirality: Chirality, doubly_resonant: bool) -> Tensor:
    u, d, charged, neutrino, minus, plus = momenta
    scheme = couplings.scheme
    quarks, leptons = annihilation(u, d), line_between(neutrino, charged, "left")
    pair = line_between(minus, plus, chirality)
    w = exchanged(leptons, charged + neutrino, scheme.w_mass, scheme.w_width)
    s_channel = incoming_w(quarks, u + d, couplings)
    neutral, of = BosonField(pair.current(), minus + plus), exchanged_to_pair(minus + plus, chirality, couplings)
    g_w, g_q = couplings.w_leptons()[:, None], couplings.w_quarks()[:, None]
    amplitude = times(from_quarks(quarks, w, neutral, of, couplings), g_w)
    if not doubly_resonant:
        amplitude += from_leptons(leptons, s_channel, neutral, of, couplings)
    if chirality == "left" and not doubly_resonant:
        amplitude += times(g_q, g_w, g_w, g_w) * pair.emits(w, s_channel)
    return amplitude


@dataclass(frozen=True)
class WZAmplitude:
    """|M|² of one partonic channel of pp → ℓν ℓ'ℓ̄' as an `Amplitude`.

    Attributes:
        particles: PDG ids of the initial partons along +z and −z, then of ℓ and ν of the W, ℓ⁻ and ℓ⁺ of the Z.
        couplings: of W and Z.
        doubly_resonant: leave out diagrams with fewer than two resonances.
        pair_mass_min: smallest mass of the other pair of opposite charge if all leptons are of one flavour, GeV; below
            it |M|² is 0, because massless leptons have a photon pole there.

    Raises:
        ProcessError: if the particles are not those of such a channel.
    """

    particles: tuple[int, ...]
    couplings: WZCouplings = field(default_factory=WZCouplings)
    doubly_resonant: bool = False
    pair_mass_min: float = 12.0

    def __post_init__(self) -> None:
        charged, neutrino, minus, plus = self.particles[2:] if len(self.particles) == 6 else (0, 0, 0, 0)
        up, down = sorted(self.particles[:2], key=lambda pdg: abs(pdg) % 2)
        sign = -1 if charged > 0 else 1
        if not (
            minus == -plus > 0 and abs(charged) in (11, 13, 15) and minus in (11, 13, 15)
            and neutrino == sign * (abs(charged) + 1)
            and abs(up) % 2 == 0 and abs(down) % 2 == 1 and up * sign > 0 > down * sign
        ):  # fmt: skip
            raise ProcessError(
                f"{self.particles} is no channel of q q' -> l nu l- l+: expected an up-type and a down-type quark or "
                "antiquark, the lepton and neutrino of the W, and a pair of leptons"
            )

    @property
    def monomials(self) -> Monomials:
        """The ten monomials of (c_ΦWB, c_WWW, c_Φq3) up to degree two."""
        return Monomials.up_to_degree(WZ_PARAMETERS, 2)

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The one colour flow: quark and antiquark annihilate."""
        lines = {True: (501, 0), False: (0, 501)}
        return ((lines[self.particles[0] > 0], lines[self.particles[1] > 0], (0, 0), (0, 0), (0, 0), (0, 0)),)

    def coefficients(
        self, momenta: Float[Tensor, "events 6 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events 10"]:
        """Return the coefficients of |M|² in GeV⁻⁴, averaged over initial and summed over final spins and colours.

        Args:
            momenta: the incoming partons, then ℓ, ν, ℓ⁻, ℓ⁺ as in `particles`; GeV, any frame.
            alpha_s: not used: the process is electroweak.

        Raises:
            ProcessError: if the momenta are not float64.
        """
        if momenta.dtype != torch.float64:
            raise ProcessError(f"amplitudes need float64 momenta, got {momenta.dtype}: convert with .double()")
        return torch.cat([self._block(block) for block in torch.split(momenta, _POINTS_PER_BLOCK)])

    def flow_weights(
        self, momenta: Float[Tensor, "events 6 4"], alpha_s: Float[Tensor, " events"], theta: Float[Tensor, " 3"]
    ) -> Float[Tensor, "events 1"]:
        """Return 1 for the only flow."""
        return torch.ones_like(alpha_s)[:, None]

    def _block(self, momenta: Tensor) -> Tensor:
        ordered = self._as_w_plus(component_first(momenta))
        amplitudes = w_plus_z_amplitudes(ordered, self.couplings, doubly_resonant=self.doubly_resonant)
        if abs(self.particles[2]) != self.particles[4]:
            interference = interference_matrix(amplitudes)
        else:
            # ℓ⁺ of W and Z exchanged; the right-handed pair then is another helicity state.
            other = w_plus_z_amplitudes(
                ordered[[0, 1, 5, 3, 4, 2]], self.couplings, doubly_resonant=self.doubly_resonant
            )
            both = torch.stack([amplitudes[:, 0] - other[:, 0], amplitudes[:, 1], other[:, 1]], dim=1)
            interference = interference_matrix(both) * self._own_half(ordered)
        return quadratic_coefficients(interference, self.monomials) * _SPIN_AND_COLOUR

    def _as_w_plus(self, momenta: Tensor) -> Tensor:
        """Return the momenta of u, d̄, ℓ⁺, ν, ℓ'⁻, ℓ'⁺, after CP for W⁻Z."""
        first_is_up = abs(self.particles[0]) % 2 == 0
        order = [0, 1] if first_is_up else [1, 0]
        if self.particles[2] < 0:
            return momenta[[*order, 2, 3, 4, 5]]
        reflection = momenta.new_tensor([1.0, -1.0, -1.0, -1.0])[:, None]
        return momenta[[*order, 2, 3, 5, 4]] * reflection

    def _own_half(self, ordered: Tensor) -> Tensor:
        """Return 1 where the slots are those of the assignment nearer to both resonances, else 0; 0 near the pole."""
        scheme = self.couplings.scheme
        sizes = [
            propagator(ordered[3] + ordered[w], scheme.w_mass, scheme.w_width).abs()
            * propagator(ordered[4] + ordered[z], scheme.z_mass, scheme.z_width).abs()
            for w, z in ((2, 5), (5, 2))
        ]
        other = ordered[4] + ordered[2]
        square = other[0] ** 2 - other[1] ** 2 - other[2] ** 2 - other[3] ** 2
        return ((sizes[0] >= sizes[1]) & (square > self.pair_mass_min**2)).to(ordered.dtype)
