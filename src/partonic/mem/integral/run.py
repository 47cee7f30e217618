"""The matrix element method over the events of a store (`partonic.estimators.run`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from partonic.config.mem import MemConfig
from partonic.estimators.estimator import EstimatorJob
from partonic.estimators.run import estimate_store
from partonic.mem.integral.estimator import CrossSectionOf, MemEstimator
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.result import MemResult
from partonic.progress import SILENT, Progress

__all__ = ["MemJob", "integrate_store"]


@dataclass(frozen=True)
class MemJob:
    """The hypothesis that events are integrated under.

    Attributes:
        name: of the component, usually that of the process.
        fingerprint: hash of all that the ingredients depend on; two jobs with the same one are the same.
        load: builds the ingredients with the networks on a device; workers call it, too.
        cross_section: the fiducial cross section, given the ingredients; None if it is not known.
    """

    name: str
    fingerprint: str
    load: Callable[[str], Ingredients] = field(compare=False)
    cross_section: CrossSectionOf | None = field(default=None, compare=False)

    def estimator(self, config: MemConfig, seed: int) -> EstimatorJob:
        """Return the estimator with its settings, as a run takes it."""
        return EstimatorJob(
            name=self.name,
            source=MemEstimator.source,
            fingerprint=self.fingerprint,
            load=partial(_load, self, config, seed),
            settings=config.physics(),
            config={"mem": config.model_dump(mode="json")},
            seed=seed,
            purpose="integrate",
            doing="integrating",
        )


def integrate_store(
    store: Path, job: MemJob, config: MemConfig, seed: int, output: Path, progress: Progress = SILENT
) -> MemResult:
    """Integrate the selected events of a store.

    Args:
        store: event store (Parquet).
        job: the hypothesis.
        config: settings.
        seed: root seed.
        output: the file of coefficients. Beside it, `<name>.parts` holds the batches until all are there.
        progress: told of each batch.

    Raises:
        NonFiniteError: if a factor of an integrand is NaN, or infinite.
        PartonicError: as `estimate_store`.
    """
    result = estimate_store(store, job.estimator(config, seed), config, output, progress)
    return MemResult(result.path, result.counts, result.figures)


def _load(job: MemJob, config: MemConfig, seed: int, device: str) -> MemEstimator:
    return MemEstimator(job.load(device), config, seed, job.cross_section)
