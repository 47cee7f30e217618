"""What the sections of all networks share: presets of sizes, heads of attention, and the settings of a training."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from partonic.config.base import SettingError, StrictModel

__all__ = ["NetworkTrainingConfig", "Presets", "check_heads", "filled_from_preset", "filled_with"]

Presets = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Preset → section → setting → value; what is not named keeps its default."""


class NetworkTrainingConfig(StrictModel):
    """Training of a network on Lightning."""

    batch_size: int = Field(512, ge=2)
    """Events per step, on each device."""

    learning_rate: float = Field(2e-3, gt=0.0)
    """Largest learning rate; it warms up and falls along a cosine."""

    weight_decay: float = Field(1e-4, ge=0.0)
    """Weight decay of AdamW."""

    gradient_clip: float | None = Field(1.0, gt=0.0)
    """Largest norm of the gradient; null for none."""

    average: float | None = Field(0.999, gt=0.0, lt=1.0)
    """Decay of a moving average of the weights, which validation and the final model use; null for none."""

    patience: int | None = Field(None, ge=1)
    """Stop a phase after this many epochs without improvement in validation; null to run all epochs."""

    validation_fraction: float = Field(0.05, gt=0.0, lt=0.5)
    """Part of the training events kept apart for validation."""

    max_events: int | None = Field(None, ge=10)
    """Use at most this many events; null for all."""

    accelerator: str = "auto"
    """Lightning's accelerator: ``auto``, ``cpu``, ``gpu``."""

    devices: int | Literal["auto"] = "auto"
    """Devices per node."""

    nodes: int = Field(1, ge=1)
    """Nodes."""

    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Arithmetic of the networks."""


def check_heads(key: str, heads: int, width: int) -> None:
    """Check that attention heads share the width evenly.

    Args:
        key: of the number of heads in the section.
        heads: number of heads.
        width: numbers per object inside the network.

    Raises:
        SettingError: if `heads` does not divide `width`.
    """
    if width % heads:
        raise SettingError((key,), f"the number of heads must divide the width, got {heads} heads of width {width}")


def filled_from_preset(data: Any, presets: Presets, default: str = "small") -> Any:
    """Return a section as written in a file with the values of its preset below: what the file says wins.

    Args:
        data: the section; anything but a mapping is left to validation.
        presets: values by preset.
        default: preset of a section that names none.
    """
    if not isinstance(data, Mapping):
        return data
    return filled_with(data, presets.get(str(data.get("preset", default)), {}))


def filled_with(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section as written in a file with other values below, sub-section by sub-section.

    Args:
        data: the section.
        values: setting → value, or sub-section → its values.
    """
    filled = dict(data)
    for key, value in values.items():
        given = filled.get(key, {})
        if not isinstance(value, Mapping):
            filled.setdefault(key, value)
        elif isinstance(given, Mapping):
            filled[key] = filled_with(given, value)
    return filled
