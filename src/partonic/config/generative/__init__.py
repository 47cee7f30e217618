"""Settings of generative models: which one, its sizes, and its training."""

from partonic.config.generative.continuous import (
    DiffusionConfig,
    DivergenceConfig,
    FlowMatchingConfig,
    SolverConfig,
    TimeNetworkConfig,
)
from partonic.config.generative.flows import AutoregressiveFlowConfig, CouplingFlowConfig
from partonic.config.generative.latent import GanConfig, VaeConfig
from partonic.config.generative.model import GenerativeConfig, GenerativeKind
from partonic.config.generative.training import GenerativeTrainingConfig
from partonic.config.generative.transformer import AutoregressiveTransformerConfig

__all__ = [
    "AutoregressiveFlowConfig",
    "AutoregressiveTransformerConfig",
    "CouplingFlowConfig",
    "DiffusionConfig",
    "DivergenceConfig",
    "FlowMatchingConfig",
    "GanConfig",
    "GenerativeConfig",
    "GenerativeKind",
    "GenerativeTrainingConfig",
    "SolverConfig",
    "TimeNetworkConfig",
    "VaeConfig",
]
