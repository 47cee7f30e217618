"""The interface of generative models: fit to events, draw events, and, where there is one, a density.

A model knows numbers x of an event given conditions c of it. Numbers come and go in float64 and in the units of the
data; inside, they are standardised and the networks work in their own precision. A model without a density has no
`log_prob`: `partonic.nn.generative.density_model.DensityModel` is the type of those that have.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.generative import GenerativeConfig, GenerativeTrainingConfig
from partonic.errors import NonFiniteError, ParameterError
from partonic.nn.generative.standardise import AffineScale
from partonic.progress import SILENT, Progress

__all__ = ["CHUNK", "FitResult", "GenerativeModel", "chunks"]

CHUNK = 4_096
"""Events that are drawn or looked at together; bounds the memory."""


@dataclass(frozen=True)
class FitResult:
    """How a fit went. The model holds the best weights.

    Attributes:
        epochs: that were done.
        best_epoch: of the best weights, from 1.
        best_validation: their loss on held-out events.
        skipped: steps that were skipped because something was not finite.
        history: a row for each epoch (`partonic.nn.training.History.epochs`).
    """

    epochs: int
    best_epoch: int
    best_validation: float
    skipped: int
    history: list[dict[str, float]]


class GenerativeModel(nn.Module, ABC):
    """Draws the D numbers of events given C conditions each, after a fit to such events.

    Attributes:
        config: settings; `config.kind` names the model.
        features: D.
        context: C; 0 for none.
        scale: standardisation of the numbers.
        context_scale: standardisation of the conditions.
        record: what is known of the training, kept with the model.
        progress: part of the training that is done, for losses that change on the way; 1 afterwards.
    """

    takes_signed_weights: ClassVar[bool] = False
    """Whether the loss has a minimum when some weights are negative: squared errors have, likelihoods have none."""

    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)
    """Decays of the first and second moments of the gradient in the optimiser of its training."""

    def __init__(self, config: GenerativeConfig, features: int, context: int) -> None:
        """Prepare the standardisation; subclasses add the networks.

        Args:
            config: settings.
            features: numbers of an event, D.
            context: conditions of an event, C; may be 0.

        Raises:
            ParameterError: if there are no numbers, or C is negative.
        """
        super().__init__()
        if features < 1 or context < 0:
            message = f"a generative model needs features ≥ 1 and context ≥ 0, got {features} and {context}"
            raise ParameterError(message)
        self.config, self.features, self.context = config, features, context
        self.scale, self.context_scale = AffineScale(features), AffineScale(context)
        self.record: dict[str, Any] = {}
        self.progress = 1.0

    @property
    def kind(self) -> str:
        """Name of the model."""
        return self.config.kind

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the networks."""
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device

    @abstractmethod
    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch of standardised events, and figures worth watching by name.

        Args:
            x: standardised numbers, `(N, D)`.
            c: standardised conditions, `(N, C)`.
            weights: of the events, of mean 1 over all of them.
            generator: of all random draws.
        """

    def validation_loss(self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of held-out events that decides which weights are best: that of training, if none is told."""
        return self.training_loss(x, c, weights, generator)[0]

    @abstractmethod
    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        """Return standardised numbers for each of the standardised conditions; without gradients."""

    def fit(
        self,
        data: Float[Tensor, "events features"],
        conditions: Float[Tensor, "_ context"],
        weights: Float[Tensor, " _"] | None,
        generator: torch.Generator,
        progress: Progress = SILENT,
        *,
        training: GenerativeTrainingConfig | None = None,
        folder: Path | None = None,
    ) -> FitResult:
        """Fit the model to events; the best weights on held-out events stay in it.

        Called again after an interruption with the same arguments, a generator in the same state and a model with the
        same first weights, it goes on in `folder` and gives the weights of an uninterrupted fit.

        Args:
            data: numbers of the events.
            conditions: of the events; `(N, 0)` where there are none.
            weights: of the events; None: all alike. Negative ones need `takes_signed_weights`.
            generator: the root of all random draws: split, orders, noise.
            progress: told about each step.
            training: settings of the training.
            folder: where the state is kept; None: nowhere, so that an interrupted fit is lost.

        Raises:
            TrainingError: if the events cannot be used, or the training diverges; then the best weights before that
                are in the model, if an epoch was finished.
            NonFiniteError: if a number is not finite.
            OutputError: if `folder` cannot be written.
        """
        from partonic.nn.generative.fitting import fit_model

        settings = training or GenerativeTrainingConfig()
        return fit_model(self, (data, conditions, weights), generator, progress, settings, folder)

    @torch.no_grad()
    def sample(
        self, conditions: Float[Tensor, "events context"], generator: torch.Generator
    ) -> Float[Tensor, "events features"]:
        """Draw the numbers of one event for each row of conditions, float64.

        Args:
            conditions: in the units of the data; `torch.empty(N, 0)` where there are none.
            generator: of the random draws; on the device of the networks, or on the CPU.

        Raises:
            ParameterError: if the conditions have another length than those of the fit.
            NonFiniteError: if a condition is not finite.
        """
        scaled = self._scaled(conditions, self.context_scale, "conditions")
        if not len(scaled):
            return scaled.new_zeros((0, self.features), dtype=torch.float64)
        return torch.cat([self.scale.inverse(self._draw(part, generator)) for part in chunks(scaled)])

    def save(self, folder: Path) -> None:
        """Write the model folder: ``model.json`` and ``weights.safetensors``; `load_generative_model` reads it.

        Raises:
            OutputError: if it cannot be written.
        """
        from partonic.nn.generative.saving import save_generative_model

        save_generative_model(self, folder)

    def _scaled(self, values: Tensor, scale: AffineScale, what: str) -> Tensor:
        """Return checked, standardised values in the precision of the networks."""
        if values.ndim != 2 or values.shape[1] != len(scale.mean):
            raise ParameterError(
                f"the model '{self.kind}' knows {what} of shape (events, {len(scale.mean)}), got {tuple(values.shape)}"
            )
        if not bool(torch.isfinite(values).all()):
            row = int((~torch.isfinite(values)).any(dim=1).nonzero()[0])
            raise NonFiniteError(f"{what} of event {row} are not finite: leave such events out")
        scaled: Tensor = scale(values.to(self.device)).to(self.dtype)
        return scaled

    def _normal(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return Gaussian numbers in the precision and on the device of the networks."""
        return torch.randn(shape, generator=generator, device=generator.device, dtype=self.dtype).to(self.device)

    def _uniform(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return numbers that are even in [0, 1), likewise."""
        return torch.rand(shape, generator=generator, device=generator.device, dtype=self.dtype).to(self.device)


def chunks(values: Tensor) -> tuple[Tensor, ...]:
    """Return rows in parts that fit into the memory."""
    parts: tuple[Tensor, ...] = torch.split(values, CHUNK)
    return parts
