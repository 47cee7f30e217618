"""The interface of an estimator: reconstructed events in, coefficients of θ out.

A matrix element method, its classical form, a network of simulation-based inference and parton truth are estimators.
The run over a store (`partonic.estimators.run`), the file and the likelihood know nothing else of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials

__all__ = ["Estimator", "EstimatorJob", "RatesOfSamples", "RunSettings"]


@runtime_checkable
class Estimator(Protocol):
    """P_a(x) of events, with everything loaded that it needs."""

    @property
    def source(self) -> str:
        """Name of the method, as in `EventCoefficients.source`."""

    @property
    def monomials(self) -> Monomials:
        """The A monomials m_a(θ)."""

    @property
    def reference_point(self) -> Mapping[str, float]:
        """θ_ref of the ratios by name; parameters not named are 0."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the store that `estimate` reads beside ``event_id``."""

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that it can be asked about the events of a store.

        Raises:
            SchemaError: naming what differs from the events that it was made for.
        """

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the coefficients of the N events of a batch, in their order, with status, error and diagnostics.

        An event that it cannot handle has a status that says why. The result must not depend on the other events.
        """

    def cross_section(self) -> CrossSectionRecord | None:
        """Return the fiducial cross section σ_a in pb; None if it is not known."""

    def facts(self) -> Mapping[str, Any]:
        """Return what else is to be known of it, as JSON-like values, for the file."""

    def figures(self, coefficients: EventCoefficients) -> Mapping[str, Any]:
        """Return the quality of all coefficients in its own terms, as JSON-like values, for the file."""

    def quality(self, coefficients: EventCoefficients) -> Mapping[str, str]:
        """Return the quality of a batch by name, for the progress of a run; empty for nothing to say."""


@runtime_checkable
class RatesOfSamples(Protocol):
    """An estimator whose cross section depends on weights of networks that it draws."""

    def sample_cross_sections(self) -> tuple[CrossSectionRecord, ...]:
        """Return the fiducial cross section of each set of weights; none if it does not depend on them."""


@dataclass(frozen=True)
class EstimatorJob:
    """An estimator that a worker process can make for itself.

    Attributes:
        name: of the component that the events are compared with, usually that of the process.
        source: name of the method.
        fingerprint: hash of all that the estimator depends on but settings and seed; two jobs with the same name,
            source, fingerprint, settings and seed are the same.
        load: makes the estimator on a device; workers call it, too.
        settings: those that the coefficients depend on, as JSON-like values.
        config: settings that are kept in the file, by section.
        seed: root seed; None if nothing is random.
        reads_objects: whether reconstructed objects are read, so that a store must have them; else events to which no
            selection applies (samples of partons) are estimated, too.
        purpose: what is done to events, for messages: "nothing to <purpose>".
        doing: the same, for the progress: "<doing> <name>".
    """

    name: str
    source: str
    fingerprint: str
    load: Callable[[str], Estimator] = field(compare=False)
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)
    config: Mapping[str, Any] = field(default_factory=dict, compare=False)
    seed: int | None = None
    reads_objects: bool = True
    purpose: str = "estimate"
    doing: str = "estimating"


@runtime_checkable
class RunSettings(Protocol):
    """How the work of a run is shared out: a section of an analysis file with these keys."""

    @property
    def workers(self) -> int | None:
        """Number of worker processes; None: one for each core."""

    @property
    def scheduler(self) -> str | None:
        """Address of a running Dask scheduler; None: a local cluster."""

    @property
    def device(self) -> str:
        """Where networks run: ``cpu``, ``cuda``, ``cuda:1``, or ``auto``."""

    @property
    def batch_events(self) -> int:
        """Events that are worked on together."""

    @property
    def max_events(self) -> int | None:
        """Largest number of selected events; None for all."""
