"""The section `sbi` of an analysis file: networks and trees that learn likelihood ratios from simulated events."""

from partonic.config.sbi.backbones import SbiNetworkConfig
from partonic.config.sbi.section import (
    CONDITIONAL_METHODS,
    MACHINE_SETTINGS,
    ConditionalConfig,
    MorphingConfig,
    SbiConfig,
    SbiTrainingConfig,
    SharesConfig,
)

__all__ = [
    "CONDITIONAL_METHODS",
    "MACHINE_SETTINGS",
    "ConditionalConfig",
    "MorphingConfig",
    "SbiConfig",
    "SbiNetworkConfig",
    "SbiTrainingConfig",
    "SharesConfig",
]
