"""What an estimator says about how it made the coefficients of events: numbers of its own, one an event.

The statistics does not read them; they travel with the coefficients through selections and files, for whoever made
them knows what they mean (for an integral, `partonic.mem.integral.diagnostics`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError

__all__ = ["Diagnostics"]


@dataclass(frozen=True)
class Diagnostics:
    """Named columns of N events.

    Attributes:
        columns: numbers by name, each `(N,)`, float64 or int64; none if the estimator has nothing to say.
    """

    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.columns.items():
            if values.ndim != 1 or values.dtype not in (np.dtype(np.float64), np.dtype(np.int64)):
                raise ParameterError(
                    f"the diagnostic '{name}' must be one float64 or int64 number an event, got {values.dtype} of "
                    f"shape {values.shape}"
                )

    def check_length(self, events: int) -> None:
        """Check that there is one number for each of `events`.

        Raises:
            ParameterError: naming the column that has another number.
        """
        for name, values in self.columns.items():
            if len(values) != events:
                raise ParameterError(f"the diagnostic '{name}' must have {events} numbers, got {len(values)}")

    def select(self, mask: NDArray[np.bool_]) -> "Diagnostics":
        """Return those of the events for which `mask` `(N,)` is True."""
        return Diagnostics({name: values[mask] for name, values in self.columns.items()})

    @staticmethod
    def concatenate(parts: Sequence["Diagnostics"]) -> "Diagnostics":
        """Return those of all `parts`, one after another.

        Raises:
            ParameterError: if the parts have different columns.
        """
        names = tuple(parts[0].columns)
        for part in parts:
            if tuple(part.columns) != names:
                raise ParameterError(
                    f"cannot join events with the diagnostics ({', '.join(part.columns)}) and ({', '.join(names)}): "
                    "expected those of one estimator"
                )
        return Diagnostics({name: np.concatenate([part.columns[name] for part in parts]) for name in names})
