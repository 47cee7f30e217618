"""pp → t t̄ b b̄ of the strong interaction with massive b quarks, |M|² ∝ α_s⁴, through the external generator.

The partons are gluons and the four light quarks: in the scheme with massive b quarks there are none in the initial
state. The top width is zero: the tops are on shell, and a width in their propagators would spoil gauge invariance.

q q̄ and q̄ q do not share one |M|²: from the interference of gluons radiated by the light quarks with those radiated by
the heavy ones it is odd in the exchange of quark and antiquark (the charge asymmetry of the top), by up to a factor of
several at single points. They share one matrix element, with the beams exchanged.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.amplitudes.amplitude import Amplitude, ColourFlow
from partonic.physics.amplitudes.artifacts import GenerationOptions
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.physics.amplitudes.ufo import ExternalMatrixElement
from partonic.polynomial import Monomials

__all__ = ["INITIAL_QUARKS", "BeamsExchanged", "gluon_fusion_ttbb", "quark_annihilation_ttbb"]

INITIAL_QUARKS = (1, 2, 3, 4)
"""PDG identifiers of the quarks that are in the proton when the b quark is massive."""

_ORDERS = {"QCD": 4, "QED": 0}
_TIME_LIMIT = 1800.0


def gluon_fusion_ttbb(top_mass: float, bottom_mass: float, cache: Path | None = None) -> Amplitude:
    """Return g g → t t̄ b b̄. The generator runs for a minute or two when it is asked the first time.

    Args:
        top_mass: GeV.
        bottom_mass: GeV.
        cache: folder of the generated matrix elements; None for the default one.

    Raises:
        DependencyError: if the generator is not installed.
        ProcessError: if the generation fails.
    """
    return _amplitude("g g > t t~ b b~", top_mass, bottom_mass, cache)


def quark_annihilation_ttbb(top_mass: float, bottom_mass: float, cache: Path | None = None) -> Amplitude:
    """Return q q̄ → t t̄ b b̄, the same for all massless quarks (named u); arguments as of `gluon_fusion_ttbb`."""
    return _amplitude("u u~ > t t~ b b~", top_mass, bottom_mass, cache)


def _amplitude(process: str, top_mass: float, bottom_mass: float, cache: Path | None) -> Amplitude:
    element = ExternalMatrixElement.generate(
        process,
        parameters={"MT": top_mass, "WT": 0.0, "MB": bottom_mass},
        options=GenerationOptions(orders=_ORDERS, time_limit=_TIME_LIMIT, cache=cache),
        threads=torch.get_num_threads(),
    )
    return MorphedAmplitude(element)


@dataclass(frozen=True)
class BeamsExchanged:
    """An amplitude with its initial partons along −z and +z instead of +z and −z.

    Attributes:
        amplitude: the amplitude whose beams are exchanged.
    """

    amplitude: Amplitude

    @property
    def particles(self) -> tuple[int, ...]:
        """PDG identifiers of the two initial and then the final particles."""
        first, second, *final = self.amplitude.particles
        return (second, first, *final)

    @property
    def monomials(self) -> Monomials:
        """The monomials of θ."""
        return self.amplitude.monomials

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The colour flows, in the order of the other amplitude."""
        return tuple((second, first, *final) for first, second, *final in self.amplitude.colour_flows)

    def coefficients(
        self, momenta: Float[Tensor, "events particles 4"], alpha_s: Float[Tensor, " events"]
    ) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of |M|²; arguments and errors as of the other amplitude."""
        return self.amplitude.coefficients(_exchanged(momenta), alpha_s)

    def flow_weights(
        self,
        momenta: Float[Tensor, "events particles 4"],
        alpha_s: Float[Tensor, " events"],
        theta: Float[Tensor, " parameters"],
    ) -> Float[Tensor, "events flows"]:
        """Return the weights of the colour flows; arguments and errors as of the other amplitude."""
        return self.amplitude.flow_weights(_exchanged(momenta), alpha_s, theta)


def _exchanged(momenta: Tensor) -> Tensor:
    return torch.cat([momenta[:, [1, 0]], momenta[:, 2:]], dim=1)
