"""The hard process of detector-level files: partons, momentum fractions, initial partons, scale and α_s."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.root_file import Batch
from partonic.events.readers.source import fixed_lists

__all__ = ["check_partons", "hard_parton_momenta", "hard_process_columns"]


def check_partons(
    momenta: Float[np.ndarray, "events numbers"], names: Sequence[str], where: Callable[[int], str]
) -> None:
    """Check that partons are at finite rapidity.

    Args:
        momenta: (E, px, py, pz) of the n partons of each event in GeV, flattened, `(N, 4n)`.
        names: names of the partons.
        where: gives file and place of the event in a row.

    Raises:
        EventFileError: if a parton is not finite, or moves along the beam without mass (E ≤ |pz|), as incoming partons
            do: it has no rapidity, and no point of phase space.
    """
    vectors = momenta.reshape(len(momenta), -1, 4)
    good = np.isfinite(vectors).all(axis=-1) & (vectors[..., 0] > np.abs(vectors[..., 3]))
    if good.all():
        return
    event, parton = (int(index) for index in np.argwhere(~good)[0])
    energy, px, py, pz = vectors[event, parton]
    raise EventFileError(
        f"{where(event)}: the parton {names[parton]} has (E, px, py, pz) = ({energy:g}, {px:g}, {py:g}, {pz:g}) GeV, "
        "which is at infinite rapidity or no momentum: expected E > |pz|. Check that import.partons names outgoing "
        "partons that every event has"
    )


def hard_parton_momenta(
    batch: Batch, record: GeneratorRecord, pdg_ids: Sequence[int], config: ImportConfig
) -> Float[np.ndarray, "events numbers"]:
    """Return the momenta (E, px, py, pz) in GeV of the partons of the process, flattened, `(N, 4n)`.

    Raises:
        EventFileError: if an event lacks one.
    """
    rows = record.hard_partons(pdg_ids, config.parton_copy)
    if (rows < 0).any():
        event, parton = np.argwhere(rows < 0)[0]
        raise EventFileError(
            f"{batch.branches.path}: event {batch.first + int(event)} (the first is 0) has no hard parton with PDG id "
            f"{pdg_ids[parton]} among its generator particles. Set import.partons to the PDG ids that every event of "
            "this sample has, or to [] for none"
        )
    momenta: Float[np.ndarray, "events numbers"] = record.momenta[rows].reshape(len(rows), 4 * len(pdg_ids))
    return momenta


def hard_process_columns(batch: Batch) -> dict[str, Any]:
    """Return momentum fractions, initial partons, scale and α_s, where the file has them."""
    columns: dict[str, Any] = {
        name: batch.scalar(name).astype(np.float64) for name in ("x1", "x2", "scale", "alpha_s") if name in batch
    }
    if batch.branches.has_all("initial_pdg_1", "initial_pdg_2"):
        initial = np.stack([batch.scalar("initial_pdg_1"), batch.scalar("initial_pdg_2")], axis=-1)
        columns["initial_pdg"] = fixed_lists(initial.astype(np.int32), pa.int32())
    return columns
