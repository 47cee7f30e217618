"""The parts of a reweighting: one small file for each finished chunk, and what they say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from partonic.errors import ProcessError
from partonic.events.readers.source import fixed_lists
from partonic.files import atomic_output
from partonic.reweighting.basis import Basis
from partonic.reweighting.chunk import ReweightedChunk

__all__ = ["Summary", "is_whole", "read_part", "write_part"]

Array = NDArray[np.float64]

_NO_EFFECT = 1e-12
"""Share of the sum of all terms, at the scales of θ, below which a term is rounding."""


def is_whole(part: Path) -> bool:
    """Return whether a part is there; what is there is whole, but for damage of the disk."""
    try:
        return part.is_file() and pq.read_metadata(part).num_rows > 0
    except (OSError, pa.ArrowException):
        return False


def write_part(path: Path, chunk: ReweightedChunk) -> None:
    """Write the coefficients of a chunk, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    table = pa.table(
        {
            "coefficients": fixed_lists(chunk.coefficients, pa.float64()),
            "residual": chunk.residual,
            "vanishing": chunk.vanishing,
        }
    ).replace_schema_metadata({"without_alpha_s": str(chunk.without_alpha_s)})
    with atomic_output(path) as temporary:
        pq.write_table(table, temporary)


@dataclass(frozen=True)
class Summary:
    """What the parts say together.

    Attributes:
        residual: of each event, `(N,)`.
        vanishing: number of events with |M(θ_gen)|² = 0.
        sizes: sum of the sizes of each coefficient, pb, `(A,)`.
        without_alpha_s: number of events without α_s.
    """

    residual: Array
    vanishing: int
    sizes: Array
    without_alpha_s: int

    @classmethod
    def of(cls, parts: Sequence[Path]) -> "Summary":
        """Read the parts."""
        residuals, sizes, vanishing, without = [], [], 0, 0
        for part in parts:
            table = pq.read_table(part)
            residuals.append(table.column("residual").to_numpy())
            sizes.append(np.abs(_coefficients(table)).sum(axis=0))
            vanishing += int(table.column("vanishing").to_numpy().sum())
            without += int((table.schema.metadata or {}).get(b"without_alpha_s", b"0"))
        return cls(np.concatenate(residuals), vanishing, np.sum(sizes, axis=0), without)

    def check(self, basis: Basis, store: Path) -> None:
        """Refuse events that the model cannot have made, and parameters without any effect.

        Raises:
            ProcessError: naming them.
        """
        if self.vanishing:
            raise ProcessError(
                f"{store}: |M|^2 at the θ of the generation {dict(basis.theta)} is zero for {self.vanishing} of "
                f"{len(self.residual)} events, so they cannot be reweighted: does the model contain what made them, "
                "and is θ right?"
            )
        sizes = self.sizes * np.abs(basis.monomials.evaluate(basis.points)).max(axis=0)
        of_theta = np.array(basis.monomials.exponents, dtype=bool).reshape(len(basis.monomials), -1)
        for index, name in enumerate(basis.monomials.parameters):
            if sizes[of_theta[:, index]].sum() <= _NO_EFFECT * sizes.sum():
                raise ProcessError(
                    f"'{name}' has no effect on |M|^2 of any event of {store}: its parameter of the model is not in "
                    "these processes, a restriction card has removed it, or `orders` leaves it out"
                )


def _coefficients(table: pa.Table) -> Array:
    column = table.column("coefficients").combine_chunks()
    values: Array = np.asarray(column.flatten()).reshape(len(table), -1)
    return values


def read_part(part: Path) -> Array:
    """Return the coefficients of a part in pb, `(N, A)`."""
    return _coefficients(pq.read_table(part, columns=["coefficients"]))
