"""The matrix element method with trained models, found by their names: what `partonic mem` does."""

from functools import partial
from pathlib import Path

from partonic.config.mem import MemConfig
from partonic.config.process import ProcessConfig
from partonic.errors import ConfigError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.rate import FiducialRate
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.normalisation import (
    acceptance_cross_section,
    accepted_cross_section,
    integrated_cross_section,
)
from partonic.mem.integral.result import MemResult
from partonic.mem.integral.run import MemJob, integrate_store
from partonic.mem.models import Hypothesis
from partonic.mem.store_decays import decay_channel_of_store
from partonic.parts import remove_parts
from partonic.physics.process import Process
from partonic.progress import SILENT, Progress
from partonic.provenance import file_digest
from partonic.rng import torch_generator
from partonic.trained.compatibility import check_theory

__all__ = ["fiducial_cross_section", "hypothesis_of_store", "integrate_events", "mem_job"]


def integrate_events(
    store: Path,
    output: Path,
    hypothesis: Hypothesis,
    config: MemConfig,
    seed: int,
    *,
    force: bool = False,
    progress: Progress = SILENT,
) -> MemResult:
    """Integrate the selected events of a store under a hypothesis.

    Args:
        store: event store (Parquet).
        output: the file of coefficients.
        hypothesis: process and decays.
        config: settings.
        seed: root seed.
        force: integrate again even if nothing changed.
        progress: told of each batch.

    Raises:
        PartonicError: as `integrate_store` and `Hypothesis.ingredients`.
        OutputError: if `output` is the store itself.
    """
    if force and output.resolve() != store.resolve():
        remove_parts(output)
        output.unlink(missing_ok=True)
    return integrate_store(store, mem_job(store, hypothesis, config, seed), config, seed, output, progress)


def mem_job(store: Path, hypothesis: Hypothesis, config: MemConfig, seed: int) -> MemJob:
    """Return the job of a hypothesis; the cross section is that of `store` if the settings name no other one.

    Raises:
        ModelError: if a model is missing.
        EventFileError: if the store of the cross section cannot be read.
    """
    normalisation = config.normalisation.store or store
    fingerprint = hypothesis.fingerprint(config)
    if config.normalisation.method != "process":
        fingerprint += file_digest(EventStore.open(normalisation).path)
    return MemJob(
        name=hypothesis.process.name,
        fingerprint=fingerprint,
        load=partial(hypothesis.ingredients, config),
        cross_section=partial(_record, normalisation, config, seed),
    )


def fiducial_cross_section(store: Path, ingredients: Ingredients, config: MemConfig, seed: int) -> FiducialRate:
    """Return σ_a in the way that the settings ask for.

    Args:
        store: simulated events of the process; not read for the method ``process``.
        ingredients: process, acceptance and decay channel.
        config: settings.
        seed: root seed.

    Raises:
        SchemaError: if the store holds events of another process.
        EventFileError: if it has no events that serve.
        ConfigError: if the process is no whole `Process`, for the method ``process``.
    """
    process, method = ingredients.process, config.normalisation.method
    if method == "process":
        if not isinstance(process, Process):
            raise ConfigError(f"'{process.name}' has no unit cube: set mem.normalisation.method to accepted")
        generator = torch_generator(seed, "mem", process.name, "cross section")
        return integrated_cross_section(
            process, ingredients.acceptance, ingredients.decay_channel, config.normalisation.points, generator,
            ingredients.branching_fraction,
        )  # fmt: skip
    events = EventStore.open(store)
    remedy = "give a simulated store of that process (mem.normalisation.store)"
    check_theory(process.name, process.monomials, events.metadata, str(store), remedy)
    if method == "accepted":
        return accepted_cross_section(events)
    return acceptance_cross_section(events, ingredients.acceptance, ingredients.decay_channel)


def hypothesis_of_store(metadata: StoreMetadata, process: ProcessConfig) -> Hypothesis:
    """Return the hypothesis that simulated events of a store were made under.

    Args:
        metadata: of the store; events of others are taken for semileptonic ones.
        process: masses, parton densities and scales.

    Raises:
        ConfigError: if the events were made at another collider energy than that of `process`.
        ProcessError: if the tops decay inclusively.
    """
    if abs(process.collider_energy / metadata.collider_energy - 1.0) > 1e-6:
        raise ConfigError(
            f"the events are of √S = {metadata.collider_energy:g} GeV, the process of {process.collider_energy:g} GeV: "
            "give an analysis whose section `process` says so"
        )
    decay_channel = decay_channel_of_store(metadata)
    fraction = float(metadata.facts.get("branching_fraction", 1.0))
    return Hypothesis(process, decay_channel.name, fraction, decay_channel.higgs)


def _record(store: Path, config: MemConfig, seed: int, ingredients: Ingredients) -> CrossSectionRecord:
    return fiducial_cross_section(store, ingredients, config, seed).record()
