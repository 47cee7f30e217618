"""The section `sbi` of an analysis file: networks and trees that learn likelihood ratios from simulated events."""

from partonic.config.sbi.backbones import SbiNetworkConfig
from partonic.config.sbi.section import (
    CONDITIONAL_METHODS,
    LOCAL_METHODS,
    MACHINE_SETTINGS,
    ConditionalConfig,
    DerivativesConfig,
    MorphingConfig,
    SbiBackgroundConfig,
    SbiConfig,
    SbiTrainingConfig,
    ScoreConfig,
    SharesConfig,
)

__all__ = [
    "CONDITIONAL_METHODS",
    "LOCAL_METHODS",
    "MACHINE_SETTINGS",
    "ConditionalConfig",
    "DerivativesConfig",
    "MorphingConfig",
    "SbiBackgroundConfig",
    "SbiConfig",
    "SbiNetworkConfig",
    "SbiTrainingConfig",
    "ScoreConfig",
    "SharesConfig",
]
