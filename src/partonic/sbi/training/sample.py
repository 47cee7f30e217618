"""Events as methods are trained on them: parted, standardised, as tables of networks or for trees."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.nn.training import TensorTable
from partonic.sbi.backbones.object_scaler import ObjectScaler
from partonic.sbi.data import SimulatedEvents
from partonic.sbi.information_trees import TreeSample
from partonic.sbi.model import network_inputs
from partonic.sbi.standardise import FeatureScaler

__all__ = ["TrainingSample"]


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """N events to train on.

    Attributes:
        events: all of them.
        targets: y in units of the mean weight at the reference, `(N, A)`.
        train, validation: which are for what, `(N,)`.
        scaler: of the named features.
        objects: scaler of the objects; None for networks of named features alone.
    """

    events: SimulatedEvents
    targets: NDArray[np.float64]
    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    scaler: FeatureScaler
    objects: ObjectScaler | None = None

    def table(self, part: NDArray[np.bool_]) -> TensorTable:
        """Return the events of a mask `(N,)` as networks take them: columns ``inputs`` and ``targets``."""
        inputs = network_inputs(self.scaler, self.objects, self.events.inputs[part])
        return TensorTable({"inputs": inputs, "targets": torch.from_numpy(self.targets[part])})

    def for_trees(self) -> TreeSample:
        """Return the events of training and validation as trees are grown on them."""
        used = self.train | self.validation
        return TreeSample(
            inputs=self.scaler(torch.from_numpy(self.events.features[used])).numpy(),
            missing=np.flatnonzero(self.scaler.flagged.numpy()).astype(np.int64),
            targets=self.targets[used],
            group=self.events.group[used],
            validation=self.validation[used],
        )
