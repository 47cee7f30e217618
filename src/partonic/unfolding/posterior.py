"""Networks of q(z|x): what all of them have, whatever they look at and whatever they regress.

An event becomes tokens in a frame of its own; a conditioner makes conditions of these, which hold a centre of the
periodic numbers and what the flow is told; a flow on the unit cube of the partons (`CubeFlow`) gives the density. How
events are looked at and what is regressed differs between configurations: jets with their provenance and partons on
their mass shells (CMS-DP-2023-85, `partonic.unfolding.model`), or any decay channel
(`partonic.unfolding.decay_channel.network`). Everything else is here and in `Unfolder`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.events.batch import RecoEvents
from partonic.features.frame import EventFrame
from partonic.nn.flows.cube_flow import CubeFlow
from partonic.nn.flows.flow import Precision
from partonic.unfolding.view import CubeView

__all__ = ["Conditions", "PosteriorNetwork", "Tokens"]

Numbers = Float[Tensor, "events samples dimensions"]


@runtime_checkable
class Tokens(Protocol):
    """Features of the objects of events, in the frame of each event."""

    @property
    def frame(self) -> EventFrame: ...  # noqa: D102

    def __len__(self) -> int: ...

    def to(self, device: torch.device | str) -> Any:
        """Return the events on another device."""


@runtime_checkable
class Conditions(Protocol):
    """What a conditioner says of events."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Any:
        """Return the conditions of other events: `change` chooses or repeats rows."""


T = TypeVar("T", bound=Tokens)
C = TypeVar("C", bound=Conditions)
Network = TypeVar("Network", bound="PosteriorNetwork[Any, Any]")


class PosteriorNetwork(nn.Module, ABC, Generic[T, C]):
    """Networks from the features of an event to the density of its partons.

    Attributes:
        view: the partons and their unit cube.
        flow: of the numbers of the unit cube, in the frame of the event.
    """

    view: CubeView
    flow: CubeFlow

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """Return what the networks are built again from, as JSON can hold it."""

    @classmethod
    @abstractmethod
    def of_description(cls: type[Network], record: Mapping[str, Any]) -> Network:
        """Return the networks of a description, their weights from torch's global generator.

        Raises:
            KeyError, TypeError, ValueError, ProcessError: if the description lacks something or is wrong.
        """

    @abstractmethod
    def status(self, reco: RecoEvents) -> tuple[str, ...]:
        """Return for each event ``"ok"`` or why the networks cannot be asked about it, `(N,)`."""

    @abstractmethod
    def tokens(self, reco: RecoEvents) -> T:
        """Return the features of events whose status is ``"ok"``."""

    @abstractmethod
    def conditions(self, tokens: T) -> C:
        """Return the conditions of events."""

    @abstractmethod
    def flow_inputs(self, conditions: C) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, "events known"]]:
        """Return the centres of the periodic numbers and what the flow is told; the flow trains no centre."""

    def described_flow(self, sizes: Mapping[str, Any]) -> dict[str, Any]:
        """Return sizes of the flow with the width of its base, which is fitted last."""
        return {**sizes, "base_scale": self.flow.base_scale}

    def fit_base_scale(self, numbers: Float[Tensor, "events dimensions"], conditions: C) -> float:
        """Fit the width of the flow's base to events that it was not trained on, and return it."""
        return self.flow.fit_base_scale(numbers, *self.flow_inputs(conditions))

    def log_density(self, numbers: Float[Tensor, "events dimensions"], conditions: C) -> Float[Tensor, " events"]:
        """Return log q(u|x) of numbers in the frame of the tokens, one point for each event; differentiable."""
        log_density: Tensor = self.flow.log_density(numbers, *self.flow_inputs(conditions))
        return log_density

    def transport(
        self, conditions: C, noise: Numbers, precision: Precision = "float32"
    ) -> tuple[Numbers, Float[Tensor, "events samples"]]:
        """Map base numbers to numbers in the frame of the tokens, with log |d(noise)/du|; without gradients."""
        return self.flow.transport(*self.flow_inputs(conditions), noise.float(), precision)

    def sample(
        self, conditions: C, samples: int, generator: torch.Generator, precision: Precision = "float32"
    ) -> tuple[Numbers, Float[Tensor, "events samples"]]:
        """Draw numbers in the frame of the tokens for each event, with log q(u|x); without gradients."""
        return self.flow.sample(*self.flow_inputs(conditions), samples, generator, precision)
