"""Training of a surrogate on simulated events, and its closure on those that were kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from partonic.config.generative import GenerativeConfig
from partonic.config.process import ProcessConfig
from partonic.config.surrogate import SurrogateTrainingConfig, TransferEngineConfig
from partonic.errors import ConfigError, ModelError, SchemaError
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.mem.acceptance.train import train_acceptance
from partonic.mem.train import layout_of_stores
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.objects import object_table
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.generative import build_generative_model
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.rng import torch_generator
from partonic.surrogate.closure import closure_of
from partonic.surrogate.held_out import read_events
from partonic.surrogate.model import FACT, DetectorSurrogate, SurrogateRecord, surrogate_folder
from partonic.surrogate.object_numbers import ObjectNumbers
from partonic.surrogate.settings import learned_settings
from partonic.trained.schema_record import SchemaRecord

__all__ = ["TrainedSurrogate", "filled", "train_surrogate"]


@dataclass(frozen=True)
class TrainedSurrogate:
    """What the training of a surrogate gave.

    Attributes:
        folder: of the surrogate.
        record: what is known of it.
    """

    folder: Path
    record: SurrogateRecord

    def __str__(self) -> str:
        """Return one line for the terminal."""
        closure = self.record.closure
        worst = max(each["distance"] for each in closure["observables"].values())
        area = "" if closure["auc"] is None else f", AUC {closure['auc']['value']:.3f} ± {closure['auc']['error']:.3f}"
        found = closure["selected_fraction"]
        return (
            f"surrogate '{self.record.kind}': selects {found['surrogate']:.4f} of the events held out (simulation "
            f"{found['simulated']:.4f} ± {found['error']:.4f}), largest distance in ten observables {worst:.3f} σ{area}"
        )


def train_surrogate(
    stores: Sequence[Path],
    process: ProcessConfig,
    config: SurrogateTrainingConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> TrainedSurrogate:
    """Train a surrogate and write its folder; the last events of the stores are kept for its closure.

    Args:
        stores: event stores of simulated events, selected and rejected.
        process: the hard process that they are of.
        config: what draws the objects, and the training.
        seed: root seed; the same events, settings and seed give the same surrogate on the same machine.
        folder: of the surrogate; it keeps checkpoints, from which a killed training goes on.
        progress: told of events and steps.

    Raises:
        ConfigError: if fewer jets are to be drawn than each event has.
        ModelError: if networks that are to be used are missing, or made for other events.
        SchemaError: if the stores are of another process, were not simulated, or went through different cuts.
        TrainingError: if a training does not come to finite weights.
    """
    info, layout, learned = ProcessInfo.of_config(process), layout_of_stores(stores), _settings_of(stores, process)
    total = sum(EventStore.open(path).num_events for path in stores)
    used = round((1.0 - config.held_out) * total)
    training: dict[str, Any] = {
        "events": used, "held_out": total - used, "stores": [path.name for path in stores], "seed": seed,
        "settings": config.model_dump(mode="json", exclude={"stores"}), "versions": package_versions(),
    }  # fmt: skip
    of_map: dict[str, Any] = {}
    if isinstance(config.model, TransferEngineConfig):
        _copy(surrogate_folder(config.model.model, process.name), layout, folder)
    else:
        if config.jets < layout.jets_min:
            raise ConfigError(
                f"surrogate_training.jets: the events of the stores have {layout.jets_min} jets and more, so that a "
                f"model that draws {config.jets} is not enough: set it to {layout.jets_min} or more"
            )
        limit = min(used, config.acceptance_training.max_events or used)
        networks = config.acceptance, config.acceptance_training.model_copy(update={"max_events": limit})
        train_acceptance(stores, info, layout, networks, seed, folder / "acceptance", progress)
        numbers, told = _train_objects(stores, layout, (config, config.model), (used, seed), folder, progress)
        of_map = {"jets": numbers.jets, "count_shares": numbers.count_shares, "tag_shares": numbers.tag_shares}
        training |= told
    record = SurrogateRecord(
        kind=config.model.kind, layout=layout.record(), simulation=learned, training=training, **of_map
    )
    record.save(folder)
    surrogate = DetectorSurrogate.load(folder)
    events = read_events(stores, layout, (used, total), progress)
    record = record.model_copy(update={"closure": closure_of(surrogate, events, info, seed)})
    record.save(folder)
    return TrainedSurrogate(folder, record)


def _settings_of(stores: Sequence[Path], process: ProcessConfig) -> dict[str, Any]:
    """Return the settings of the simulation of the stores.

    Raises:
        SchemaError: if they differ, are of another process, or were made by a surrogate.
    """
    expected, found = SchemaRecord.of(ProcessInfo.of_config(process)), {}
    for path in stores:
        metadata = EventStore.open(path).metadata
        expected.check(metadata, str(path))
        if FACT in metadata.facts:
            raise SchemaError(
                f"the events of {path} were made by the surrogate {metadata.facts[FACT].get('model')}: train on events "
                "of the simulation itself"
            )
        found[path] = learned_settings(metadata.config["simulation"])
    first = next(iter(found.values()))
    for path, settings in found.items():
        if settings != first:
            names = [name for name in settings if settings[name] != first.get(name)]
            raise SchemaError(f"{path} was simulated with other settings than the first store: {', '.join(names)}")
    return first


def _copy(source: Path, layout: TransferLayout, folder: Path) -> None:
    """Put networks of the matrix element method into the folder.

    Raises:
        ModelError: if they are made for other events than those of the stores.
    """
    surrogate = DetectorSurrogate.load(source)
    if surrogate.layout != layout:
        raise ModelError(
            f"{source} is made for {surrogate.layout}, but the stores have {layout}: give networks of these events in "
            "surrogate_training.model.model, or train a generative model"
        )
    if not isinstance(surrogate.objects, TransferFunction):
        raise ModelError(f"{source} has no transfer function: expected a folder with a model in 'transfer'")
    surrogate.acceptance.save(folder / "acceptance")
    surrogate.objects.save(folder / "transfer")


def _train_objects(
    stores: Sequence[Path],
    layout: TransferLayout,
    config: tuple[SurrogateTrainingConfig, GenerativeConfig],
    run: tuple[int, int],
    folder: Path,
    progress: Progress,
) -> tuple[ObjectNumbers, dict[str, Any]]:
    """Train the generative model on the first events, with a root seed.

    Returns:
        the map between events and its numbers, and what the record says of the training.
    """
    section, settings = config
    used, seed = run
    events = read_events(stores, layout, (0, used), progress)
    momenta = events.momenta[events.selected]
    usable = object_table(events.reco, layout).inside
    generator = torch_generator(seed, "surrogate", "numbers")
    numbers = ObjectNumbers.of(events.reco.select(usable), layout, min(section.jets, layout.jets_max))
    data = filled(numbers.encode(events.reco.select(usable), momenta[usable], generator), generator)
    more = (events.reco.jet_mask.sum(dim=1) > numbers.jets)[usable]
    conditions = numbers.conditions(momenta[usable])
    first = torch_generator(seed, "surrogate", "weights")
    model = build_generative_model(settings, data.shape[1], conditions.shape[1], first)
    result = model.fit(
        data, conditions, None, torch_generator(seed, "surrogate", "fit"), progress,
        training=section.training, folder=folder / "phase",
    )  # fmt: skip
    model.save(folder / "objects")
    return numbers, {
        "selected": len(data), "epochs": result.epochs, "validation": result.best_validation,
        "events_with_more_jets": float(more.double().mean()),
    }  # fmt: skip


def filled(numbers: Tensor, generator: torch.Generator) -> Tensor:
    """Return numbers with Gaussian noise of the mean and deviation of their column where they are NaN.

    A model then has something to learn in slots without an object, and what it draws there is not looked at.
    """
    there = ~torch.isnan(numbers)
    count = there.sum(dim=0).clamp(min=1)
    known = torch.where(there, numbers, 0.0)
    mean = known.sum(dim=0) / count
    deviation = (torch.where(there, numbers - mean, 0.0).square().sum(dim=0) / count).sqrt()
    deviation = torch.where(deviation > 0.0, deviation, 1.0)
    noise = torch.randn(numbers.shape, generator=generator, dtype=numbers.dtype)
    return torch.where(there, numbers, mean + deviation * noise)
