"""One setting for all generative models, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from partonic.config.generative.continuous import DiffusionConfig, FlowMatchingConfig
from partonic.config.generative.flows import AutoregressiveFlowConfig, CouplingFlowConfig
from partonic.config.generative.latent import GanConfig, VaeConfig
from partonic.config.generative.transformer import AutoregressiveTransformerConfig

__all__ = ["GenerativeConfig", "GenerativeKind"]

GenerativeKind = Literal[
    "flow_matching", "diffusion", "coupling", "autoregressive", "gan", "vae", "autoregressive_transformer"
]
"""Names of the models."""

GenerativeConfig = Annotated[
    FlowMatchingConfig
    | DiffusionConfig
    | CouplingFlowConfig
    | AutoregressiveFlowConfig
    | GanConfig
    | VaeConfig
    | AutoregressiveTransformerConfig,
    Field(discriminator="kind"),
]
"""Settings of a generative model of any kind."""
