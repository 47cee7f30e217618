"""A surrogate as a folder: acceptance, what draws the objects, and a record of what was learned and how well it closes.

The folder has ``acceptance`` and either ``transfer`` (a transfer function of the matrix element method) or ``objects``
(a generative model), and the record ``surrogate.json``. A folder of the matrix element method without such a record is
a surrogate, too: one whose settings of the simulation, but for decays and cuts, and whose closure are not known.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from partonic.config.base import StrictModel
from partonic.config.simulation import SimulationConfig
from partonic.errors import ModelError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.files import write_json
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.generative import load_generative_model
from partonic.pretrained import pretrained_folder
from partonic.process_registry import process_names
from partonic.provenance import content_hash
from partonic.surrogate.engine import ObjectEngine
from partonic.surrogate.generative_objects import GenerativeObjects
from partonic.surrogate.object_numbers import ObjectNumbers, TagShares
from partonic.surrogate.settings import check_settings
from partonic.trained.model_files import PRETRAINED, model_files, model_fingerprint

__all__ = ["FACT", "SURROGATE_RECORD", "DetectorSurrogate", "SurrogateRecord", "surrogate_files", "surrogate_folder"]

SURROGATE_RECORD = "surrogate.json"
"""File of the record."""

FACT = "surrogate"
"""Key in `StoreMetadata.facts` of events that a surrogate made."""

_OF_MAP = {"jets", "count_shares", "tag_shares"}
"""What the map of events to numbers depends on."""


class SurrogateRecord(StrictModel):
    """What is known of a surrogate."""

    format: Literal[1] = 1
    """Version of the record."""

    kind: str
    """What draws the objects: ``transfer``, or the kind of the generative model."""

    jets: int | None = None
    """Jets that a generative model draws."""

    count_shares: tuple[float, ...] = ()
    """Shares of numbers of jets, of the map between events and its numbers (`ObjectNumbers`)."""

    tag_shares: TagShares = ()
    """Shares of tagged jets, likewise."""

    layout: dict[str, Any]
    """Partons, objects and cuts."""

    simulation: dict[str, Any]
    """Settings of the simulation whose events were learned."""

    training: dict[str, Any] = Field(default_factory=dict)
    """Numbers of events, settings and versions of the training."""

    closure: dict[str, Any] = Field(default_factory=dict)
    """Comparison with the simulation on events that were not learned (`partonic.surrogate.closure`)."""

    def save(self, folder: Path) -> None:
        """Write the record into the folder.

        Raises:
            OutputError: if it cannot be written.
        """
        write_json(folder / SURROGATE_RECORD, self.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> "SurrogateRecord | None":
        """Return the record of a folder, None if it has none.

        Raises:
            ModelError: if it is damaged.
        """
        path = folder / SURROGATE_RECORD
        if not path.is_file():
            return None
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            raise ModelError(
                f"{path} is damaged: {error}. Copy the folder anew, or train the surrogate again"
            ) from error


def surrogate_folder(model: str | Path, process: str) -> Path:
    """Return the folder of a surrogate.

    Args:
        model: ``pretrained``, or the folder itself.
        process: short name of the process, for the pretrained one.

    Raises:
        ModelError: if there is none.
    """
    is_pretrained = str(model) == PRETRAINED
    folder = pretrained_folder(process) / "mem" if is_pretrained else Path(model)
    if _is_whole(folder):
        return folder
    if is_pretrained:
        known = (
            ", ".join(name for name in process_names() if _is_whole(pretrained_folder(name) / "mem")) or "no process"
        )
        raise ModelError(
            f"no pretrained surrogate of '{process}' ships with partonic (there is one of: {known}): train one "
            "(section `surrogate_training`) and name its folder in simulation.surrogate.model"
        )
    raise ModelError(
        f"{folder} holds no surrogate: expected a model in 'acceptance', and one in 'transfer' or 'objects'; give "
        f"'{PRETRAINED}', or a folder that `partonic train` wrote, such as <output>/train_surrogate"
    )


def surrogate_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a surrogate that is there."""
    objects = _objects_folder(folder)
    models = [path for each in (folder / "acceptance", objects) if each is not None for path in model_files(each)]
    record = folder / SURROGATE_RECORD
    return (*models, *([record] if record.is_file() else []))


def _is_whole(folder: Path) -> bool:
    there = all(path.is_file() for path in model_files(folder / "acceptance"))
    return there and _objects_folder(folder) is not None


