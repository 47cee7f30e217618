"""The strict base of every section of an analysis file, and the error of a setting that does not fit the others."""

from pydantic import BaseModel, ConfigDict

__all__ = ["SettingError", "StrictModel"]


class StrictModel(BaseModel):
    """A frozen section that refuses unknown keys and NaN, so that a misspelt option never passes silently."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=False, allow_inf_nan=False, use_attribute_docstrings=True
    )


class SettingError(ValueError):
    """A setting that is well-formed but does not fit the others; validators of a section raise it.

    Attributes:
        location: keys from the section that raises it to the setting at fault.
    """

    def __init__(self, location: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.location = location
