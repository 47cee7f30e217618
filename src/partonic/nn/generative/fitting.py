"""The fit of a generative model: events checked and standardised, then one phase of training.

The phase is that of all networks of the package (`partonic.nn.training`): it resumes after a kill with the same result,
skips steps that are not finite, stops when too many are, and keeps the best weights.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from partonic.config.generative import GenerativeTrainingConfig
from partonic.errors import NonFiniteError, TrainingError
from partonic.nn.generative.model import FitResult, GenerativeModel
from partonic.nn.training import PhaseModule, PhaseSettings, TensorTable, run_phase, split_table
from partonic.nn.training.bookkeeping import BEST
from partonic.nn.training.phase_module import Batch
from partonic.nn.training.tensor_file import read_tensors
from partonic.progress import Progress
from partonic.rng import torch_generator

__all__ = ["GenerativePhase", "fit_model"]

Sample = tuple[Tensor, Tensor, Tensor | None]
"""Data, conditions and weights."""

_FEWEST = 10
"""Events of a fit."""


class GenerativePhase(PhaseModule):
    """A generative model in training."""

    def __init__(self, model: GenerativeModel) -> None:
        """Train `model`."""
        super().__init__()
        self.model = model

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of the model, which is told how far the training is."""
        self.model.progress = self.current_epoch / max(self.settings.epochs, 1)
        return self.model.training_loss(batch["x"], batch["c"], batch["weight"], generator)

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the loss of held-out events, with the same random numbers in every epoch."""
        generator = torch_generator(self.seed, "validation noise", len(batch["x"]))
        self.model.progress = 1.0
        return self.model.validation_loss(batch["x"], batch["c"], batch["weight"], generator).detach()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser of all phases, with the decays of the model."""
        optimizer = super().configure_optimizers()
        for group in optimizer.param_groups:
            group["betas"] = self.model.betas
        return optimizer


def fit_model(
    model: GenerativeModel,
    sample: Sample,
    generator: torch.Generator,
    progress: Progress,
    training: GenerativeTrainingConfig,
    folder: Path | None,
) -> FitResult:
    """Fit `model` to events; see `GenerativeModel.fit`."""
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    x, c, weights = _checked(model, sample, training.max_events)
    model.scale.fit(x, weights, constant_allowed=False)
    model.context_scale.fit(c, weights, constant_allowed=True)
    scaled = {"x": model.scale(x).to(model.dtype), "c": model.context_scale(c).to(model.dtype)}
    table = TensorTable({**scaled, "weight": weights.to(model.dtype)})
    train, held_out = split_table(table, training.validation_fraction, seed)
    phase = GenerativePhase(model)
    settings = PhaseSettings.from_config(training, model.kind, training.epochs)
    with _folder(folder) as place:
        try:
            result = run_phase(phase, train, held_out, settings, place, seed, progress)
        except TrainingError:
            _last_good(phase, place / BEST)
            raise
    model.record = {
        "events": len(x), "epochs": result.epochs, "best_epoch": result.best_epoch,
        "best_validation": result.best_validation, "skipped_steps": result.skipped,
        "settings": training.model_dump(mode="json"),
    }  # fmt: skip
    return FitResult(result.epochs, result.best_epoch, result.best_validation, result.skipped, result.history.epochs)


@contextlib.contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="generative_") as temporary:
        yield Path(temporary)


def _last_good(phase: GenerativePhase, best: Path) -> None:
    """Put the best weights before a divergence into the model, if there are any."""
    if best.exists():
        phase.load_state_dict(read_tensors(best)[0])
    phase.to("cpu").eval()


def _checked(model: GenerativeModel, sample: Sample, limit: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return data, conditions and weights of mean 1, in float64.

    Raises:
        TrainingError: if shapes or weights cannot be used.
        NonFiniteError: if a number is not finite.
    """
    data, conditions, given = sample
    weights = torch.ones(len(data), dtype=torch.float64) if given is None else given
    expected = ((len(data), model.features), (len(data), model.context), (len(data),))
    found = tuple(tuple(values.shape) for values in (data, conditions, weights))
    if found != expected or len(data) < _FEWEST:
        raise TrainingError(
            f"a fit of '{model.kind}' needs {_FEWEST} events or more, with data, conditions and weights of shapes "
            f"{expected}, got {found}"
        )
    tensors = tuple(values[:limit].detach().cpu().double() for values in (data, conditions, weights))
    for what, values in zip(("data", "conditions", "weights"), tensors, strict=True):
        if not bool(torch.isfinite(values).all()):
            row = int((~torch.isfinite(values)).nonzero()[0, 0])
            raise NonFiniteError(f"the {what} of event {row} are not finite: leave such events out of the fit")
    _check_weights(model, tensors[2])
    return tensors[0], tensors[1], tensors[2] / tensors[2].mean()


def _check_weights(model: GenerativeModel, weights: Tensor) -> None:
    if not float(weights.sum()) > 0.0:
        raise TrainingError(f"the weights of a fit must have a positive sum, got {float(weights.sum()):g}")
    negative = int((weights < 0.0).sum())
    if negative and not model.takes_signed_weights:
        raise TrainingError(
            f"{negative} of {len(weights)} weights are negative, with which the loss of '{model.kind}' has no minimum: "
            "take 'flow_matching' or 'diffusion', whose squared errors have one, or events of positive weights"
        )
