"""The hard process of detector-level files: partons, momentum fractions, initial partons, scale and α_s."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.root_file import Batch
from partonic.events.readers.source import fixed_lists

__all__ = ["hard_parton_momenta", "hard_process_columns"]


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
