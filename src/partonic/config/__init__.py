"""The analysis file: strict sections, each a pydantic model, and their loader. Imports nothing heavy."""

from partonic.config.base import SettingError, StrictModel
from partonic.config.loader import load_config

__all__ = ["SettingError", "StrictModel", "load_config"]
