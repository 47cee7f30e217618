"""The learned part of the matrix element method that tells gluons from quarks in the initial state."""

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import StrictModel
from partonic.config.networks import check_heads

__all__ = ["InitialStateConfig"]


class InitialStateConfig(StrictModel):
    """How much likelier the objects of an event are if gluons, or quarks, made its partons."""

    width: int = Field(32, ge=4)
    """Numbers per object inside the transformer."""

    layers: int = Field(2, ge=1)
    """Attention layers over all objects."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide `width`."""

    feedforward: int = Field(64, ge=4)
    """Hidden units of the network after each attention."""

    hidden: int = Field(96, ge=4)
    """Hidden units of the network that sees objects and partons together."""

    share_hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1)
    """Hidden units of the network of the shares of initial states among events with the same partons."""

    share_epochs: int = Field(3, ge=1)
    """Passes over all events, rejected ones too, to learn these shares."""

    share_batch_size: int = Field(4096, ge=2)
    """Events per step of that training."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "InitialStateConfig":
        check_heads("heads", self.heads, self.width)
        return self
