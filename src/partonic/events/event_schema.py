"""The columns of the event store of a process, and how tables of events are brought into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from partonic.errors import NonFiniteError, SchemaError
from partonic.events.columns import IDENTITY, PARTON_EVENT, PARTON_PDG, PHOTONS, Column, event_columns, weight_column
from partonic.events.process_info import ProcessInfo
from partonic.provenance import content_hash

__all__ = ["SCHEMA_VERSION", "EventSchema"]

SCHEMA_VERSION = 1
"""Version of the columns and of the metadata; raised by every change that an older reader would misread."""


@dataclass(frozen=True)
class EventSchema:
    """The columns of a store of one process.

    Attributes:
        process: name, partons and monomials.
        weight_names: extra named weights, each a column ``weight_<name>``.
        identity: whether events have run, luminosity block and event number.
        photons: whether events have reconstructed photons.
        copies: whether events are copies of parton events.
    """

    process: ProcessInfo
    weight_names: tuple[str, ...] = ()
    identity: bool = False
    photons: bool = False
    copies: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order of the file."""
        partons = len(self.process.parton_names)
        several = len(self.process.final_states) > 1
        return event_columns(
            partons,
            self.process.monomials,
            self.weight_names,
            identity=self.identity,
            final_states=several,
            photons=self.photons,
            copies=self.copies,
        )

    def arrow(self) -> pa.Schema:
        """Return the Arrow schema; every field carries unit, group and description as metadata."""
        return pa.schema([column.field() for column in self.columns])

    def fingerprint(self, groups: Sequence[str] | None = None) -> str:
        """Return a hash of what the columns mean, so that a trained model can refuse other events.

        Extra weights, the identity of events, the parton event that they are copies of and which of the final states of
        the process they have do not enter: they do not change the meaning of the others. Photons enter only where their
        group is named.

        Args:
            groups: restrict to these groups of columns, e.g. ``("jets", "leptons", "met")`` for what can be seen; the
                default takes all groups and the process.
        """
        extra = {weight_column(name) for name in self.weight_names} | {
            column.name for column in (*IDENTITY, PARTON_EVENT, PARTON_PDG)
        }
        if groups is None:
            extra |= {column.name for column in PHOTONS}
        columns = [
            [column.name, str(column.type), column.unit]
            for column in self.columns
            if column.name not in extra and (groups is None or column.group in groups)
        ]
        content: dict[str, object] = {"schema_version": SCHEMA_VERSION, "columns": columns}
        if groups is None:
            content["process"] = [self.process.name, *self.process.parton_names, *self.process.monomials.names]
        return content_hash(content)

    def conform(self, table: pa.Table) -> pa.Table:
        """Return `table` with exactly the columns and types of the schema; absent nullable columns become null.

        Raises:
            SchemaError: if a needed column is missing or null, a column is unknown, or a type does not fit.
            NonFiniteError: if a weight or a coefficient is NaN or infinite.
        """
        schema = self.arrow()
        if unknown := sorted(set(table.column_names) - set(schema.names)):
            raise SchemaError(f"the event table has columns that the schema lacks: {', '.join(unknown)}")
        arrays = [self._conformed(table, column) for column in self.columns]
        result = pa.Table.from_arrays(arrays, schema=schema)
        self._check_finite(result)
        return result

    def _conformed(self, table: pa.Table, column: Column) -> pa.ChunkedArray:
        if column.name not in table.column_names:
            if not column.nullable:
                raise SchemaError(f"the event table lacks the column '{column.name}' ({column.description})")
            return pa.chunked_array([pa.nulls(table.num_rows, column.type)])
        values = table.column(column.name)
        if not column.nullable and values.null_count:
            raise SchemaError(f"column '{column.name}' is null for {values.null_count} of {len(values)} events")
        try:
            return values if values.type.equals(column.type) else values.cast(column.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaError(
                f"column '{column.name}' must be {column.type}, got {values.type}, which does not convert: {error}"
            ) from error

    def _check_finite(self, table: pa.Table) -> None:
        for name in ("weight", "coefficients", *map(weight_column, self.weight_names)):
            column = table.column(name)
            values = pc.list_flatten(column) if pa.types.is_fixed_size_list(column.type) else column
            finite = pc.is_finite(values.drop_null()).to_numpy()
            if not finite.all():
                raise NonFiniteError(
                    f"{int((~finite).sum())} of {len(finite)} values of '{name}' are NaN or infinite, in the batch "
                    f"that begins with event {table.column('event_id')[0].as_py()}: expected pb"
                )
