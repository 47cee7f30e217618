"""Training of the networks of the matrix element method for the events of one process: what `partonic train` does."""

from collections.abc import Sequence
from pathlib import Path

from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.mem_training.transfer import ConsistencyConfig
from partonic.config.process import ProcessConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import SchemaError
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.acceptance.train import train_acceptance
from partonic.mem.initial_state.classes import classes_of
from partonic.mem.initial_state.train import train_initial_state
from partonic.mem.models import mem_folder
from partonic.mem.proposal.drawn_events import Surrogate
from partonic.mem.proposal.train import train_proposal
from partonic.mem.store_decays import check_objects
from partonic.mem.transfer.consistency import Contrast, train_consistency
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.train import train_transfer
from partonic.processes.definition import build_process
from partonic.progress import SILENT, Progress
from partonic.rng import torch_generator
from partonic.trained.model_files import find_model
from partonic.unfolding.unfolder import Unfolder

__all__ = ["layout_of_stores", "train_mem"]


def train_mem(
    stores: Sequence[Path],
    process: ProcessConfig,
    config: MemNetworksConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> tuple[str, ...]:
    """Train the parts that `config` names and write each to ``<folder>/<part>``.

    Args:
        stores: event stores of simulated events, selected and rejected; objects and cuts are theirs.
        process: the hard process that they are of.
        config: networks and training.
        seed: root seed; the same events, settings and seed give the same networks on the same machine.
        folder: of the models; each keeps its checkpoints, from which a killed training goes on.
        progress: told of events and steps.

    Returns:
        one line on each part.

    Raises:
        ConfigError: if a model to start from does not fit.
        ModelError: if a model that the section names is missing or damaged.
        SchemaError: if the stores lack what the training needs, or went through different cuts.
        TrainingError: if a training does not come to finite weights.
    """
    info, layout, lines = ProcessInfo.of_config(process), layout_of_stores(stores), []
    if "acceptance" in config.parts:
        network = (config.acceptance, config.acceptance_training)
        lines.append(str(train_acceptance(stores, info, layout, network, seed, folder / "acceptance", progress)))
    if "initial_state" in config.parts:
        known, place = (info, classes_of(build_process(process).channels)), folder / "initial_state"
        both = (config.initial_state, config.initial_state_training)
        lines.append(str(train_initial_state(stores, known, layout, both, seed, place, progress)))
    if "proposal" in config.parts and config.proposal.drawn is None:
        lines.append(_proposal(stores, process, layout, config, (seed, folder), progress))
    if "transfer" in config.parts:
        sizes, place = (config.transfer, config.transfer_training), folder / "transfer"
        start = None if config.transfer_start is None else mem_folder(config.transfer_start, process.name)
        lines.append(str(train_transfer(stores, info, layout, sizes, seed, place, progress, start)))
        if config.consistency is not None:
            contrast = _contrast(process, config.consistency, seed, folder)
            settings = (config.consistency, config.transfer_training)
            lines.append(train_consistency(stores, contrast, settings, seed, place, progress))
    if "proposal" in config.parts and config.proposal.drawn is not None:  # drawn from what was trained before
        lines.append(_proposal(stores, process, layout, config, (seed, folder), progress))
    return tuple(lines)


def _proposal(
    stores: Sequence[Path],
    process: ProcessConfig,
    layout: TransferLayout,
    config: MemNetworksConfig,
    run: tuple[int, Path],
    progress: Progress,
) -> str:
    """Train the proposal with a root seed, in a folder, and return one line on it."""
    (seed, folder), drawn, surrogate = run, config.proposal.drawn, None
    if drawn is not None:
        above = folder if drawn.model is None else mem_folder(drawn.model, process.name)
        surrogate = Surrogate.load(above / "transfer", above / "acceptance")
    built, decay_channel, place = build_process(process), layout.decay_channel, folder / "proposal"
    return str(train_proposal(stores, built, decay_channel, config.proposal, seed, place, progress, surrogate))


def _contrast(process: ProcessConfig, config: ConsistencyConfig, seed: int, folder: Path) -> Contrast:
    """Return what proposes partons for the further training of the transfer function."""
    own = config.source == "network"
    place = folder / "proposal" if own else find_model(config.model, process.name, "hard")
    return Contrast(
        process=build_process(process),
        proposal=Unfolder.load(place),
        acceptance=AcceptanceModel.load(folder / "acceptance"),
        proposals=config.proposals,
        generator=torch_generator(seed, "contrast"),
    )


def layout_of_stores(stores: Sequence[Path]) -> TransferLayout:
    """Return objects and cuts of the events of stores that this package simulated.

    Raises:
        ProcessError: if the decays of a store have no decay channel, or its selection leaves their photons open.
        SchemaError: if a store was not simulated here or lacks photons, or the stores differ.
    """
    layouts = {}
    for path in stores:
        metadata = EventStore.open(path).metadata
        if "simulation" not in metadata.config:
            raise SchemaError(
                f"{path} does not say which cuts its events passed: expected a store written by `partonic simulate`"
            )
        simulation = SimulationConfig.model_validate(metadata.config["simulation"])
        layouts[path] = TransferLayout.of(simulation, metadata.parton_pdg)
        check_objects(layouts[path].decay_channel, metadata, str(path))
    first = next(iter(layouts.values()))
    for path, layout in layouts.items():
        if layout != first:
            raise SchemaError(f"{path} has other partons, channel or cuts ({layout}) than the first store ({first})")
    return first
