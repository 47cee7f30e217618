"""How generative models are trained."""

from pydantic import Field

from partonic.config.networks import NetworkTrainingConfig

__all__ = ["GenerativeTrainingConfig"]


class GenerativeTrainingConfig(NetworkTrainingConfig):
    """Training of a generative model: the settings of all networks, and how long."""

    epochs: int = Field(50, ge=1)
    """Passes over the training events."""
