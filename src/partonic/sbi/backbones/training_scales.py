"""The scales of the objects of the training events, where the networks look at them."""

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.config.sbi import SbiConfig
from partonic.errors import TrainingError
from partonic.sbi.backbones.object_scaler import ObjectScaler
from partonic.sbi.data import SimulatedEvents

__all__ = ["object_scaler", "sees_objects"]


def sees_objects(config: SbiConfig) -> bool:
    """Return whether the method has networks, and they look at the objects of events."""
    return config.method != "trees" and config.network.sees_objects


def object_scaler(events: SimulatedEvents, train: NDArray[np.bool_], config: SbiConfig) -> ObjectScaler | None:
    """Return the scaler of objects with the scales of the training events; None for named features alone.

    Args:
        events: all of them.
        train: those that are trained on, `(N,)`.
        config: the settings.

    Raises:
        TrainingError: if the networks look at objects, and the events have none.
        NonFiniteError: if a number of an object is not finite.
    """
    if not sees_objects(config):
        return None
    if events.slots is None or events.objects is None:
        raise TrainingError(
            f"the backbone {config.network.backbone} looks at reconstructed objects, and these events have none: use "
            "`sbi.network.backbone: mlp`"
        )
    scaler = ObjectScaler(events.slots)
    scaler.fit(torch.from_numpy(events.objects[train]), config.network.momentum_unit)
    return scaler
