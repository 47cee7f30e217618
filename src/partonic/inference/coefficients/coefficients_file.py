"""The file of event coefficients: Parquet, one row an event, whole or absent.

Columns are those of `EventCoefficients`, then the diagnostics of whoever made them, which are its own; of the
covariance the upper triangle is kept. The monomials and all that the
coefficients depend on travel as JSON under the key ``partonic``. Coefficients that were calibrated have one column
more, ``design``, and what is common to all events of the response to their calibration under ``partonic.response``.
Coefficients of S sets of weights of networks are in two columns more: ``sample_ratios``, the A ratios of the first set,
then those of the second, and so on, S·A numbers an event, and ``sample_log_reference``, S numbers an event.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from partonic.config.base import StrictModel
from partonic.errors import EventFileError, ParameterError, SchemaError
from partonic.files import atomic_output
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.inference.coefficients.weight_samples import WeightSamples
from partonic.polynomial import Monomials

__all__ = [
    "COEFFICIENTS_FORMAT",
    "CoefficientsMetadata",
    "CrossSectionRecord",
    "read_coefficients",
    "read_metadata",
    "write_coefficients",
]

COEFFICIENTS_FORMAT = 1
"""Version of columns and metadata; raised by every change that an older reader would misread."""

_KEY = b"partonic"
_RESPONSE = b"partonic.response"
_NUMBERS = ("log_reference", "relative_error")
_DESIGN = "design"
_SAMPLES = ("sample_ratios", "sample_log_reference")
_NUMBER_TYPES = (pa.float64(), pa.int64())
"""Types of diagnostics."""


class CrossSectionRecord(StrictModel):
    """Fiducial cross section σ_a of the accepted events, with its statistical covariance."""

    coefficients: tuple[float, ...]
    """σ_a in pb, one for each of the A monomials."""

    covariance: tuple[tuple[float, ...], ...]
    """Covariance in pb², A×A."""

    @model_validator(mode="after")
    def _is_square(self) -> "CrossSectionRecord":
        size = len(self.coefficients)
        if len(self.covariance) != size or any(len(row) != size for row in self.covariance):
            raise ValueError(f"the covariance of {size} cross sections must be {size}×{size}")
        return self


class CoefficientsMetadata(StrictModel):
    """Everything that travels with the coefficients."""

    kind: Literal["coefficients"] = "coefficients"
    """What the file is."""

    format: int = COEFFICIENTS_FORMAT
    """Version of the file."""

    parameters: tuple[str, ...]
    """Names of the theory parameters."""

    exponents: tuple[tuple[int, ...], ...]
    """Powers of the parameters in each monomial, in the order of the ratios."""

    reference_point: dict[str, float] = Field(default_factory=dict)
    """θ whose density the ratios are relative to; parameters not named are 0."""

    source: str
    """Who made the coefficients: ``mem``, ``classical``, ``truth``, ..."""

    seed: int | None = None
    """Root seed; None if nothing was random."""

    config: dict[str, Any] = Field(default_factory=dict)
    """The settings that the coefficients depend on."""

    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that made them."""

    store: str = ""
    """The event store."""

    store_digest: str = ""
    """SHA-256 of its content."""

    cross_section: CrossSectionRecord | None = None
    """Fiducial cross section of the process; None if it is not known."""

    sample_cross_sections: tuple[CrossSectionRecord, ...] = ()
    """The same of each set of weights, where it depends on them; empty if it does not."""

    facts: dict[str, Any] = Field(default_factory=dict)
    """Further facts, e.g. the truth of pseudo-data."""

    @model_validator(mode="after")
    def _consistent(self) -> "CoefficientsMetadata":
        try:
            size = len(self.monomials)
        except ParameterError as error:
            raise ValueError(str(error)) from error
        if self.cross_section is not None and len(self.cross_section.coefficients) != size:
            raise ValueError(f"the cross section must have {size} coefficients, one for each monomial")
        return self

    @property
    def monomials(self) -> Monomials:
        """The monomials of θ."""
        return Monomials(self.parameters, self.exponents)


