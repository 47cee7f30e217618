"""What one batch of held-out events hands to the quality of unfolding."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["EvaluatedEvents", "PartonDensity"]


@dataclass(frozen=True)
class PartonDensity:
    """Partons with their unit-cube numbers and the density that the flow gives them.

    Attributes:
        momenta: (E, px, py, pz) in the laboratory, GeV, H, t_had, t_lep first, `(N, P, 4)` or `(N, S, P, 4)`.
        numbers: in [0, 1]^D, `(N, D)` or `(N, S, D)`.
        log_density: log q of the numbers given the event, `(N,)` or `(N, S)`.
    """

    momenta: Float[Tensor, "*batch particles 4"]
    numbers: Float[Tensor, "*batch dimensions"]
    log_density: Float[Tensor, "*batch"]


@dataclass(frozen=True)
class EvaluatedEvents:
    """N simulated events that the networks have not been trained on, and what the networks say of them.

    Attributes:
        multiplicity: number of jets, `(N,)`.
        summary: a few numbers of the reconstructed event for the two-sample test, `(N, C)`.
        sum_p_z: longitudinal momentum of the sum of reconstructed objects with |η| < 2.4, GeV, `(N,)`.
        regressed: regressed momenta in the laboratory, GeV, `(N, P, 4)`.
        regressed_p_z: regressed longitudinal momentum of the whole, GeV, `(N,)`.
        regressed_numbers: unit-cube numbers of the regressed partons, `(N, D)`.
        truth: true partons with log q of them.
        samples: S sampled sets of partons for each event.
    """

    multiplicity: Int[Tensor, " events"]
    summary: Float[Tensor, "events summary"]
    sum_p_z: Float[Tensor, " events"]
    regressed: Float[Tensor, "events particles 4"]
    regressed_p_z: Float[Tensor, " events"]
    regressed_numbers: Float[Tensor, "events dimensions"]
    truth: PartonDensity
    samples: PartonDensity

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.multiplicity)
