"""The classical method over the events of a store, with all that it reads found by name."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from partonic.config.classical import ClassicalConfig
from partonic.config.process import ProcessConfig
from partonic.estimators.estimator import EstimatorJob
from partonic.estimators.result import EstimateResult
from partonic.estimators.run import estimate_store
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.rate import FiducialRate
from partonic.mem.classical.estimator import ClassicalEstimator
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.integrator import ClassicalIntegrator
from partonic.mem.classical.options import ClassicalOptions
from partonic.mem.classical.transfer import TransferFunctions
from partonic.mem.integral.normalisation import accepted_cross_section
from partonic.physics.process import Process
from partonic.processes.definition import build_process
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest
from partonic.trained.compatibility import check_theory

__all__ = ["ClassicalRun", "integrate_classically"]


@dataclass(frozen=True)
class ClassicalRun:
    """What a run reads.

    Attributes:
        store: event store with the events.
        process: the hypothesis.
        transfer: JSON file of the transfer functions.
        config: settings.
        seed: root seed.
    """

    store: Path
    process: ProcessConfig
    transfer: Path
    config: ClassicalConfig
    seed: int

    def job(self) -> EstimatorJob:
        """Return the job of `partonic.estimators.run.estimate_store`; workers build the process for themselves.

        Raises:
            ProcessError: if the process has another final state than the method knows.
            EventFileError: if the store of the cross section cannot be read.
            SchemaError: if it is named and holds events of another process.
        """
        process = build_process(self.process)
        TopPairHypothesis(process)  # before anything is read
        section = self._cross_section(process)
        options = ClassicalOptions(**self.config.work())  # type: ignore[arg-type]
        facts = {
            "process": self.process.model_dump(mode="json"), "transfer": file_digest(self.transfer),
            "cross_section": None if section is None else section.model_dump(mode="json"),
        }  # fmt: skip
        return EstimatorJob(
            name=process.name,
            source=ClassicalEstimator.source,
            fingerprint=content_hash(facts),
            load=partial(_load, self.process, self.transfer, options, self.seed, section),
            settings=self.config.work(),
            config={"classical": self.config.model_dump(mode="json")},
            seed=self.seed,
            purpose="integrate",
            doing="integrating (classical)",
        )

    def _cross_section(self, process: Process) -> CrossSectionRecord | None:
        """Return σ_a of the accepted events of a simulated store; None if only other events are there."""
        store = EventStore.open(self.config.normalisation_store or self.store)
        if self.config.normalisation_store is not None:
            remedy = "give a simulated store of that process (classical.normalisation_store)"
            check_theory(process.name, process.monomials, store.metadata, str(store.path), remedy)
        elif not _simulated(store, process):
            return None
        return accepted_cross_section(store).record()


def integrate_classically(run: ClassicalRun, output: Path, progress: Progress = SILENT) -> EstimateResult:
    """Integrate the selected events of a store, and write the file of coefficients.

    Args:
        run: what is read.
        output: the file of coefficients.
        progress: told of each batch.

    Raises:
        PartonicError: as `ClassicalRun.job` and `estimate_store`.
        ModelError: if the transfer functions are missing or damaged.
    """
    TransferFunctions.load(run.transfer)
    return estimate_store(run.store, run.job(), run.config, output, progress, section="classical")


def _simulated(store: EventStore, process: Process) -> bool:
    """Return whether the events of a store are of the process and have weights: real data have none."""
    if store.metadata.process != process.name or store.metadata.monomials != process.monomials:
        return False
    return bool(FiducialRate.from_store(store).coefficients.any())


def _load(
    process: ProcessConfig, transfer: Path, options: ClassicalOptions, seed: int, section: CrossSectionRecord | None,
    device: str,
) -> ClassicalEstimator:  # fmt: skip
    """Return the estimator; the device does not matter, for it works on the processor."""
    hypothesis = TopPairHypothesis(build_process(process))
    return ClassicalEstimator(ClassicalIntegrator(hypothesis, TransferFunctions.load(transfer), options), seed, section)
