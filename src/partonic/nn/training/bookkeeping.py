"""Between the steps: learning rate, guard, history, best weights, early stopping, checkpoints, progress.

At the end of an epoch first the best weights (if they are new), then the checkpoint is written, each atomically. A kill
between the two is harmless: the epoch is repeated with the same random numbers and gives the same weights.
"""

import logging
import math
import signal
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from partonic.errors import TrainingError
from partonic.nn.training.history import History, Row, RunningMean
from partonic.nn.training.phase_module import PhaseModule, StepFigures
from partonic.nn.training.schedule import Plateau, learning_rate
from partonic.nn.training.settings import PhaseSettings
from partonic.nn.training.tensor_file import write_tensors
from partonic.progress import Progress

__all__ = ["BEST", "LAST", "Bookkeeping"]

LAST = "last.safetensors"
"""The checkpoint after the last whole epoch."""

BEST = "best.safetensors"
"""The weights with the smallest validation loss."""

_LOG = logging.getLogger(__name__)


class Bookkeeping(Callback):
    """Everything that is done between the steps of a phase; its state is part of the checkpoint."""

    def __init__(self, settings: PhaseSettings, fingerprint: dict[str, Any], folder: Path, progress: Progress) -> None:
        """Keep the books of one phase in `folder`; `fingerprint` says which training this is."""
        self.settings, self.fingerprint, self.folder, self.progress = settings, fingerprint, folder, progress
        self.history, self.plateau = History(), Plateau()
        self.best, self.best_epoch, self.waited = math.inf, 0, 0
        self.skipped, self.skipped_in_a_row = 0, 0
        self.finished = False
        self._average: dict[str, Any] | None = None
        self._epoch_mean, self._interval_mean = RunningMean(), RunningMean()
        self._epoch_skipped, self._interval_skipped = 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {
            "fingerprint": self.fingerprint, "epochs": self.history.epochs, "steps": self.history.steps,
            "plateau": [self.plateau.factor, self.plateau.waited], "best": self.best, "best_epoch": self.best_epoch,
            "waited": self.waited, "skipped": self.skipped, "skipped_in_a_row": self.skipped_in_a_row,
            "finished": self.finished, "average": self._average,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where a checkpoint was written."""
        self.history = History(state_dict["epochs"], state_dict["steps"])
        self.plateau = Plateau(*state_dict["plateau"])
        for name in ("best", "best_epoch", "waited", "skipped", "skipped_in_a_row", "finished"):
            setattr(self, name, state_dict[name])
        self._average = state_dict["average"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin, or go on."""
        module = _phase(pl_module)
        if module.settings.average is not None:
            module.prepare(module.settings, module.seed)  # only now the weights are on their device
        if module.average is not None and self._average is not None:
            module.average.load_state_dict(self._average)
        if trainer.is_global_zero:
            total, done = self.settings.epochs * _steps(trainer), trainer.current_epoch * _steps(trainer)
            self.progress.start(f"train {self.settings.name}", total, "step", done)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the sums of an epoch."""
        self._epoch_mean, self._interval_mean = RunningMean(), RunningMean()
        self._epoch_skipped, self._interval_skipped = 0, 0

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Set the learning rate."""
        steps = _steps(trainer)
        done = (trainer.current_epoch * steps + batch_idx) / (self.settings.epochs * steps)
        _phase(pl_module).rate = learning_rate(self.settings, trainer.current_epoch, done, self.plateau)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take note of a step.

        Raises:
            TrainingError: if too many steps in a row were skipped.
            SystemExit: if the program was told to end (SIGTERM), for which Lightning would finish the epoch first.
        """
        if trainer.received_sigterm:
            raise SystemExit(128 + signal.SIGTERM)
        module, steps = _phase(pl_module), _steps(trainer)
        self._note(module.last_step)
        figures: dict[str, float] = {}
        if (batch_idx + 1) % max(1, steps // 10) == 0 or batch_idx + 1 == steps:
            row = self._row(trainer, module, batch_idx + 1, self._interval_mean, self._interval_skipped)
            self.history.steps.append(row)
            self._interval_mean, self._interval_skipped = RunningMean(), 0
            _log(trainer, row, "")
            figures = {"loss": row.get("loss", math.nan)}
        if trainer.is_global_zero:
            self.progress.advance(1, **figures)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the best epoch, then write weights, checkpoint and tables."""
        module = _phase(pl_module)
        validation = module.validation_mean()
        row = self._row(trainer, module, _steps(trainer), self._epoch_mean, self._epoch_skipped)
        self.history.epochs.append({**row, "validation": validation})
        _log(trainer, {"validation": validation}, "")
        self._compare(validation, trainer, module)
        self.plateau.after_epoch(self.waited == 0, self.settings)
        stop = self.settings.patience is not None and self.waited >= self.settings.patience
        self.finished = stop or trainer.current_epoch + 1 >= self.settings.epochs
        self._average = None if module.average is None else module.average.state_dict()
        trainer.save_checkpoint(self.folder / LAST, weights_only=False)
        if trainer.is_global_zero:
            self.history.write(self.folder)
        trainer.should_stop = stop

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report skipped steps."""
        if trainer.is_global_zero:
            self.progress.finish()
        if self.skipped:
            _LOG.warning(
                "phase %s: %d steps were skipped because the loss or its gradient was not finite",
                self.settings.name, self.skipped,
            )  # fmt: skip

    def _note(self, step: StepFigures) -> None:
        """Add the figures of a step, or count it as skipped."""
        if not step.skipped:
            self.skipped_in_a_row = 0
            self._epoch_mean.add(step.figures)
            self._interval_mean.add(step.figures)
            return
        self.skipped, self.skipped_in_a_row = self.skipped + 1, self.skipped_in_a_row + 1
        self._epoch_skipped, self._interval_skipped = self._epoch_skipped + 1, self._interval_skipped + 1
        if self.skipped_in_a_row > self.settings.max_skipped:
            broken = [name for name, figure in step.figures.items() if not math.isfinite(figure)]
            raise TrainingError(
                f"phase {self.settings.name}: {self.skipped_in_a_row} steps in a row were skipped because these were "
                f"not finite: {', '.join(broken)}. Expected finite losses and gradients: lower `learning_rate`, or "
                f"look for events with extreme inputs. {self._kept()}"
            )

    def _kept(self) -> str:
        """Say where the last good state is."""
        if self.best_epoch == 0:
            return "No epoch was finished before, so no weights are kept"
        return f"The best weights so far, of epoch {self.best_epoch}, are kept in {self.folder / BEST}"

    def _compare(self, validation: float, trainer: Trainer, module: PhaseModule) -> None:
        """Keep the weights if they are the best so far."""
        if not validation < self.best:  # also where it is not a number
            self.waited += 1
            return
        self.best, self.best_epoch, self.waited = validation, trainer.current_epoch + 1, 0
        if not trainer.is_global_zero:
            return
        if module.average is None:
            write_tensors(self.folder / BEST, module.state_dict(), {})
            return
        with module.average.in_place():
            write_tensors(self.folder / BEST, module.state_dict(), {})

    def _row(self, trainer: Trainer, module: PhaseModule, batches: int, mean: RunningMean, skipped: int) -> Row:
        multipliers = {f"multiplier.{name}": value for name, value in module.multipliers.current().items()}
        step = trainer.current_epoch * _steps(trainer) + batches
        place = {"epoch": trainer.current_epoch + 1, "step": step, "learning_rate": module.rate, "skipped": skipped}
        return {**place, **mean.means(), **multipliers}


def _phase(module: LightningModule) -> PhaseModule:
    if not isinstance(module, PhaseModule):
        raise TypeError(f"expected a PhaseModule, got {type(module).__name__}")
    return module


def _steps(trainer: Trainer) -> int:
    """Steps of an epoch."""
    return int(trainer.num_training_batches)


def _log(trainer: Trainer, row: Row, prefix: str) -> None:
    step = trainer.current_epoch * _steps(trainer) if "step" not in row else int(row["step"])
    for logger in trainer.loggers:
        logger.log_metrics({f"{prefix}{name}": value for name, value in row.items() if name != "step"}, step)
