"""The analysis file: strict sections, each a pydantic model, and their loader. Imports nothing heavy."""

from partonic.config.analysis import AnalysisConfig, load_analysis
from partonic.config.base import SettingError, StrictModel
from partonic.config.loader import load_config

__all__ = ["AnalysisConfig", "SettingError", "StrictModel", "load_analysis", "load_config"]
