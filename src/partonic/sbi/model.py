"""A trained estimator as a folder: what it is (`model.json`) and its numbers (`weights.safetensors`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import Tensor, nn

from partonic.config.base import StrictModel
from partonic.config.sbi import SbiConfig
from partonic.errors import ModelError
from partonic.features.event_inputs import EventInputs
from partonic.features.event_objects import ObjectSlots
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.polynomial import Monomials
from partonic.sbi.backbones.object_scaler import ObjectScaler
from partonic.sbi.build import Facts, build_method
from partonic.sbi.expansion import Expansion
from partonic.sbi.method import Method
from partonic.sbi.standardise import FeatureScaler
from partonic.trained.learned_events import LearnedEvents
from partonic.trained.model_folder import load_record, load_weights, save_model

__all__ = ["SbiModel", "SbiRecord", "network_inputs"]

Array = NDArray[np.float64]

_EVENTS = 20_000
"""Events that the networks work on at a time, so that memory stays small."""

_EVENTS_WITH_OBJECTS = 2_000
"""The same for networks over objects, whose intermediate results are those of ten objects and a hundred pairs."""


class SbiRecord(StrictModel):
    """What a trained estimator says of itself."""

    config: SbiConfig
    """Settings of method, networks and training."""

    events: LearnedEvents | None = None
    """What the events were that it was trained on; None in models of earlier versions."""

    process: str
    """Short name of the process."""

    collider_energy: float
    """√S in GeV."""

    parameters: tuple[str, ...]
    """Theory parameters."""

    exponents: tuple[tuple[int, ...], ...]
    """Powers of the parameters in the monomials."""

    features: tuple[str, ...]
    """Features, with ``high_level`` written out."""

    inputs: int
    """Numbers of the named features of an event as the networks get them."""

    slots: ObjectSlots | None = None
    """Room for the objects of an event that the networks get; null for named features alone."""

    reference: tuple[dict[str, float], ...]
    """Points of the reference, complete."""

    reference_point: dict[str, float]
    """θ of the Standard Model, to whose density ratios are given."""

    means: tuple[float, ...]
    """σ_a of the targets in units of σ_ref."""

    learned_means: tuple[float, ...] = ()
    """The same, from the learned targets of the training events."""

    ranges: tuple[tuple[float, float], ...]
    """Lowest and highest value of each parameter that it was trained for."""

    basis: tuple[tuple[float, ...], ...] = ()
    """Basis points of morphing."""

    shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Shapes of the numbers of the method, where the training decides how many there are (trees)."""

    cross_section: CrossSectionRecord
    """σ_a of the accepted events, pb, from their weights."""

    seed: int
    """Root seed."""

    stores: tuple[str, ...] = ()
    """SHA-256 of the event stores that it was trained on, in their order; empty if that is not known."""

    facts: dict[str, Any] = Field(default_factory=dict)
    """Further facts of the training: events, effective numbers, epochs, losses, versions."""

    @property
    def monomials(self) -> Monomials:
        """The monomials."""
        return Monomials(self.parameters, self.exponents)

    def method_facts(self) -> Facts:
        """Return what the method needs to know of the events."""
        return Facts(
            Expansion.around(self.monomials, self.reference),
            np.array(self.means),
            np.array(self.ranges).reshape(-1, 2),
            np.array(self.basis).reshape(-1, len(self.parameters)),
            self.shapes,
        )


