"""A 64-bit digest of each row of a table, to find rows that hold the same."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Int, UInt64

__all__ = ["row_digests"]

_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Constants of the generator SplitMix64 (Steele, Lea and Flood 2014)."""


def row_digests(
    table: pa.Table, columns: Sequence[str]
) -> tuple[UInt64[np.ndarray, " rows"], Int[np.ndarray, " rows"]]:
    """Return a digest of `columns` for each row, and how many floating-point numbers went into it.

    Columns that the table lacks, and nulls, do not enter. Equal digests of n rows that differ have the probability
    n²/2⁶⁵.

    Args:
        table: numbers, truth values, and lists of them.
        columns: names, in an order that is part of the digest.
    """
    total = np.zeros(table.num_rows, dtype=np.uint64)
    floats = np.zeros(table.num_rows, dtype=np.int64)
    for number, name in enumerate(columns):
        if name not in table.column_names:
            continue
        array = table.column(name).combine_chunks()
        values, lengths = _values(array)
        ends = np.cumsum(lengths)
        place = np.arange(len(values)) - np.repeat(ends - lengths, lengths)
        mixed = _mixed(_bits(values) ^ _mixed(place.astype(np.uint64) + np.uint64(number << 32)))
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
        total += sums[ends] - sums[ends - lengths]
        if np.issubdtype(values.dtype, np.floating):
            floats += lengths
    return _mixed(total), floats


def _values(array: pa.Array) -> tuple[np.ndarray, Int[np.ndarray, " rows"]]:
    """Return the values that are not null one after another, and how many each row has."""
    if pa.types.is_list(array.type):
        return np.asarray(array.flatten()), np.asarray(array.value_lengths().fill_null(0)).astype(np.int64)
    valid = np.asarray(array.is_valid()).astype(np.int64)
    if pa.types.is_fixed_size_list(array.type):
        return np.asarray(array.flatten()), valid * array.type.list_size
    return np.asarray(array.drop_null()), valid


def _bits(values: np.ndarray) -> UInt64[np.ndarray, " values"]:
    kind = np.float64 if np.issubdtype(values.dtype, np.floating) else np.int64
    bits: np.ndarray = np.ascontiguousarray(values, dtype=kind).view(np.uint64)
    return bits


def _mixed(bits: UInt64[np.ndarray, " values"]) -> UInt64[np.ndarray, " values"]:
    """Return the output function of SplitMix64, a bijection that spreads every bit over all."""
    with np.errstate(over="ignore"):
        mixed = bits + np.uint64(_ODD[0])
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_ODD[1])
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_ODD[2])
    return mixed ^ (mixed >> np.uint64(31))
