"""The section `sbi` with variants of itself: several learned estimators in one analysis, on the same events."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import Field, field_validator, model_validator

from partonic.config.base import SettingError
from partonic.config.sbi.section import MACHINE_SETTINGS, SbiConfig

__all__ = ["SOURCE", "SbiSection", "variant_source"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

SOURCE: Final = "sbi"
"""Name of the estimator of the section itself, and what the names of its variants begin with."""


def variant_source(name: str) -> str:
    """Return the name that a variant has in `inference.source`, as step and as folder: ``sbi.<name>``; "" is ``sbi``.

    Args:
        name: of the variant, empty for the section itself.
    """
    return f"{SOURCE}.{name}" if name else SOURCE


class SbiSection(SbiConfig):
    """Simulation-based inference: one learned estimator, and any number of others beside it on the same events."""

    also: dict[str, SbiConfig] = Field(default_factory=dict)
    """Further estimators by name (small letters, digits, ``_``), each with the settings that differ from those of this
    section, e.g. ``{trees: {method: trees}}``. Each is trained by itself and has files, calibration and a part of the
    report of its own; ``inference.source: sbi.trees`` fits it. `model` is not passed on to them."""

    @model_validator(mode="before")
    @classmethod
    def _variants_over_the_section(cls, data: Any) -> Any:
        """Put what each variant says over what the section says, before presets and defaults fill in the rest."""
        if not isinstance(data, Mapping) or not isinstance(data.get("also"), Mapping):
            return data
        own = {key: value for key, value in data.items() if key not in ("also", "model")}
        return {**data, "also": {name: _over(own, given) for name, given in data["also"].items()}}

    @field_validator("also")
    @classmethod
    def _names_are_names_of_folders(cls, also: dict[str, SbiConfig]) -> dict[str, SbiConfig]:
        for name in also:
            if not _NAME.fullmatch(name):
                message = f"the name of a variant has small letters, digits and '_', and begins with a letter: '{name}'"
                raise SettingError((name,), message)
        return also

    @property
    def estimators(self) -> dict[str, SbiConfig]:
        """All learned estimators by the name of their variant, that of the section itself first, under ``""``."""
        own = SbiConfig.model_construct(**{name: getattr(self, name) for name in SbiConfig.model_fields})
        return {"": own, **self.also}

    def theta_points(self) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, float]]]:
        """Yield every mapping from theory parameters to values, with where it is in the section."""
        yield from super().theta_points()
        for name, variant in self.also.items():
            for place, point in variant.theta_points():
                yield ("also", name, *place), point


def _over(section: Mapping[str, Any], given: Any) -> Any:
    """Return what a variant says over what the section says, key by key; a ready model takes over no training."""
    if not isinstance(given, Mapping):
        return given
    if given.get("model") is not None:
        return {**{key: value for key, value in section.items() if key in MACHINE_SETTINGS}, **given}
    return _merged(section, given)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(below[key], value) if isinstance(value, Mapping) and isinstance(below.get(key), Mapping) else value
        for key, value in above.items()
    }
    return {**below, **both}