def _objects_folder(folder: Path) -> Path | None:
    """Return the folder of what draws objects; that of the generative model where there are both."""
    both = (folder / "objects", folder / "transfer")
    return next((each for each in both if all(path.is_file() for path in model_files(each))), None)


@dataclass(frozen=True)
class DetectorSurrogate:
    """Networks that stand for shower, detector response and selection.

    Attributes:
        acceptance: ε(z).
        objects: draws the objects of accepted events.
        layout: partons, objects and cuts.
        record: what is known of it; None for networks of the matrix element method without.
        folder: where it was loaded from.
        fingerprint: hash of all that its events depend on, 64 hex digits.
    """

    acceptance: AcceptanceModel
    objects: ObjectEngine
    layout: TransferLayout
    record: SurrogateRecord | None
    folder: Path
    fingerprint: str

    @property
    def kind(self) -> str:
        """What draws the objects."""
        return "transfer" if self.record is None else self.record.kind

    @classmethod
    def load(cls, folder: Path) -> "DetectorSurrogate":
        """Load a surrogate.

        Raises:
            ModelError: if a part is missing, damaged, or made for other events than the others.
        """
        record, place = SurrogateRecord.load(folder), _objects_folder(folder)
        if place is None:
            raise ModelError(f"{folder} holds no surrogate: there is no model in 'transfer' or 'objects'")
        acceptance = AcceptanceModel.load(folder / "acceptance")
        objects = _load_objects(place, acceptance.layout, record)
        layouts = {"what draws the objects": getattr(objects, "layout", acceptance.layout)}
        if record is not None:
            layouts["the record"] = TransferLayout.of_record(record.layout)
        for what, layout in layouts.items():
            if layout != acceptance.layout:
                raise ModelError(
                    f"{folder}: {what} is made for {layout}, the acceptance for {acceptance.layout}: put models of the "
                    "same training together"
                )
        parts = {"acceptance": model_fingerprint(folder / "acceptance"), place.name: model_fingerprint(place)}
        of_map = {} if place.name == "transfer" or record is None else record.model_dump(include=_OF_MAP)
        return cls(acceptance, objects, acceptance.layout, record, folder, content_hash({**parts, **of_map}))

    def check(self, metadata: StoreMetadata, simulation: SimulationConfig) -> None:
        """Check that it learned such events as are asked for.

        Args:
            metadata: of the store to be made.
            simulation: the section, with the decays in use for the process.

        Raises:
            SchemaError: if it learned another process, another final state, or another energy of the collider.
            ConfigError: if it learned other decays, cuts, jets or another detector.
            ProcessError: if the decays have no decay channel.
        """
        if tuple(metadata.parton_pdg) != self.layout.parton_pdg:
            raise SchemaError(
                f"the surrogate {self.folder} draws events of the partons {self.layout.parton_pdg}, but those of the "
                f"process '{metadata.process}' are {tuple(metadata.parton_pdg)}: give a surrogate of this process in "
                "simulation.surrogate.model, or leave simulation.surrogate out"
            )
        self.acceptance.schema.check(metadata, f"the surrogate {self.folder} cannot make this store, which")
        check_settings(simulation, self.layout, self.record.simulation if self.record else None, str(self.folder))

    def facts(self) -> dict[str, Any]:
        """Return what a store of its events says of it."""
        closure = {} if self.record is None else self.record.closure
        return {"kind": self.kind, "model": str(self.folder), "fingerprint": self.fingerprint, "closure": closure}


def _load_objects(place: Path, layout: TransferLayout, record: SurrogateRecord | None) -> ObjectEngine:
    """Return what draws the objects.

    Raises:
        ModelError: if it is missing, damaged, or of other numbers than the record says.
    """
    if place.name == "transfer":
        return TransferFunction.load(place)
    if record is None or record.jets is None:
        raise ModelError(
            f"{place.parent} has no {SURROGATE_RECORD} that says how many jets the model in 'objects' draws: copy the "
            "folder anew, or train the surrogate again"
        )
    model, numbers = (
        load_generative_model(place),
        ObjectNumbers(layout, record.jets, record.count_shares, record.tag_shares),
    )
    if model.features != numbers.size:
        raise ModelError(
            f"{place} draws {model.features} numbers, but {numbers.size} are expected of {record.jets} jets and the "
            f"objects of {layout}: copy the folder anew, or train the surrogate again"
        )
    return GenerativeObjects(model, numbers)
