"""The classical matrix element method as an estimator, and its run over a store."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from partonic.errors import SchemaError
from partonic.estimators.estimator import EstimatorJob
from partonic.events.batch import RECO_COLUMNS, EventBatch
from partonic.events.schema import StoreMetadata
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.integrator import ClassicalIntegrator
from partonic.mem.classical.options import ClassicalOptions
from partonic.mem.classical.transfer import TransferFunctions
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.polynomial import Monomials

__all__ = ["ClassicalEstimator", "classical_job"]

_GEV = "GeV"


class ClassicalEstimator:
    """P_a(x) from VEGAS over the assignments of jets to quarks.

    Attributes:
        integrator: process, transfer functions and options.
        seed: root seed.
        section: the fiducial cross section; None if it is not known: then a fit takes that of simulated events.
    """

    source = "classical"
    columns = RECO_COLUMNS

    def __init__(self, integrator: ClassicalIntegrator, seed: int, section: CrossSectionRecord | None = None) -> None:
        self.integrator = integrator
        self.seed = seed
        self.section = section

    @property
    def monomials(self) -> Monomials:
        """The monomials of the process."""
        return self.integrator.hypothesis.process.monomials

    @property
    def reference_point(self) -> Mapping[str, float]:
        """θ = 0: the ratios are to P_0."""
        return {}

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that the events are from collisions at the energy of the process.

        Raises:
            SchemaError: if they are not.
        """
        expected = self.integrator.hypothesis.process.collider_energy
        if abs(metadata.collider_energy / expected - 1.0) > 1e-6:
            raise SchemaError(
                f"{where} has events at {metadata.collider_energy:g} {_GEV}, but the process "
                f"'{self.integrator.hypothesis.process.name}' is at {expected:g} {_GEV}: give the events their own "
                "process"
            )

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the integrals of events; each has random numbers of its own."""
        return self.integrator.integrate(batch.reco(), batch.column("event_id").astype(np.int64), self.seed)

    def cross_section(self) -> CrossSectionRecord | None:
        """Return the fiducial cross section."""
        return self.section

    def facts(self) -> dict[str, Any]:
        """Return nothing: all is in the options."""
        return {}

    def figures(self, coefficients: EventCoefficients) -> dict[str, Any]:
        """Return points and errors."""
        good = coefficients.select(coefficients.usable())
        quality = IntegralDiagnostics.of(good)
        return {
            "median_relative_error": float(np.median(good.relative_error)) if len(good) else None,
            "points": int(IntegralDiagnostics.of(coefficients).points.sum()),
            "few_effective_points": quality.few,
        }

    def quality(self, coefficients: EventCoefficients) -> dict[str, str]:
        """Return the median error of P_0."""
        errors = coefficients.relative_error[coefficients.usable()]
        return {"error": f"{np.median(errors):.1%}"} if len(errors) else {}


def classical_job(
    hypothesis: TopPairHypothesis,
    transfer: TransferFunctions,
    seed: int,
    fingerprint: str,
    options: ClassicalOptions | None = None,
    section: CrossSectionRecord | None = None,
) -> EstimatorJob:
    """Return the classical method as a job of `partonic.estimators.run.estimate_store`.

    Args:
        hypothesis: process and masses.
        transfer: the transfer functions.
        seed: root seed.
        fingerprint: hash of process and transfer functions, which are objects and cannot be hashed here.
        options: how much work an event is worth; None for the default ones.
        section: the fiducial cross section; None if it is not known.
    """
    options = options or ClassicalOptions()
    integrator = ClassicalIntegrator(hypothesis, transfer, options)
    return EstimatorJob(
        name=hypothesis.process.name,
        source=ClassicalEstimator.source,
        fingerprint=fingerprint,
        load=partial(_load, integrator, seed, section),
        settings=asdict(options),
        config={"classical": asdict(options)},
        seed=seed,
        purpose="integrate",
        doing="integrating (classical)",
    )


def _load(
    integrator: ClassicalIntegrator, seed: int, section: CrossSectionRecord | None, device: str
) -> ClassicalEstimator:
    """Return the estimator; the device does not matter, for it works on the processor."""
    return ClassicalEstimator(integrator, seed, section)
