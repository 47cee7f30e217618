"""Training of the networks of the matrix element method for the events of one process: what `partonic train` does."""

from collections.abc import Callable, Sequence
from pathlib import Path

from partonic.config.mem_training.section import MemNetworksConfig, MemPart
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
from partonic.mem.kept_parts import PARTS, KeptParts, settings_of_part
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
from partonic.trained.model_files import find_model, model_fingerprint
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
    """Train the parts that `config` names and write each to ``<folder>/<part>``; those that are as wanted are kept.

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
        ConfigError: if a model to start from does not fit, or the folder holds a part that is not to be trained.
        ModelError: if a model that the section names is missing or damaged.
        SchemaError: if the stores lack what the training needs, or went through different cuts.
        TrainingError: if a training does not come to finite weights.
    """
    info, layout, lines = ProcessInfo.of_config(process), layout_of_stores(stores), []
    common = {"process": process.model_dump(mode="json"), "layout": layout.record(), "seed": seed}
    parts = KeptParts.of(folder, stores, common)
    parts.remove_others(config.parts)

    def acceptance() -> str:
        network = (config.acceptance, config.acceptance_training)
        return str(train_acceptance(stores, info, layout, network, seed, folder / "acceptance", progress))

    def initial_state() -> str:
        known, place = (info, classes_of(build_process(process).channels)), folder / "initial_state"
        both = (config.initial_state, config.initial_state_training)
        return str(train_initial_state(stores, known, layout, both, seed, place, progress))

    def transfer() -> str:
        return _transfer(stores, process, layout, config, (seed, folder), progress)

    def proposal() -> str:
        return _proposal(stores, process, layout, config, (seed, folder), progress)

    train: dict[MemPart, Callable[[], str]] = {
        "acceptance": acceptance, "initial_state": initial_state, "transfer": transfer, "proposal": proposal,
    }  # fmt: skip
    for part in _in_order(config):
        depends = settings_of_part(config, part) | _models_read(config, part, parts, process.name)
        lines.append(parts.trained(part, depends, train[part]))
    return tuple(lines)


def _in_order(config: MemNetworksConfig) -> list[MemPart]:
    """Return the parts in an order in which each finds those that it is made from."""
    of_simulated: tuple[MemPart, ...] = ("acceptance", "initial_state", "proposal", "transfer")
    order = PARTS if config.proposal.drawn is not None else of_simulated
    return [part for part in order if part in config.parts]


def _models_read(config: MemNetworksConfig, part: MemPart, parts: KeptParts, process: str) -> dict[str, str]:
    """Return the fingerprints of the models that the training of a part reads, by what they are to it."""
    found: dict[str, str] = {}
    drawn = config.proposal.drawn
    if part == "transfer" and config.transfer_start is not None:
        found["start"] = model_fingerprint(mem_folder(config.transfer_start, process) / "transfer")
    if part == "transfer" and config.consistency is not None:
        contrast = config.consistency
        found["acceptance"] = parts.fingerprint("acceptance")
        own = contrast.source == "network"
        place = parts.folder / "proposal" if own else find_model(contrast.model, process, "hard")
        found["contrast"] = model_fingerprint(place)
    if part == "proposal" and config.proposal.start is not None:
        found["start"] = model_fingerprint(mem_folder(config.proposal.start, process) / "proposal")
    if part == "proposal" and drawn is not None:
        above = parts.folder if drawn.model is None else mem_folder(drawn.model, process)
        found |= {name: model_fingerprint(above / name) for name in ("transfer", "acceptance")}
    return found


def _transfer(
    stores: Sequence[Path],
    process: ProcessConfig,
    layout: TransferLayout,
    config: MemNetworksConfig,
    run: tuple[int, Path],
    progress: Progress,
) -> str:
    """Train the transfer function with a root seed, in a folder, and return one line on it, or one on each phase."""
    (seed, folder), sizes = run, (config.transfer, config.transfer_training)
    info, place = ProcessInfo.of_config(process), folder / "transfer"
    start = None if config.transfer_start is None else mem_folder(config.transfer_start, process.name)
    line = str(train_transfer(stores, info, layout, sizes, seed, place, progress, start))
    if config.consistency is None:
        return line
    contrast = _contrast(process, config.consistency, seed, folder)
    settings = (config.consistency, config.transfer_training)
    return f"{line}; {train_consistency(stores, contrast, settings, seed, place, progress)}"


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
    if drawn is not None:  # from what was trained before
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
