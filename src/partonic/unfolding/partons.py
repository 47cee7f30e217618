"""What unfolding gives for each event: sampled sets of partons with their density, and regressed partons."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

__all__ = ["PartonSamples", "RegressedPartons"]


@dataclass(frozen=True)
class PartonSamples:
    """Sets of partons drawn for events, S for each; NaN for events whose status is not ``"ok"``.

    Attributes:
        momenta: (E, px, py, pz) in the laboratory, GeV, `(N, S, P, 4)`; H, t_had, t_lep(, radiation).
        x1, x2: momentum fractions, `(N, S)`.
        numbers: in the unit cube of the view, of the laboratory, `(N, S, D)`.
        log_density: log q(u|x) with respect to du of these numbers, `(N, S)`.
        status: ``"ok"`` or what is wrong with the event, `(N,)`.
    """

    momenta: Float[Tensor, "events samples partons 4"]
    x1: Float[Tensor, "events samples"]
    x2: Float[Tensor, "events samples"]
    numbers: Float[Tensor, "events samples dimensions"]
    log_density: Float[Tensor, "events samples"]
    status: tuple[str, ...]


@dataclass(frozen=True)
class RegressedPartons:
    """Regressed partons, on shell, their response calibrated; NaN for events whose status is not ``"ok"``.

    Attributes:
        momenta: (E, px, py, pz) in the laboratory, GeV, `(N, P, 4)`; the radiated parton balances the others.
        x1, x2: momentum fractions, `(N,)`.
        p_z: regressed longitudinal momentum of the whole, GeV, `(N,)`.
        status: ``"ok"`` or what is wrong with the event, `(N,)`.
    """

    momenta: Float[Tensor, "events partons 4"]
    x1: Float[Tensor, " events"]
    x2: Float[Tensor, " events"]
    p_z: Float[Tensor, " events"]
    status: tuple[str, ...]
