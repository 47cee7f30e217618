"""A trained classifier of backgrounds against the signal, as a model folder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import nn

from partonic.config.base import StrictModel
from partonic.config.sbi import SbiConfig
from partonic.errors import ModelError
from partonic.features.event_inputs import EventInputs
from partonic.features.event_objects import ObjectSlots
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.sbi.backbones.make import make_backbone
from partonic.sbi.backbones.object_scaler import ObjectScaler
from partonic.sbi.background.calibration import RatioScale
from partonic.sbi.model import network_inputs
from partonic.sbi.morphing import MorphingRatios
from partonic.sbi.standardise import FeatureScaler
from partonic.trained.model_folder import load_record, load_weights, save_model

__all__ = ["BackgroundModel", "BackgroundRecord", "ratio_networks"]

Array = NDArray[np.float64]

_EVENTS = 2_000
"""Events that the networks work on at a time."""


class BackgroundRecord(StrictModel):
    """What a trained classifier says of itself."""

    config: SbiConfig
    """Settings of networks and training."""

    process: str
    """Short name of the process of the signal."""

    collider_energy: float
    """√S in GeV."""

    backgrounds: tuple[str, ...]
    """Names of the B backgrounds."""

    features: tuple[str, ...]
    """Features, all written out."""

    inputs: int
    """Numbers of the named features of an event as the networks get them."""

    slots: ObjectSlots | None = None
    """Room for the objects of an event that the networks get; null for named features alone."""

    signal_cross_section: float
    """Of the accepted signal at the Standard Model, pb."""

    cross_sections: tuple[CrossSectionRecord, ...]
    """Of the accepted events of each background, pb, of one number."""

    scales: tuple[dict[str, float], ...]
    """Calibration of each log ratio (`partonic.sbi.background.calibration.RatioScale`)."""

    seed: int
    """Root seed."""

    facts: dict[str, Any] = Field(default_factory=dict)
    """Further facts: events, epochs, losses, reliability of each background."""


@dataclass(frozen=True, eq=False)
class BackgroundModel:
    """Networks of log p_b(x)/p_s(x), with p_s the density of the signal at the Standard Model.

    Attributes:
        record: what they are.
        scaler: of the features.
        method: with its networks.
        objects: scaler of the objects; None for networks of named features alone.
    """

    record: BackgroundRecord
    scaler: FeatureScaler
    method: MorphingRatios
    objects: ObjectScaler | None = field(default=None)

    @torch.no_grad()
    def raw_logs(self, events: EventInputs) -> Array:
        """Return log p_b/p_s of each member before the calibration, `(M, N, B)`.

        Raises:
            ModelError: if the networks look at objects, and there are none.
        """
        parts = [
            self.method.targets_of(network_inputs(self.scaler, self.objects, events[start : start + _EVENTS])).cpu()
            for start in range(0, len(events), _EVENTS)
        ]
        if not parts:
            return np.zeros((self.method.members, 0, len(self.record.backgrounds)))
        logs: Array = torch.cat(parts, dim=1)[..., 1:].log().numpy()
        return logs

    def logs(self, events: EventInputs) -> tuple[Array, Array]:
        """Return the calibrated log p_b/p_s, the mean over the members, and their scatter, `(N, B)` each."""
        scales = [RatioScale(**each) for each in self.record.scales]
        raw = self.raw_logs(events)
        members = np.stack([scale.of(raw[..., number]) for number, scale in enumerate(scales)], axis=-1)
        spread = members.std(axis=0, ddof=1) if len(members) > 1 else np.zeros(members.shape[1:])
        return members.mean(axis=0), spread

    def outside(self, features: Array) -> Array:
        """Return how far each event is outside the features of the training, in standard deviations, `(N,)`."""
        values: Array = self.scaler.outside(torch.from_numpy(features).to(self.scaler.mean.device)).cpu().numpy()
        return values

    def save(self, folder: Path) -> None:
        """Write the model folder.

        Raises:
            OutputError: if it cannot be written.
        """
        save_model(folder, self._module(), self.record.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> "BackgroundModel":
        """Read a model folder.

        Raises:
            ModelError: if it is missing, damaged, or no classifier of backgrounds.
        """
        try:
            record = BackgroundRecord.model_validate(load_record(folder))
        except ValidationError as error:
            raise ModelError(
                f"{folder} holds no classifier of backgrounds ({error.errors()[0]['msg']}): give a folder that "
                "`partonic train` wrote for a section `sbi` with `backgrounds`"
            ) from error
        objects = None if record.slots is None else ObjectScaler(record.slots)
        method = ratio_networks(record.config, record.inputs, record.slots, len(record.backgrounds))
        model = cls(record, FeatureScaler(record.features), method, objects)
        load_weights(folder, model._module())
        model._module().to(device).eval()
        return model

    def _module(self) -> nn.ModuleDict:
        objects = {} if self.objects is None else {"objects": self.objects}
        return nn.ModuleDict({"scaler": self.scaler, "method": self.method, **objects})


def ratio_networks(config: SbiConfig, inputs: int, slots: ObjectSlots | None, backgrounds: int) -> MorphingRatios:
    """Return networks of log p_b/p_s for each member and background, with first weights from torch's generator.

    Events of signal and backgrounds together are a sample whose coefficients are their weights as either, and each
    ratio has the cross entropy of its background against the signal for a loss: `partonic.sbi.morphing`, as if each
    background were a basis point.
    """
    rows = np.eye(1 + backgrounds)[1:]
    backbone = make_backbone(config.network, inputs, slots, config.network.members * backgrounds)
    return MorphingRatios(backbone, rows, np.ones(1 + backgrounds), config.network.members, "cross_entropy")
