"""The events of an inference, read again by its record: simulated samples, and the data that were fitted.

Pseudo-data are drawn again from the recorded seed, so they are the very ones that were fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from partonic.classify.discriminant import log_density_ratio
from partonic.classify.roc import roc_curve
from partonic.classify.roc_file import Discrimination
from partonic.config.inference import InferenceConfig
from partonic.errors import ParameterError
from partonic.inference.data import Data, make_data
from partonic.inference.record import InferenceRecord
from partonic.inference.samples import Files, Loaded, load
from partonic.rng import numpy_generator

__all__ = ["FittedEvents", "fitted_events"]


@dataclass(frozen=True, eq=False)
class FittedEvents:
    """What an inference read.

    Attributes:
        loaded: coefficients, rates and simulated events.
        data: what was fitted.
        stores: event store of each process, 0 for the signal, then further components, then backgrounds, as far as it
            has simulated events.
    """

    loaded: Loaded
    data: Data
    stores: Mapping[int, Path] = field(default_factory=dict)

    def discriminations(self) -> tuple[Discrimination, ...]:
        """Return the ROC curve of the densities for each background that has simulated events.

        Signal events have their weights at θ = 0. Backgrounds whose events have no coefficients, or negative weights,
        are left out.
        """
        found = []
        for number, background in enumerate(self.loaded.setup.mixture.backgrounds):
            try:
                found.append(self._discrimination(number, background.name))
            except ParameterError:  # no usable events, or negative weights: there is no such curve
                continue
        return tuple(found)

    def _discrimination(self, number: int, name: str) -> Discrimination:
        sides = []
        for component in (0, 1 + len(self.loaded.components) + number):
            sample = next((each for each in self.loaded.samples if each.component == component), None)
            if sample is None:
                raise ParameterError(f"there are no simulated events of component {component}")
            sides.append((log_density_ratio(sample.signal, sample.backgrounds[number]), sample.weights[:, 0]))
        generator = numpy_generator(self.loaded.setup.seed, "separation", name)
        curve = roc_curve(self.loaded.signal.source, sides[0], sides[1], generator)
        events = tuple(int(np.isfinite(values).sum()) for values, _ in sides)
        return Discrimination("signal", name, (events[0], events[1]), (curve,))


def fitted_events(record: InferenceRecord) -> FittedEvents:
    """Read the events of an inference again.

    Raises:
        EventFileError: if a file that it read is missing, damaged or has changed.
        InferenceError: if nothing can be drawn from what is there now.
    """
    config = InferenceConfig.model_validate(record.result["settings"])
    files = _files(record.result["files"])
    loaded = load(files, config, int(record.result["data"]["seed"]))
    events = [*(each.events for each in config.components.values()), *(b.events for b in config.backgrounds.values())]
    stores = {number: each.store for number, each in enumerate(events, start=1) if each is not None}
    return FittedEvents(loaded, make_data(loaded, config), stores | ({} if files.store is None else {0: files.store}))


def _files(content: Mapping[str, Any]) -> Files:
    store, signal = content["store"], content["signal"]
    backgrounds, components = (
        {name: Path(path) for name, path in content.get(kind, {}).items()} for kind in ("backgrounds", "components")
    )
    return Files(Path(store) if store else None, Path(signal) if signal else None, backgrounds, components)
