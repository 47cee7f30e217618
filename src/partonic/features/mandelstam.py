"""Mandelstam variables of a 2 → 2 process: all that its density of partons depends on, beside their kinds.

ŝ is that of all partons of the final state; t̂ = (p_q − p_1)² and û = (p_q − p_2)² are of the first and the second of
them and the incoming quark, if an antiquark or a gluon comes from the other side, else of what comes along +z.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.events.batch import EventBatch
from partonic.physics.fourvector import minkowski_square

__all__ = ["MANDELSTAM", "MANDELSTAM_COLUMNS", "mandelstam"]

MANDELSTAM: Final[Mapping[str, str]] = {
    "s_hat": "square of the mass of all partons, GeV²",
    "t_hat": "square of the momentum transfer from the incoming quark to the first parton, GeV²",
    "u_hat": "square of the momentum transfer from the incoming quark to the second parton, GeV²",
}
"""Names of the variables and what they are."""

MANDELSTAM_COLUMNS: Final = ("partons", "x1", "x2", "initial_pdg")
"""Columns that they are made from."""

_GLUON = 21


def mandelstam(batch: EventBatch, name: str) -> NDArray[np.float64]:
    """Return a variable of `MANDELSTAM` of each event, `(N,)`; massless incoming partons."""
    momenta = batch.partons().momenta
    if name == "s_hat":
        values: NDArray[np.float64] = minkowski_square(momenta.sum(dim=1)).double().numpy()
        return values
    incoming = _incoming_quark(batch, momenta)
    transfer: NDArray[np.float64] = (
        minkowski_square(incoming - momenta[:, 0 if name == "t_hat" else 1]).double().numpy()
    )
    return transfer


def _incoming_quark(batch: EventBatch, momenta: Tensor) -> Tensor:
    """Return the momentum of the incoming parton that momentum transfers are from, `(N, 4)`, GeV."""
    ids = torch.from_numpy(np.asarray(batch.column("initial_pdg"), dtype=np.int64))
    quark = (ids > 0) & (ids != _GLUON)
    from_below = quark[:, 1] & ~quark[:, 0]
    total = momenta.sum(dim=1)
    plus, minus = 0.5 * (total[:, 0] + total[:, 3]), 0.5 * (total[:, 0] - total[:, 3])
    energy, sign = torch.where(from_below, minus, plus), torch.where(from_below, -1.0, 1.0)
    zero = torch.zeros_like(energy)
    return torch.stack([energy, zero, zero, sign * energy], dim=1)
