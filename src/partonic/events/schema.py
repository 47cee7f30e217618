"""The schema of the event store and the facts that travel with it.

`EventSchema` builds the Arrow schema of a process; `StoreMetadata` is the JSON under the key ``partonic`` of the
Parquet file. An event has coefficients c_a in pb such that its weight at θ is Σ_a m_a(θ) c_a and all rows, rejected
ones included, sum to the cross section: σ(θ) = Σ_events Σ_a m_a(θ) c_a. Negative weights are kept everywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationError, field_validator, model_validator

from partonic.config.base import StrictModel
from partonic.config.process import ProcessConfig
from partonic.errors import NonFiniteError, ParameterError, SchemaError
from partonic.events.columns import IDENTITY, PARTON_PDG, PHOTONS, Column, event_columns, weight_column
from partonic.physics.process import Process
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import ANY_FINAL_STATE, NO_RESONANCES, DecayTree, Resonance
from partonic.processes.definition import definition_of
from partonic.provenance import content_hash

__all__ = ["SCHEMA_VERSION", "CrossSection", "CutFlowStep", "EventSchema", "ProcessInfo", "StoreMetadata"]

SCHEMA_VERSION = 1
"""Version of the columns and of the metadata; raised by every change that an older reader would misread."""


@dataclass(frozen=True)
class ProcessInfo:
    """What a store needs to know of a hard process.

    Attributes:
        name: short name, as in analysis files.
        parton_names: names of the n final-state partons (slots), in the order of the momenta.
        parton_pdg: their PDG identifiers; where channels differ, those of the first.
        monomials: the A monomials of θ.
        collider_energy: √S in GeV.
        final_states: PDG identifiers in the slots for each final state that channels have, that of `parton_pdg` first.
        decay_tree: its resonances; by default the H, t, W and Z among the partons, which the shower decays.
        standard_model: values of the parameters in the Standard Model; 0 where not named.
    """

    name: str
    parton_names: tuple[str, ...]
    parton_pdg: tuple[int, ...]
    monomials: Monomials
    collider_energy: float
    final_states: tuple[tuple[int, ...], ...] = ()
    decay_tree: DecayTree = NO_RESONANCES
    standard_model: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "final_states", tuple(dict.fromkeys((self.parton_pdg, *self.final_states))))
        if not self.decay_tree.resonances and not self.decay_tree.exchanges:
            own = DecayTree.of_partons(self.parton_names, self.parton_pdg)
            object.__setattr__(self, "decay_tree", own if self.parton_pdg else ANY_FINAL_STATE)

    @classmethod
    def of(cls, process: Process, decay_tree: DecayTree = NO_RESONANCES) -> "ProcessInfo":
        """Return the facts of `process`, whose own decays are those of `decay_tree`."""
        return cls(
            name=process.name,
            parton_names=tuple(particle.name for particle in process.final_state),
            parton_pdg=tuple(particle.pdg_id for particle in process.final_state),
            monomials=process.monomials,
            collider_energy=float(process.collider_energy),
            final_states=tuple(channel.final_pdg(process.final_state) for channel in process.channels),
            decay_tree=decay_tree,
        )

    @classmethod
    def of_config(cls, config: ProcessConfig) -> "ProcessInfo":
        """Return the facts of the process of an analysis file; its parton densities need not be there."""
        definition = definition_of(config)
        final_state = definition.final_state(config)
        return cls(
            name=config.name,
            parton_names=tuple(particle.name for particle in final_state),
            parton_pdg=tuple(particle.pdg_id for particle in final_state),
            monomials=definition.monomials(config),
            collider_energy=config.collider_energy,
            final_states=definition.final_states(config),
            decay_tree=definition.decay_tree(config),
            standard_model={
                parameter.name: parameter.standard_model
                for parameter in definition.parameters(config)
                if parameter.standard_model
            },
        )

    def with_partons(self, names: tuple[str, ...], pdg_ids: tuple[int, ...]) -> "ProcessInfo":
        """Return the process for events that list other partons."""
        tree = self.decay_tree.of_other_partons(pdg_ids)
        return replace(self, parton_names=names, parton_pdg=pdg_ids, final_states=(), decay_tree=tree)


@dataclass(frozen=True)
class EventSchema:
    """The columns of a store of one process.

    Attributes:
        process: name, partons and monomials.
        weight_names: extra named weights, each a column ``weight_<name>``.
        identity: whether events have run, luminosity block and event number.
        photons: whether events have reconstructed photons.
    """

    process: ProcessInfo
    weight_names: tuple[str, ...] = ()
    identity: bool = False
    photons: bool = False

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
        )

    def arrow(self) -> pa.Schema:
        """Return the Arrow schema; every field carries unit, group and description as metadata."""
        return pa.schema([column.field() for column in self.columns])

    def fingerprint(self, groups: Sequence[str] | None = None) -> str:
        """Return a hash of what the columns mean, so that a trained model can refuse other events.

        Extra weights, the identity of events and which of the final states of the process they have do not enter: they
        do not change the meaning of the others. Photons enter only where their group is named.

        Args:
            groups: restrict to these groups of columns, e.g. ``("jets", "leptons", "met")`` for what can be seen; the
                default takes all groups and the process.
        """
        extra = {weight_column(name) for name in self.weight_names} | {
            column.name for column in (*IDENTITY, PARTON_PDG)
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


class CrossSection(StrictModel):
    """A cross section as coefficients of the monomials of θ."""

    coefficients: tuple[float, ...]
    """σ_a in pb."""

    errors: tuple[float, ...]
    """Monte-Carlo standard errors of the coefficients, in pb."""

    def at(self, monomials: Monomials, theta: Any) -> float:
        """Return σ(θ) = Σ_a m_a(θ) σ_a in pb, at `theta` `(K,)`."""
        return float(monomials.evaluate(theta) @ np.array(self.coefficients))


class CutFlowStep(StrictModel):
    """What is left after one cut."""

    name: str
    """Name of the cut; the first step is all generated events."""

    events: int
    """Number of events that pass this and all earlier cuts."""

    weight: float
    """Sum of their weights at the generation θ, in pb."""

    weight_error: float
    """Standard error of that sum, √Σw², in pb."""


class ResonanceFacts(StrictModel):
    """A resonance of the process, see `partonic.processes.decay_tree.Resonance`."""

    name: str
    """Its name, e.g. ``"t"``."""

    pdg_ids: tuple[int, ...]
    """PDG identifiers that it can have."""

    slots: tuple[int, ...]
    """Places of its partons in the column `partons`."""

    decayed_by: Literal["shower", "matrix element"] = "shower"
    """Who made the decay."""


class StoreMetadata(StrictModel):
    """Everything that travels with the events of a store."""

    schema_version: int = SCHEMA_VERSION
    """Version of the columns and of this block."""

    process: str
    """Short name of the hard process."""

    parton_names: tuple[str, ...]
    """Names of the final-state partons, in the order of the column `partons`."""

    parton_pdg: tuple[int, ...]
    """Their PDG identifiers; where the final states of channels differ, those of the first."""

    final_states: tuple[tuple[int, ...], ...] = ()
    """PDG identifiers of the partons in each final state that events can have; empty: that of `parton_pdg`. With more
    than one, the column `parton_pdg` tells that of an event."""

    resonances: tuple[ResonanceFacts, ...] = ()
    """What decays, and to which of the partons; empty: the H, t, W and Z among the partons."""

    exchanges: tuple[tuple[int, int], ...] = ()
    """Pairs of partons that no detector tells apart."""

    collider_energy: float
    """√S in GeV."""

    parameters: tuple[str, ...] = ()
    """Names of the theory parameters."""

    exponents: tuple[tuple[int, ...], ...] = ((),)
    """Powers of the parameters in each monomial, in the order of the column `coefficients`."""

    weight_names: tuple[str, ...] = ()
    """Names of the extra weights, columns `weight_<name>`."""

    identity: bool = False
    """Whether the events have the columns run, luminosity_block and event_number."""

    photons: bool = False
    """Whether the events have the columns photon_pt, photon_eta, photon_phi, photon_isolation and
    photon_identification."""

    theta: dict[str, float] = Field(default_factory=dict)
    """θ at which the column `weight` holds (the generation point); parameters not named are 0."""

    n_generated: int = 0
    """Number of generated events, rejected ones included."""

    cross_section: CrossSection | None = None
    """Sum of the coefficients of all events, in pb; the writer fills it in when it is not given."""

    cut_flow: tuple[CutFlowStep, ...] = ()
    """Events and weights left after each cut. The first step is all events, so cut number k is step k + 1."""

    seed: int | None = None
    """Root seed of the run; None for events of others."""

    config: dict[str, Any] = Field(default_factory=dict)
    """The analysis file, or the part of it, that made the events."""

    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that made the events."""

    source: str = "partonic"
    """Where the events come from: ``"partonic"`` or the format and names of the imported files."""

    facts: dict[str, Any] = Field(default_factory=dict)
    """Further facts of a source, e.g. how its weights were normalised."""

    @field_validator("n_generated")
    @classmethod
    def _not_negative(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"must be non-negative, got {value}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "StoreMetadata":
        for pdg_ids in (self.parton_pdg, *self.final_states):
            if len(self.parton_names) != len(pdg_ids):
                raise ValueError(f"{len(self.parton_names)} parton names but {len(pdg_ids)} PDG identifiers")
        try:
            monomials = Monomials(self.parameters, self.exponents)
            monomials.point(self.theta)
        except ParameterError as error:
            raise ValueError(str(error)) from error
        section = self.cross_section
        if section is not None and {len(section.coefficients), len(section.errors)} != {len(monomials)}:
            raise ValueError(f"the cross section needs {len(monomials)} coefficients and errors")
        return self

    @classmethod
    def for_process(cls, process: ProcessInfo, **facts: Any) -> "StoreMetadata":
        """Return metadata of a store of `process`; `facts` are the other fields."""
        return cls(
            process=process.name,
            parton_names=process.parton_names,
            parton_pdg=process.parton_pdg,
            final_states=process.final_states,
            resonances=tuple(ResonanceFacts(**vars(resonance)) for resonance in process.decay_tree.resonances),
            exchanges=process.decay_tree.exchanges,
            collider_energy=process.collider_energy,
            parameters=process.monomials.parameters,
            exponents=process.monomials.exponents,
            **facts,
        )

    @property
    def monomials(self) -> Monomials:
        """The monomials of θ."""
        return Monomials(self.parameters, self.exponents)

    @property
    def process_info(self) -> ProcessInfo:
        """Name, partons and monomials of the process."""
        return ProcessInfo(
            name=self.process,
            parton_names=self.parton_names,
            parton_pdg=self.parton_pdg,
            monomials=self.monomials,
            collider_energy=self.collider_energy,
            final_states=self.final_states,
            decay_tree=DecayTree(tuple(Resonance(**dict(facts)) for facts in self.resonances), self.exchanges),
        )

    @property
    def event_schema(self) -> EventSchema:
        """The schema that the columns of the store have."""
        return EventSchema(self.process_info, self.weight_names, self.identity, self.photons)

    def with_facts(self, **changes: Any) -> "StoreMetadata":
        """Return a validated copy with the fields of `changes` replaced."""
        return type(self).model_validate(dict(self) | changes)

    def to_json(self) -> str:
        """Return the JSON text that the Parquet file holds.

        Raises:
            NonFiniteError: if a number in it is NaN or infinite.
            SchemaError: if `config` or `facts` hold something that JSON cannot.
        """
        try:
            return json.dumps(self.model_dump(), allow_nan=False)
        except TypeError as error:
            raise SchemaError(f"the metadata of an event store must be plain JSON: {error}") from error
        except ValueError as error:
            raise NonFiniteError(f"the metadata of an event store must hold finite numbers only: {error}") from error

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> "StoreMetadata":
        """Read the JSON of `to_json`.

        Args:
            text: the JSON.
            where: name of the file, for the message.

        Raises:
            SchemaError: if it is malformed.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
            raise SchemaError(f"{where}: the metadata of the event store are not valid ({details})") from error
