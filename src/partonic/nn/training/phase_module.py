"""A phase of training as a Lightning module: what is minimised comes from a subclass, the step is done here.

One step: losses, constraints by multipliers, gradient, guard against numbers that are not finite, clipping, AdamW,
moving average, ascent of the multipliers. With several processes the figures of the step are averaged over them first,
so that all take the same decision.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from partonic.nn.losses.mdmm import Multipliers
from partonic.nn.training.average import WeightAverage
from partonic.nn.training.settings import PhaseSettings
from partonic.rng import torch_generator

__all__ = ["PhaseModule", "StepFigures"]

Batch = Mapping[str, Tensor]

_RESERVED = frozenset({"loss", "lagrangian", "gradient", "epoch", "step", "learning_rate", "skipped", "validation"})


@dataclass(frozen=True)
class StepFigures:
    """What one step came to, averaged over processes."""

    figures: dict[str, float]
    """``loss`` (the main one), ``lagrangian`` (with constraints), ``gradient`` (its norm), and the values by name."""

    skipped: bool
    """Whether a figure was not finite, so that the weights were left as they were."""


class PhaseModule(LightningModule):
    """Base class of the phases. A subclass owns the networks and says what is minimised."""

    def __init__(self, targets: Mapping[str, float | None] | None = None, damping: float = 10.0) -> None:
        """Prepare the constraints.

        Args:
            targets: upper targets of the values that `training_losses` returns, by name; None for no target.
            damping: of all constraints (`partonic.nn.losses.mdmm`).

        Raises:
            ValueError: if a value has a name that the history uses itself.
        """
        super().__init__()
        taken = sorted(_RESERVED & set(targets or {}))
        if taken:
            raise ValueError(f"values must not be called {taken}: the history has figures of its own of these names")
        self.automatic_optimization = False
        self.allow_zero_length_dataloader_with_multiple_devices = True  # few held-out events need not reach all
        self.multipliers = Multipliers.with_targets(targets or {}, damping)
        self.settings = PhaseSettings("unprepared", 0)
        self.seed = 0
        self.average: WeightAverage | None = None
        self.rate = 0.0
        self.last_step = StepFigures({}, False)
        self.validation_sums = [0.0, 0.0]

    @property
    def constraints(self) -> list[str]:
        """Names of the values that are held below a target."""
        return list(self.multipliers.constraints)

    @abstractmethod
    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the main loss, and the losses to be constrained or watched, each averaged over the batch.

        Args:
            batch: columns of the table, on the device of the module.
            generator: for all random draws of this step.
        """

    @abstractmethod
    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the loss of held-out events that decides which weights are best, averaged over the batch."""

    def prepare(self, settings: PhaseSettings, seed: int) -> None:
        """Take the settings of the phase and the root seed of its random draws."""
        self.settings, self.seed = settings, seed
        self.average = None if settings.average is None else WeightAverage(self, settings.average)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW (I. Loshchilov, F. Hutter, arXiv:1711.05101) on the parameters that are not frozen."""
        return torch.optim.AdamW(
            [parameter for parameter in self.parameters() if parameter.requires_grad],
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=self.device.type in {"cpu", "cuda"},
        )

    def on_train_epoch_start(self) -> None:
        """Give dropout its random numbers of this epoch, and begin the sums of the validation."""
        self.validation_sums = [0.0, 0.0]
        generator = torch_generator(self.seed, self.settings.name, "network", self.current_epoch, self.global_rank)
        torch.manual_seed(generator.initial_seed())

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Do one step of the weights and the multipliers, or skip it."""
        key = (self.settings.name, "step", self.current_epoch, batch_idx, self.global_rank)
        main, values = self.training_losses(batch, torch_generator(self.seed, *key, device=self.device))
        lagrangian = self.multipliers(main, values)
        optimizer = self.optimizers(use_pl_optimizer=False)
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"a phase has one optimizer, not {optimizer!r}")
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(lagrangian)
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)  # only with 16-bit floats
        if scaler is not None:
            scaler.unscale_(optimizer)
        norm = self._clip(optimizer)
        figures = self._averaged({"loss": main, "lagrangian": lagrangian, "gradient": norm, **values})
        skipped = not all(math.isfinite(figure) for figure in figures.values())
        if not skipped:
            self._set_rate(optimizer)
            optimizer.step() if scaler is None else scaler.step(optimizer)
            self.multipliers.ascend(figures, self.settings.multiplier_rate)
            if self.average is not None:
                self.average.update()
        if scaler is not None:
            scaler.update()
        self.last_step = StepFigures(figures, skipped)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the loss of a batch of held-out events."""
        events = len(next(iter(batch.values())))
        self.validation_sums[0] += events * float(self.validation_loss(batch))
        self.validation_sums[1] += events

    def on_validation_start(self) -> None:
        """Validate the averaged weights, if there are any."""
        if self.average is not None:
            self.average.swap()

    def on_validation_end(self) -> None:
        """Go on with the present weights."""
        if self.average is not None:
            self.average.swap()

    def validation_mean(self) -> float:
        """Return the mean loss of all held-out events of the last validation, of all processes."""
        sums = torch.tensor(self.validation_sums, dtype=torch.float64, device=self.device)
        total, events = _summed(sums).tolist()
        return float(total / events)

    def _clip(self, optimizer: torch.optim.Optimizer) -> Tensor:
        """Clip the gradient and return the norm that it had."""
        weights = optimizer.param_groups[0]["params"]
        limit = self.settings.gradient_clip
        return torch.nn.utils.clip_grad_norm_(weights, math.inf if limit is None else limit)

    def _set_rate(self, optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self.rate

    def _averaged(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the mean over processes of scalars, with one synchronisation for all."""
        stacked = torch.stack([tensor.detach().double().reshape(()) for tensor in tensors.values()])
        mean = _summed(stacked) / self.trainer.world_size
        return dict(zip(tensors, mean.tolist(), strict=True))


def _summed(figures: Tensor) -> Tensor:
    """Return the sum over processes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(figures)
    return figures
