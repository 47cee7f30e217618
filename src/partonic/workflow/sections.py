"""Sections of an analysis that a step cannot do without."""

from typing import TypeVar

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError

__all__ = ["needed"]

Section = TypeVar("Section")


def needed(section: Section | None, name: str, config: AnalysisConfig) -> Section:
    """Return a section of an analysis.

    Args:
        section: the section, or None if the analysis does not have it.
        name: its key.
        config: the analysis, for the message.

    Raises:
        ConfigError: if the analysis does not have it.
    """
    if section is None:
        raise ConfigError(f"the analysis '{config.name}' has no section `{name}`")
    return section
