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
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients, squared_at
from partonic.physics.amplitudes.wavefunctions import SPIN_FLIP_FACTOR, component_first, linear_polarizations
from partonic.physics.particles import HIGGS, TOP
from partonic.polynomial import Monomials
from partonic.processes.top_decays import DecayedTop
from partonic.processes.tth.top_line import (
    TopHiggsCouplings,
    TopPair,
    gluon_fusion_amplitudes,
    quark_annihilation_amplitudes,
)

__all__ = ["TTH_PARAMETERS", "Decays", "TTHAmplitude", "gluon_fusion_tth", "quark_annihilation_tth"]

TTH_PARAMETERS = ("delta_kappa_t", "kappa_tilde_t", "c_tG")
"""δκ_t, κ̃_t and c_tG (Λ = 1 TeV)."""

_POINTS_PER_BLOCK = 2048

Decays = tuple[DecayedTop, DecayedTop]
"""Of the top and of the antitop."""


@dataclass(frozen=True)
class TTHAmplitude:
    """One partonic channel of pp → H t t̄ as an `Amplitude`; built by `gluon_fusion_tth` and `quark_annihilation_tth`.

    Attributes:
        particles: PDG identifiers of the two initial partons, then H, t, t̄.
        colour_flows: colour flows, see `Amplitude`.
        couplings: masses and couplings.
        colour_ordered: gives the colour-ordered amplitudes `(flows, 3, ..., N)` of M_S, M_P, M_D.
        colour_matrix: weights of their products in the colour sum, averaged over initial spins and colours.
        decays: of t and t̄, as part of the amplitude; None for tops on their mass shells.
    """

    particles: tuple[int, ...]
    colour_flows: tuple[ColourFlow, ...]
    couplings: TopHiggsCouplings
    colour_ordered: Callable[[Tensor, TopHiggsCouplings, Decays | None], Tensor]
    colour_matrix: tuple[tuple[float, ...], ...]
    decays: Decays | None = None

    @property
    def monomials(self) -> Monomials:
        """The ten monomials of (δκ_t, κ̃_t, c_tG) up to degree two."""
        return Monomials.up_to_degree(TTH_PARAMETERS, 2)

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events 10"]:
        """Return the coefficients of |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours.

        Args:
            momenta: as `particles`; GeV, any frame.
            alpha_s: strong coupling of each event.

        Raises:
            ProcessError: if the momenta are not float64 (cancellations between diagrams need it).
        """
        interference = self._by_blocks(momenta, self._colour_summed)
        return quadratic_coefficients(_with_kappa(interference) * self._factor(alpha_s), self.monomials)

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " 3"],
    ) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each colour flow at `theta`, up to a factor common to the flows."""
        if len(self.colour_flows) == 1:
            return torch.ones_like(alpha_s)[:, None]
        flows = self._by_blocks(momenta, self._flow_by_flow)
        return torch.stack([squared_at(_with_kappa(flow), theta) for flow in flows], dim=-1)

    def _factor(self, alpha_s: Tensor) -> Tensor:
        yukawa = self.couplings.top_mass / self.couplings.vacuum_expectation_value
        # with decays all spin states are summed: chains of chiral currents do not flip into their conjugates
        spins = SPIN_FLIP_FACTOR if self.decays is None else 1.0
        return (4.0 * math.pi * alpha_s * yukawa) ** 2 * spins

    def _by_blocks(self, momenta: Tensor, evaluate: Callable[[Tensor], Tensor]) -> Tensor:
        """Evaluate in blocks of points that stay in the processor's cache."""
        if momenta.dtype != torch.float64:
            raise ProcessError(f"amplitudes need float64 momenta, got {momenta.dtype}: convert with .double()")
        blocks = [evaluate(component_first(block)) for block in torch.split(momenta, _POINTS_PER_BLOCK)]
        return torch.cat(blocks, dim=-1)

    def _colour_summed(self, momenta: Tensor) -> Tensor:
        """Return the interference matrix of M_S, M_P, M_D, `(3, 3, N)`, summed over colours and spins.

        Of the spins only half are computed where that is enough (`_factor`).
        """
        ordered = self.colour_ordered(momenta, self.couplings, self.decays)
        strengths, directions = torch.linalg.eigh(momenta.new_tensor(self.colour_matrix))
        total = momenta.new_zeros(3, 3, momenta.shape[-1])
        for strength, direction in zip(strengths.tolist(), directions.T.tolist(), strict=True):
            eigen_amplitude = sum(weight * amplitude for weight, amplitude in zip(direction, ordered, strict=True))
            total = total + strength * interference_matrix(eigen_amplitude)
        return total

    def _flow_by_flow(self, momenta: Tensor) -> Tensor:
        """Return the interference matrix of every colour order, `(flows, 3, 3, N)`."""
        ordered = self.colour_ordered(momenta, self.couplings, self.decays)
        return torch.stack([interference_matrix(order) for order in ordered])