@dataclass(frozen=True, eq=False)
class SbiModel:
    """A trained estimator.

    Attributes:
        record: what it is.
        scaler: of the features.
        method: with its networks.
        objects: scaler of the objects; None for networks of named features alone.
    """

    record: SbiRecord
    scaler: FeatureScaler
    method: Method
    objects: ObjectScaler | None = None

    @torch.no_grad()
    def targets(self, events: EventInputs | Array) -> Array:
        """Return the learned targets y/y_0 of each member, `(M, N, A)`, of events, or of their named features `(N, F)`.

        Raises:
            ModelError: if the networks look at objects, and there are none.
        """
        parts = [self.method.targets_of(inputs).cpu() for inputs in self._inputs(events)]
        return _joined(parts, 1, (self.method.members, 0, len(self.record.means)))

    @torch.no_grad()
    def covariance(self, events: EventInputs | Array) -> Array | None:
        """Return the covariance of the mean targets `(N, A, A)`; None if it is the scatter of the members.

        Raises:
            ModelError: if the networks look at objects, and there are none.
        """
        parts = [self.method.covariance_of(inputs) for inputs in self._inputs(events)]
        known = [part.cpu() for part in parts if part is not None]
        return _joined(known, 0, (0,)) if known else None

    @torch.no_grad()
    def residual(self, events: EventInputs | Array) -> Array | None:
        """Return by how much the ratio of each event differs from the polynomial `(N,)`; None if it is one.

        Raises:
            ModelError: if the networks look at objects, and there are none.
        """
        parts = [self.method.residual(inputs) for inputs in self._inputs(events)]
        known = [part.cpu() for part in parts if part is not None]
        return _joined(known, 0, (0,)) if known else None

    def outside(self, features: Array) -> Array:
        """Return how far each event is outside the features of the training, in standard deviations, `(N,)`."""
        values: Array = self.scaler.outside(torch.from_numpy(features).to(self.scaler.mean.device)).cpu().numpy()
        return values

    def to(self, device: str) -> "SbiModel":
        """Move the networks to a device and return the model."""
        self._module().to(device)
        return self

    def save(self, folder: Path) -> None:
        """Write the model folder.

        Raises:
            OutputError: if it cannot be written.
        """
        save_model(folder, self._module(), self.record.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> "SbiModel":
        """Read a model folder.

        Raises:
            ModelError: if it is missing, damaged, or no estimator of simulation-based inference.
        """
        try:
            record = SbiRecord.model_validate(load_record(folder))
        except ValidationError as error:
            raise ModelError(
                f"{folder} holds no estimator of simulation-based inference ({error.errors()[0]['msg']}): give a "
                "folder that `partonic train` wrote for a section `sbi`"
            ) from error
        scaler = FeatureScaler(record.features)
        method = build_method(record.config, record.method_facts(), record.inputs, slots=record.slots)
        model = cls(record, scaler, method, None if record.slots is None else ObjectScaler(record.slots))
        load_weights(folder, model._module())
        model.method.eval()
        return model.to(device)

    def _module(self) -> nn.ModuleDict:
        objects = {} if self.objects is None else {"objects": self.objects}
        return nn.ModuleDict({"scaler": self.scaler, "method": self.method, **objects})

    def _inputs(self, events: EventInputs | Array) -> Iterator[Tensor]:
        """Yield the inputs of the networks, some events at a time."""
        whole = events if isinstance(events, EventInputs) else EventInputs(events)
        size = _EVENTS if self.objects is None else _EVENTS_WITH_OBJECTS
        for start in range(0, len(whole), size):
            yield network_inputs(self.scaler, self.objects, whole[start : start + size])


def network_inputs(scaler: FeatureScaler, objects: ObjectScaler | None, events: EventInputs) -> Tensor:
    """Return the inputs of the networks `(N, I)`, float32, on the device of the scalers.

    Raises:
        ModelError: if there is a scaler of objects, and there are none.
    """
    device = scaler.mean.device
    named: Tensor = scaler(torch.from_numpy(events.features).to(device))
    if objects is None:
        return named
    if events.objects is None:
        message = "the networks look at the objects of events, and got named features alone: give them both"
        raise ModelError(message)
    rows: Tensor = objects(named, torch.from_numpy(events.objects).to(device))
    return rows


def _joined(parts: Sequence[Tensor], dimension: int, empty: tuple[int, ...]) -> Array:
    values: Array = (torch.cat(list(parts), dim=dimension) if parts else torch.zeros(empty)).double().numpy()
    return values


def complete(point: Mapping[str, float], standard: Mapping[str, float]) -> dict[str, float]:
    """Return a θ point with the parameters not named at their values in the Standard Model."""
    return {**standard, **point}
