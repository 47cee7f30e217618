"""Parton truth of simulated events as an estimator: the bound of what any other can reach."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from partonic.estimators.estimator import EstimatorJob
from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.truth import coefficients_of_weights
from partonic.polynomial import Monomials
from partonic.provenance import content_hash, file_digest

__all__ = ["TruthEstimator", "truth_job"]


class TruthEstimator:
    """R_a(z) = c_a/c_ref of the weights that simulated events carry, without error.

    Attributes:
        store: the simulated events, which know their cross section.
        reference_point: θ_ref by name.
    """

    source = "truth"
    columns = ("coefficients",)

    def __init__(self, store: EventStore, reference_point: Mapping[str, float]) -> None:
        self.store = store
        self.reference_point = reference_point

    @property
    def monomials(self) -> Monomials:
        """The monomials of the weights."""
        return self.store.metadata.monomials

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Accept any simulated events with weights of these monomials: it is made from them."""

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the ratios of the weights of events."""
        return coefficients_of_weights(batch, self.reference_point)

    def cross_section(self) -> CrossSectionRecord:
        """Return the cross section of the accepted events."""
        return FiducialRate.from_store(self.store).record()

    def facts(self) -> dict[str, Any]:
        """Return nothing: truth has no settings."""
        return {}

    def figures(self, coefficients: EventCoefficients) -> dict[str, Any]:
        """Return nothing: truth is exact."""
        return {}

    def quality(self, coefficients: EventCoefficients) -> dict[str, str]:
        """Return nothing: truth is exact."""
        return {}


def truth_job(store: Path, reference_point: Mapping[str, float] | None = None) -> EstimatorJob:
    """Return parton truth as a job of `partonic.estimators.run.estimate_store`.

    Args:
        store: simulated events.
        reference_point: θ_ref, usually the Standard Model; parameters not named are 0.

    Raises:
        EventFileError: if the store is missing or damaged.
    """
    events, point = EventStore.open(store), dict(reference_point or {})
    return EstimatorJob(
        name=events.metadata.process,
        source=TruthEstimator.source,
        fingerprint=content_hash({"store": file_digest(events.path)}),
        load=partial(_load, store, point),
        settings={"reference_point": point},
        reads_objects=False,
        purpose="take the truth of",
        doing="parton truth of",
    )


def _load(store: Path, point: Mapping[str, float], device: str) -> TruthEstimator:
    """Return the estimator; the device does not matter, for there is no network."""
    return TruthEstimator(EventStore.open(store), point)