def _with_kappa(interference: Tensor) -> Tensor:
    """Extend the interference matrix of M_S, M_P, M_D to M_0, δκ_t, κ̃_t, c_tG: δκ_t multiplies M_0 itself."""
    rows = interference[[0, 0, 1, 2]]
    return rows[:, [0, 0, 1, 2]]


def gluon_fusion_tth(couplings: TopHiggsCouplings | None = None, decays: Decays | None = None) -> TTHAmplitude:
    """Return gg → H t t̄ with its two colour flows, in which the top takes the colour of the first or second gluon.

    Args:
        couplings: masses and couplings; None for the defaults.
        decays: of t and t̄ in the amplitude; None for tops on their mass shells.
    """
    tops = _colours_of_tops((501, 0), (0, 503), decays)
    return TTHAmplitude(
        particles=(21, 21, HIGGS.pdg_id, *_tops(decays)),
        colour_flows=(((501, 502), (502, 503), (0, 0), *tops), ((502, 503), (501, 502), (0, 0), *tops)),
        couplings=couplings or TopHiggsCouplings(),
        colour_ordered=_of_gluons,
        colour_matrix=((16 / 3 / 256, -2 / 3 / 256), (-2 / 3 / 256, 16 / 3 / 256)),
        decays=decays,
    )


def quark_annihilation_tth(
    quark: int, couplings: TopHiggsCouplings | None = None, decays: Decays | None = None
) -> TTHAmplitude:
    """Return q q̄ → H t t̄ for the massless quark with PDG identifier `quark`; negative: the antiquark comes first."""
    incoming = ((501, 0), (0, 502)) if quark > 0 else ((0, 502), (501, 0))
    return TTHAmplitude(
        particles=(quark, -quark, HIGGS.pdg_id, *_tops(decays)),
        colour_flows=((*incoming, (0, 0), *_colours_of_tops((501, 0), (0, 502), decays)),),
        couplings=couplings or TopHiggsCouplings(),
        colour_ordered=_quark_first if quark > 0 else _antiquark_first,
        colour_matrix=((2.0 / 36,),),
        decays=decays,
    )


def _tops(decays: Decays | None) -> tuple[int, ...]:
    if decays is None:
        return TOP.pdg_id, -TOP.pdg_id
    return *decays[0].products(1), *decays[1].products(-1)


def _colours_of_tops(
    top: tuple[int, int], antitop: tuple[int, int], decays: Decays | None
) -> tuple[tuple[int, int], ...]:
    if decays is None:
        return top, antitop
    return *decays[0].colours(top, 504), *decays[1].colours(antitop, 505)


def _of_gluons(momenta: Tensor, couplings: TopHiggsCouplings, decays: Decays | None) -> Tensor:
    polarizations = linear_polarizations(momenta[0]), linear_polarizations(momenta[1])
    return gluon_fusion_amplitudes(momenta, _pair(momenta, couplings, decays, top_spins=1), polarizations, couplings)


def _quark_first(momenta: Tensor, couplings: TopHiggsCouplings, decays: Decays | None) -> Tensor:
    pair, helicities = _pair(momenta, couplings, decays, top_spins=2), 1 if decays is None else 2
    return quark_annihilation_amplitudes(momenta, pair, couplings, helicities)[None]


def _antiquark_first(momenta: Tensor, couplings: TopHiggsCouplings, decays: Decays | None) -> Tensor:
    return _quark_first(torch.cat([momenta[[1, 0]], momenta[2:]]), couplings, decays)


def _pair(momenta: Tensor, couplings: TopHiggsCouplings, decays: Decays | None, top_spins: int) -> TopPair:
    if decays is None:
        return TopPair.on_shell(momenta[3:], couplings.top_mass, top_spins)
    return TopPair.decayed(momenta[3:], *decays)
