"""The facts that travel with the events of a store: the JSON under the key ``partonic`` of the Parquet file.

An event has coefficients c_a in pb such that its weight at θ is Σ_a m_a(θ) c_a and all rows, rejected ones included,
sum to the cross section: σ(θ) = Σ_events Σ_a m_a(θ) c_a. Negative weights are kept everywhere.
"""

import json
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from partonic.config.base import StrictModel
from partonic.errors import NonFiniteError, ParameterError, SchemaError
from partonic.events.event_schema import SCHEMA_VERSION, EventSchema
from partonic.events.process_info import ProcessInfo
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import DecayTree, Resonance

__all__ = ["SCHEMA_VERSION", "CrossSection", "CutFlowStep", "EventSchema", "ProcessInfo", "StoreMetadata"]


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

    copies: bool = False
    """Whether events are copies of parton events with a fraction of their weight, so that they have the column
    `parton_event`."""

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
        return EventSchema(self.process_info, self.weight_names, self.identity, self.photons, self.copies)

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
