"""What events a learned estimator is good for: those of its detector, decays, jets and selection.

Ratios are learned of the density of events that pass a selection, relative to their cross section. Events of another
selection, or of other decays, have other densities, and nothing in their features would tell.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from partonic.config.base import StrictModel
from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.trained.schema_record import SchemaRecord

__all__ = ["LearnedEvents"]

_SETTINGS = ("decays", "jets", "selection")
"""Keys of the section `simulation` that change which events there are."""


class LearnedEvents(StrictModel):
    """The events that an estimator was trained on."""

    schema_of: SchemaRecord
    """Process, collider and columns of reconstructed objects."""

    simulation: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of decays, jets and selection of simulated events; empty where the events came without."""

    level: str | None = None
    """What the events are, ``detector`` or ``partons``; None where it is not known."""

    @classmethod
    def of(cls, metadata: StoreMetadata) -> "LearnedEvents":
        """Return the record of the events of a store."""
        return cls(
            schema_of=SchemaRecord.of(metadata.process_info), simulation=_simulation(metadata), level=_level(metadata)
        )

    def check(self, metadata: StoreMetadata, where: str, *, any_process: bool = False) -> None:
        """Check that the events of a store are such as were learned.

        Args:
            metadata: of the store. What it does not know, as for events of a detector, is taken to be the same.
            where: name of the store, for the message.
            any_process: the events may be of another process with other decays, as those of a background are.

        Raises:
            SchemaError: naming everything that differs.
        """
        if any_process:
            self.schema_of.check_detector(metadata, where)
        else:
            self.schema_of.check(metadata, where)
        found, level = _simulation(metadata), _level(metadata)
        differences = [f"simulation.level: {level!r}, the model knows {self.level!r}"] * (
            None not in (level, self.level) and level != self.level
        )
        differences += [
            f"simulation.{section}.{key}: {found[section].get(key)!r}, the model knows {known.get(key)!r}"
            for section, known in self.simulation.items()
            if section in found and not (any_process and section == "decays")
            for key in sorted({*known, *found[section]})
            if known.get(key) != found[section].get(key)
        ]
        if differences:
            raise SchemaError(
                f"{where} does not hold events such as the estimator was trained on: {'; '.join(differences)}. Train "
                "one on such events (a section `sbi` without `model`), or simulate events with these settings"
            )


def _simulation(metadata: StoreMetadata) -> dict[str, dict[str, Any]]:
    """Return decays, jets and selection as they stand in the analysis that made the events, as JSON-like values."""
    settings = metadata.config.get("simulation")
    if not isinstance(settings, Mapping):
        return {}
    return {name: dict(settings[name]) for name in _SETTINGS if isinstance(settings.get(name), Mapping)}


def _level(metadata: StoreMetadata) -> str | None:
    """Return whether simulated events are of a detector or partons; None for events from elsewhere."""
    settings = metadata.config.get("simulation")
    return str(settings["level"]) if isinstance(settings, Mapping) and "level" in settings else None
