"""The section `inference` of an analysis file: from coefficients of events to limits on the theory parameters."""

from partonic.config.inference.components import (
    BackgroundConfig,
    BackgroundEventsConfig,
    ComponentConfig,
    ConstraintConfig,
)
from partonic.config.inference.experiments import CoverageConfig, ToyCoverageConfig, ToysConfig
from partonic.config.inference.outputs import HistogramConfig, PyhfConfig, ScanConfig
from partonic.config.inference.section import InferenceConfig
from partonic.config.inference.template import (
    TemplateBackgroundConfig,
    TemplateConfig,
    TemplateRegionConfig,
    TemplateSearchConfig,
)

__all__ = [
    "BackgroundConfig",
    "BackgroundEventsConfig",
    "ComponentConfig",
    "ConstraintConfig",
    "CoverageConfig",
    "HistogramConfig",
    "InferenceConfig",
    "PyhfConfig",
    "ScanConfig",
    "TemplateBackgroundConfig",
    "TemplateConfig",
    "TemplateRegionConfig",
    "TemplateSearchConfig",
    "ToyCoverageConfig",
    "ToysConfig",
]
