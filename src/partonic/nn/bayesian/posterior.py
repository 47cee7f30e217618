"""What is known of the weights of a trained network: a distribution about them that sets of weights are drawn from.

Draws are numbered: draw k of a posterior is the same set of weights whenever and wherever it is asked for, so that
points, events and rates that are compared see the same networks.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from partonic.errors import ModelError
from partonic.rng import torch_generator

__all__ = ["EnsemblePosterior", "GaussianPosterior", "LaplacePosterior", "WeightPosterior"]

State = Mapping[str, Tensor]
"""State of a network by names of weights and buffers."""


@dataclass(frozen=True)
class WeightPosterior(ABC):
    """A distribution of the weights of a network.

    Attributes:
        seed: root seed of the draws.
        numbered: parts of the state that each draw has for itself (a calibration made for it), `(draws, ...)` each.
    """

    kind: ClassVar[str]
    """Name in `uncertainty.kind`."""

    seed: int
    numbered: Mapping[str, Tensor] = field(default_factory=dict, kw_only=True)

    def draw(self, state: State, number: int) -> dict[str, Tensor]:
        """Return the state of a network with drawn weights.

        Args:
            state: of the network with the weights that were trained.
            number: of the draw, from 0.

        Raises:
            ModelError: if there is no such draw.
        """
        if self.most is not None and not 0 <= number < self.most:
            raise ModelError(
                f"a posterior of the kind '{self.kind}' with {self.most} sets of weights was asked for set {number + 1}"
                f": lower `mem.weight_samples` to {self.most} or less, or train with more"
            )
        drawn = dict(state) | self._drawn(state, torch_generator(self.seed, "weights", number), number)
        return drawn | {name: values[number] for name, values in self.numbered.items()}

    @property
    def most(self) -> int | None:
        """Number of draws that there are; None for no limit."""
        return min((len(values) for values in self.numbered.values()), default=None)

    @abstractmethod
    def _drawn(self, state: State, generator: torch.Generator, number: int) -> dict[str, Tensor]:
        """Return the weights that a draw changes."""

    def scaled(self, factor: float) -> "WeightPosterior":
        """Return the distribution with deviations that are larger by a factor.

        Raises:
            TypeError: if it has none, as an ensemble.
        """
        raise TypeError(type(self).__name__)

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Return the numbers that it is made again from by `of_tensors`."""

    @classmethod
    @abstractmethod
    def of_tensors(cls, seed: int, tensors: State, numbered: State) -> "WeightPosterior":
        """Return the posterior of these numbers."""


@dataclass(frozen=True)
class GaussianPosterior(WeightPosterior):
    """Independent Gaussians about the trained weights.

    Attributes:
        deviations: standard deviations by the names of the weights; those not named are fixed.
    """

    kind = "mean_field"
    deviations: State

    def _drawn(self, state: State, generator: torch.Generator, number: int) -> dict[str, Tensor]:
        return {
            name: state[name] + deviation.to(state[name]) * _noise(state[name], generator)
            for name, deviation in self.deviations.items()
        }

    def scaled(self, factor: float) -> "GaussianPosterior":
        """Return the distribution with deviations that are larger by a factor."""
        return replace(self, deviations={name: factor * values for name, values in self.deviations.items()})

    def tensors(self) -> dict[str, Tensor]:
        """Return the standard deviations."""
        return dict(self.deviations)

    @classmethod
    def of_tensors(cls, seed: int, tensors: State, numbered: State) -> "GaussianPosterior":
        """Return the posterior of these standard deviations."""
        return cls(seed, dict(tensors), numbered=dict(numbered))


@dataclass(frozen=True)
class LaplacePosterior(WeightPosterior):
    """Gaussians of last layers, W = μ + U_G (D ∘ ε) U_Aᵀ, the bias being the last column of W.

    Attributes:
        outputs: U_G of each layer by its name, `(outputs, outputs)`.
        inputs: U_A, `(inputs + 1, inputs + 1)`.
        deviations: D, `(outputs, inputs + 1)`.
    """

    kind = "laplace"
    outputs: State
    inputs: State
    deviations: State

    def _drawn(self, state: State, generator: torch.Generator, number: int) -> dict[str, Tensor]:
        drawn = {}
        for name, deviation in self.deviations.items():
            change = self.outputs[name] @ (deviation * _noise(deviation, generator)) @ self.inputs[name].T
            weight, bias = f"{name}.weight", f"{name}.bias"
            drawn[weight] = state[weight] + change[:, :-1].to(state[weight])
            drawn[bias] = state[bias] + change[:, -1].to(state[bias])
        return drawn

    def scaled(self, factor: float) -> "LaplacePosterior":
        """Return the distribution with deviations that are larger by a factor."""
        return replace(self, deviations={name: factor * values for name, values in self.deviations.items()})

    def tensors(self) -> dict[str, Tensor]:
        """Return U_G, U_A and D of all layers."""
        parts = {"outputs": self.outputs, "inputs": self.inputs, "deviations": self.deviations}
        return {f"{part}/{name}": values for part, each in parts.items() for name, values in each.items()}

    @classmethod
    def of_tensors(cls, seed: int, tensors: State, numbered: State) -> "LaplacePosterior":
        """Return the posterior of these factors."""
        parts: dict[str, dict[str, Tensor]] = {"outputs": {}, "inputs": {}, "deviations": {}}
        for key, values in tensors.items():
            part, _, name = key.partition("/")
            parts[part][name] = values
        return cls(seed, **parts, numbered=dict(numbered))


@dataclass(frozen=True)
class EnsemblePosterior(WeightPosterior):
    """Networks that were trained apart: draw k is network k.

    Attributes:
        members: states of all networks, stacked, `(members, ...)` each.
    """

    kind = "repulsive"
    members: State

    @property
    def most(self) -> int:
        """Number of networks."""
        return len(next(iter(self.members.values())))

    def _drawn(self, state: State, generator: torch.Generator, number: int) -> dict[str, Tensor]:
        return {name: values[number].to(state[name]) for name, values in self.members.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return the states."""
        return dict(self.members)

    @classmethod
    def of_tensors(cls, seed: int, tensors: State, numbered: State) -> "EnsemblePosterior":
        """Return the ensemble of these states."""
        return cls(seed, dict(tensors), numbered=dict(numbered))


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like)
