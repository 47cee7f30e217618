"""One event seen closely: many samples of its partons beside the truth."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.unfolding.quality.observables import PARTICLES, kinematics

__all__ = ["SingleEvent", "single_event"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SingleEvent:
    """Samples of one event; kinematics are pT (GeV), η and φ of H, t_had and t_lep in the laboratory.

    Attributes:
        event: number of the event in its store.
        jets: number of jets.
        truth, regressed: `(3, 3)`.
        samples: `(S, 3, 3)`.
    """

    event: int
    jets: int
    truth: Array
    regressed: Array
    samples: NDArray[np.float32]

    def summary(self) -> dict[str, object]:
        """Return truth, regression and quantiles of the samples by particle and quantity."""
        quantiles = np.quantile(self.samples, (0.16, 0.5, 0.84), axis=0)
        kinds = ("pt", "eta", "phi")
        return {
            "event": self.event,
            "jets": self.jets,
            "samples": len(self.samples),
            "particles": {
                particle: {
                    kind: {
                        "truth": float(self.truth[i, j]),
                        "regressed": float(self.regressed[i, j]),
                        "quantiles": quantiles[:, i, j].tolist(),
                    }
                    for j, kind in enumerate(kinds)
                }
                for i, particle in enumerate(PARTICLES)
            },
        }


def single_event(
    facts: tuple[int, int],
    truth: Float[Tensor, "particles 4"],
    regressed: Float[Tensor, "particles 4"],
    samples: Float[Tensor, "samples particles 4"],
) -> SingleEvent:
    """Return one event.

    Args:
        facts: number of the event in its store, and number of jets.
        truth: true momenta in the laboratory, GeV.
        regressed: regressed ones.
        samples: sampled ones.
    """
    parts = [kinematics(momenta.double()).cpu() for momenta in (truth, regressed, samples)]
    true, found, drawn = (torch.as_tensor(part).numpy() for part in parts)
    return SingleEvent(facts[0], facts[1], true, found, drawn.astype(np.float32))