def write_coefficients(path: Path, coefficients: EventCoefficients, metadata: CoefficientsMetadata) -> None:
    """Write a file of coefficients; it is whole or absent.

    Raises:
        SchemaError: if the metadata tell of other monomials or another source.
        OutputError: if the file cannot be written.
    """
    if metadata.monomials != coefficients.monomials or metadata.source != coefficients.source:
        raise SchemaError(
            f"{path}: the metadata are of '{metadata.source}' in {', '.join(metadata.monomials.names)}, the "
            f"coefficients of '{coefficients.source}' in {', '.join(coefficients.monomials.names)}"
        )
    if metadata.reference_point != dict(coefficients.reference_point):
        raise SchemaError(
            f"{path}: the metadata have the reference {metadata.reference_point}, the coefficients "
            f"{dict(coefficients.reference_point)}"
        )
    entries = {_KEY: metadata.model_dump_json().encode()}
    if coefficients.response is not None:
        entries[_RESPONSE] = json.dumps(coefficients.response.common()).encode()
    table = _table(coefficients).replace_schema_metadata(entries)
    with atomic_output(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_coefficients(path: Path) -> tuple[EventCoefficients, CoefficientsMetadata]:
    """Read a file of coefficients.

    Raises:
        EventFileError: if the file is missing, truncated, damaged or not Parquet.
        SchemaError: if it holds no coefficients, or is of another format.
    """
    metadata = read_metadata(path)
    try:
        table = pq.read_table(path, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(f"{path} is damaged: {error}; make the coefficients again") from error
    width, samples = (_width(table.schema, name) for name in (_DESIGN, _SAMPLES[1]))
    own = _own_columns(table.schema)
    if not table.schema.remove_metadata().equals(_schema(len(metadata.monomials), own, width, samples)):
        raise SchemaError(f"{path} has other columns than a file of coefficients: {', '.join(table.column_names)}")
    return _coefficients(table, metadata, _response(table, width, path)), metadata


def read_metadata(path: Path) -> CoefficientsMetadata:
    """Read only what the file says about its coefficients.

    Raises:
        EventFileError: if the file is missing, truncated, damaged or not Parquet.
        SchemaError: if it holds no coefficients, or is of another format.
    """
    try:
        entries = pq.read_schema(path).metadata or {}
    except FileNotFoundError as error:
        raise EventFileError(f"there is no file of coefficients {path}; run `partonic mem`") from error
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(
            f"{path} is damaged, truncated or not Parquet: {error}; make the coefficients again"
        ) from error
    try:
        content = json.loads(entries.get(_KEY, b"{}"))
        if content.get("kind") != "coefficients":
            raise SchemaError(f"{path} is Parquet, but not a file of coefficients written by `partonic mem`")
        if content["format"] != COEFFICIENTS_FORMAT:
            raise SchemaError(
                f"{path} has format {content['format']}, but this partonic reads format {COEFFICIENTS_FORMAT}; make "
                "the coefficients again"
            )
        return CoefficientsMetadata.model_validate(content)
    except (ValidationError, ValueError, KeyError, AttributeError) as error:
        raise SchemaError(f"{path}: the metadata of the coefficients are not valid: {error}") from error


def _response(table: pa.Table, width: int | None, path: Path) -> CalibrationResponse | None:
    """Return how the ratios depend on their calibration; None if they were not calibrated."""
    common = (table.schema.metadata or {}).get(_RESPONSE)
    if (common is None) != (width is None):
        raise SchemaError(f"{path} tells of a calibration only in part; make the coefficients again")
    if common is None or width is None:
        return None
    try:
        return CalibrationResponse.of(_values(table, "design", width), json.loads(common))
    except (ValueError, KeyError, TypeError, ParameterError) as error:
        raise SchemaError(f"{path}: what it says of the calibration of its events is not valid: {error}") from error


def _width(schema: pa.Schema, name: str) -> int | None:
    """Return how many numbers an event has in a column of lists; None if there is no such column."""
    kind = schema.field(name).type if name in schema.names else None
    return kind.list_size if isinstance(kind, pa.FixedSizeListType) else None


def _own_columns(schema: pa.Schema) -> dict[str, pa.DataType]:
    """Return the diagnostics among the columns of a file, with their types."""
    known = {*(field.name for field in _schema(1, {}, None)), _DESIGN, *_SAMPLES}
    return {field.name: field.type for field in schema if field.name not in known and field.type in _NUMBER_TYPES}


def _schema(size: int, own: Mapping[str, pa.DataType], width: int | None, samples: int | None = None) -> pa.Schema:
    """Return the columns for `size` monomials, with diagnostics, `width` numbers of a calibration, and samples."""
    of_samples = [] if samples is None else list(zip(_SAMPLES, (samples * size, samples), strict=True))
    return pa.schema(
        [
            pa.field("event_id", pa.int64()),
            pa.field("status", pa.string()),
            pa.field("ratios", pa.list_(pa.float64(), size)),
            pa.field("covariance", pa.list_(pa.float64(), size * (size + 1) // 2)),
            *(pa.field(name, pa.float64()) for name in _NUMBERS),
            *(pa.field(name, kind) for name, kind in own.items()),
            *([] if width is None else [pa.field(_DESIGN, pa.list_(pa.float64(), width))]),
            *(pa.field(name, pa.list_(pa.float64(), length)) for name, length in of_samples),
        ]
    )


def _table(coefficients: EventCoefficients) -> pa.Table:
    size = len(coefficients.monomials)
    upper = np.triu_indices(size)
    own = {name: pa.array(values) for name, values in coefficients.diagnostics.columns.items()}
    columns = [
        pa.array(coefficients.event_id),
        pa.array(coefficients.status, pa.string()),
        _lists(coefficients.ratios),
        _lists(coefficients.covariance[:, *upper]),
        *(pa.array(getattr(coefficients, name)) for name in _NUMBERS),
        *own.values(),
    ]
    types = {name: values.type for name, values in own.items()}
    width, count = None, None
    if coefficients.response is not None:
        columns.append(_lists(coefficients.response.design))
        width = coefficients.response.design.shape[1]
    if (samples := coefficients.samples) is not None:
        columns += [_lists(samples.ratios.reshape(len(samples), -1)), _lists(samples.log_reference)]
        count = samples.count
    return pa.Table.from_arrays(columns, schema=_schema(size, types, width, count))


def _lists(values: NDArray[np.float64]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])


def _coefficients(
    table: pa.Table, metadata: CoefficientsMetadata, response: CalibrationResponse | None
) -> EventCoefficients:
    size = len(metadata.monomials)
    rows, columns = np.triu_indices(size)
    triangle = _values(table, "covariance", len(rows))
    covariance = np.zeros((table.num_rows, size, size))
    covariance[:, rows, columns] = triangle
    covariance[:, columns, rows] = triangle
    return EventCoefficients(
        monomials=metadata.monomials,
        event_id=table.column("event_id").to_numpy(),
        ratios=_values(table, "ratios", size),
        covariance=covariance,
        status=tuple(table.column("status").to_pylist()),
        source=metadata.source,
        response=response,
        reference_point=metadata.reference_point,
        diagnostics=Diagnostics({name: table.column(name).to_numpy() for name in _own_columns(table.schema)}),
        samples=_samples(table, size),
        **{name: table.column(name).to_numpy() for name in _NUMBERS},
    )


def _samples(table: pa.Table, size: int) -> WeightSamples | None:
    count = _width(table.schema, _SAMPLES[1])
    if count is None:
        return None
    ratios = _values(table, _SAMPLES[0], count * size).reshape(-1, count, size)
    return WeightSamples(ratios, _values(table, _SAMPLES[1], count))


def _values(table: pa.Table, name: str, width: int) -> NDArray[np.float64]:
    chunks = [chunk.flatten().to_numpy() for chunk in table.column(name).chunks]
    values: NDArray[np.float64] = np.concatenate([np.zeros(0), *chunks]).reshape(-1, width)
    return values
