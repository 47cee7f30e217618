"""The ratios of each member of an ensemble: what their mean and covariance, kept with the coefficients, do not tell.

The error of an ensemble is the same for all events, so that it does not become smaller with their number: what it does
to a likelihood follows only from the likelihood of each member.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.files import atomic_output

__all__ = ["read_members", "write_members"]

Array = NDArray[np.float64]


def write_members(path: Path, event_id: NDArray[np.int64], ratios: Array) -> None:
    """Write the ratios of the members.

    Args:
        path: of the file (safetensors).
        event_id: numbers of N events in their store, `(N,)`.
        ratios: R_a of each of M members, NaN where an event has none, `(M, N, A)`.

    Raises:
        OutputError: if the file cannot be written.
    """
    from safetensors.numpy import save

    content = save({"event_id": event_id.astype(np.int64), "ratios": ratios.astype(np.float64)})
    with atomic_output(path) as scratch:
        scratch.write_bytes(content)


def read_members(path: Path, event_id: NDArray[np.int64]) -> Array:
    """Return the ratios of the members for some events, `(M, N, A)`.

    Args:
        path: of the file.
        event_id: numbers of the N events.

    Raises:
        EventFileError: if the file is missing, damaged, or lacks an event.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        content = load_file(path)
        known, ratios = content["event_id"], content["ratios"]
    except (OSError, SafetensorError, KeyError) as error:
        raise EventFileError(f"cannot read the members of the ensemble {path}: {error}; make it anew") from error
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], event_id).clip(max=max(len(known) - 1, 0))
    if len(event_id) and (not len(known) or not np.array_equal(known[order][place], event_id)):
        raise EventFileError(f"{path} lacks events of the coefficients beside it: make both anew (`partonic sbi`)")
    values: Array = ratios[:, order[place]]
    return values
