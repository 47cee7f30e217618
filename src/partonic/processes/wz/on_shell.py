"""Helicity amplitudes of q q̄' → W±Z with W and Z on their mass shells, and of q q̄' → W±γ by the same diagrams.

No propagator is at a resonance, so that all widths are 0 and Ward identities hold exactly. W⁻Z is the CP conjugate of
W⁺Z.
"""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow
from partonic.physics.amplitudes.interference import interference_matrix, quadratic_coefficients
from partonic.physics.amplitudes.wavefunctions import component_first, massive_polarizations
from partonic.polynomial import Monomials
from partonic.processes.wz.couplings import WZ_PARAMETERS, WZCouplings
from partonic.processes.wz.diagrams import BosonField, annihilation, couplings_of, from_quarks

__all__ = ["OnShellWZAmplitude", "on_shell_amplitudes"]

_SPIN_AND_COLOUR = 1.0 / 12.0
"""Average over 4 spin and 9 colour states of the quarks, times 3 colours of the pair."""


def on_shell_amplitudes(
    momenta: Tensor, w_polarizations: Tensor, z_polarizations: Tensor, couplings: WZCouplings
) -> Tensor:
    """Return M of u d̄ → W⁺Z: value and derivatives by θ for all pairs of polarisation vectors.

    Args:
        momenta: u, d̄ (incoming), W⁺, Z, `(4, 4, N)`, GeV.
        w_polarizations: complex conjugate wave functions of the W⁺, `(4, a, N)`.
        z_polarizations: those of the Z, `(4, b, N)`.
        couplings: of W and Z, with widths 0.

    Returns:
        complex `(4, a, b, N)`.
    """
    u, d, w, z = momenta
    quarks, of = annihilation(u, d), couplings_of("Z", couplings)
    rows = [
        torch.stack(
            [
                from_quarks(quarks, BosonField(of_w, w), BosonField(of_z, z), of, couplings)
                for of_z in z_polarizations.unbind(dim=1)
            ],
            dim=1,
        )
        for of_w in w_polarizations.unbind(dim=1)
    ]
    return torch.stack(rows, dim=1)


@dataclass(frozen=True)
class OnShellWZAmplitude:
    """|M|² of one partonic channel of pp → W±Z as an `Amplitude`.

    Attributes:
        particles: PDG ids of the initial partons along +z and −z, then of W and Z.
        couplings: of W and Z; widths are taken as 0.

    Raises:
        ProcessError: if the particles are not those of such a channel.
    """

    particles: tuple[int, ...]
    couplings: WZCouplings = field(default_factory=WZCouplings)

    def __post_init__(self) -> None:
        if len(self.particles) != 4 or not self._is_channel:
            raise ProcessError(
                f"{self.particles} is no channel of q q' -> W Z: expected an up-type and a down-type quark or "
                "antiquark, W (24 or -24) and Z (23)"
            )

    @property
    def _is_channel(self) -> bool:
        up, down = sorted(self.particles[:2], key=lambda pdg: abs(pdg) % 2)
        sign = 1 if self.particles[2] > 0 else -1
        return self.particles[2:] == (sign * 24, 23) and sign * up in (2, 4) and sign * down in (-1, -3)

    @property
    def monomials(self) -> Monomials:
        """The ten monomials of (c_ΦWB, c_WWW, c_Φq3) up to degree two."""
        return Monomials.up_to_degree(WZ_PARAMETERS, 2)

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The one colour flow: quark and antiquark annihilate."""
        lines = {True: (501, 0), False: (0, 501)}
        return ((lines[self.particles[0] > 0], lines[self.particles[1] > 0], (0, 0), (0, 0)),)

    def coefficients(
        self, momenta: Float[Tensor, "events 4 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events 10"]:
        """Return the coefficients of |M|², averaged over initial and summed over final spins and colours.

        Args:
            momenta: the incoming partons, then W and Z as in `particles`; GeV, any frame in which neither is at rest.
            alpha_s: not used: the process is electroweak.

        Raises:
            ProcessError: if the momenta are not float64.
        """
        if momenta.dtype != torch.float64:
            raise ProcessError(f"amplitudes need float64 momenta, got {momenta.dtype}: convert with .double()")
        scheme = replace(self.couplings.scheme, w_width=0.0, z_width=0.0)
        ordered = self._as_w_plus(component_first(momenta))
        amplitudes = on_shell_amplitudes(
            ordered,
            massive_polarizations(ordered[2], scheme.w_mass),
            massive_polarizations(ordered[3], scheme.z_mass),
            WZCouplings(scheme),
        )
        return quadratic_coefficients(interference_matrix(amplitudes), self.monomials) * _SPIN_AND_COLOUR

    def flow_weights(
        self, momenta: Float[Tensor, "events 4 4"], alpha_s: Float[Tensor, " events"], theta: Float[Tensor, " 3"]
    ) -> Float[Tensor, "events 1"]:
        """Return 1 for the only flow."""
        return torch.ones_like(alpha_s)[:, None]

    def _as_w_plus(self, momenta: Tensor) -> Tensor:
        """Return the momenta of u, d̄, W⁺, Z, after CP for W⁻Z."""
        order = [0, 1, 2, 3] if abs(self.particles[0]) % 2 == 0 else [1, 0, 2, 3]
        if self.particles[2] > 0:
            return momenta[order]
        return momenta[order] * momenta.new_tensor([1.0, -1.0, -1.0, -1.0])[:, None]
