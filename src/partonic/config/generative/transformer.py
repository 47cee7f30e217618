"""An autoregressive transformer over the numbers of an event."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import StrictModel
from partonic.config.networks import check_heads

__all__ = ["AutoregressiveTransformerConfig"]


class AutoregressiveTransformerConfig(StrictModel):
    """One number after another, each with a density given by causal attention over those before (arXiv:1706.03762)."""

    kind: Literal["autoregressive_transformer"] = "autoregressive_transformer"
    """Name of the model."""

    width: int = Field(64, ge=1)
    """Numbers per token."""

    heads: int = Field(4, ge=1)
    """Heads of attention; must divide the width."""

    layers: int = Field(3, ge=1)
    """Layers of attention."""

    feedforward: int = Field(128, ge=1)
    """Hidden units of the network of each layer."""

    density: Literal["mixture", "spline"] = "spline"
    """Of each number: a mixture of Gaussians, or a Gaussian moved by a rational-quadratic spline."""

    components: int = Field(16, ge=1)
    """Gaussians of the mixture."""

    bins: int = Field(16, ge=2)
    """Bins of the spline."""

    bound: float = Field(5.0, gt=0.0)
    """The spline acts in [−bound, bound], in standard deviations of the data; beyond, it is the identity."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "AutoregressiveTransformerConfig":
        check_heads("heads", self.heads, self.width)
        return self
