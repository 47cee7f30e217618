"""Running one phase of training on Lightning, from the start or from where an earlier run was killed."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import Logger

from partonic.errors import TrainingError
from partonic.files import output_folder
from partonic.nn.training.bookkeeping import BEST, LAST, Bookkeeping
from partonic.nn.training.checkpoint import SafeCheckpoints
from partonic.nn.training.fingerprint import differences, fingerprint_of
from partonic.nn.training.history import History
from partonic.nn.training.phase_module import PhaseModule
from partonic.nn.training.quiet import quiet_lightning
from partonic.nn.training.settings import PhaseSettings
from partonic.nn.training.table import BatchLoader, TensorTable
from partonic.nn.training.tensor_file import read_state, read_tensors
from partonic.progress import SILENT, Progress

__all__ = ["PhaseResult", "run_phase"]


@dataclass(frozen=True)
class PhaseResult:
    """How a phase went. The module holds the best weights."""

    epochs: int
    """Epochs done."""

    best_epoch: int
    """Epoch of the best weights, from 1."""

    best_validation: float
    """Their validation loss."""

    skipped: int
    """Steps that were skipped because something was not finite."""

    history: History
    """Figures of all epochs, and of every few steps."""


def run_phase(
    module: PhaseModule,
    train: TensorTable,
    validation: TensorTable,
    settings: PhaseSettings,
    folder: Path,
    seed: int,
    progress: Progress = SILENT,
) -> PhaseResult:
    """Train `module` and leave the best weights in it.

    The folder keeps the checkpoint `last.safetensors`, the weights `best.safetensors` and the tables `epochs.csv` and
    `steps.csv`. A run in a folder with a checkpoint goes on from there, and ends with the weights that an uninterrupted
    run would have given, to the last bit on the same machine; a finished phase is only loaded.

    Args:
        module: what to train; with its initial weights even when training goes on.
        train: events to train on.
        validation: held-out events.
        settings: of the phase.
        folder: where to keep the state, one folder for each phase.
        seed: root seed of orders and random draws.
        progress: told about each step.

    Raises:
        TrainingError: if training diverges, or `folder` holds the checkpoint of another training or a damaged one.
        OutputError: if `folder` cannot be written.
    """
    fingerprint = fingerprint_of(module, train, validation, settings, seed)
    last = output_folder(folder) / LAST
    kept = _books_of(last) if last.exists() else None
    if kept is not None:
        _check_fingerprint(kept["fingerprint"], fingerprint, folder)
    books = Bookkeeping(settings, fingerprint, folder, progress)
    if kept is not None and kept["finished"]:
        books.load_state_dict(kept)
    elif settings.epochs > 0:
        _fit(module, train, validation, books, seed)
    if not books.history.epochs:
        return PhaseResult(0, 0, books.best, 0, books.history)
    _load_best(module, books)
    return PhaseResult(len(books.history.epochs), books.best_epoch, books.best, books.skipped, books.history)


def _fit(module: PhaseModule, train: TensorTable, validation: TensorTable, books: Bookkeeping, seed: int) -> None:
    settings, folder = books.settings, books.folder
    module.prepare(settings, seed)
    module.train()
    order = BatchLoader(train, settings.batch_size, seed, (settings.name, "order"))
    held_out = BatchLoader(validation, settings.batch_size, seed, (settings.name, "validation"), shuffle=False)
    last = folder / LAST
    with quiet_lightning(), _own_random_state(), _interruptible() as watcher:
        trainer = Trainer(
            accelerator=settings.accelerator, devices=settings.devices, num_nodes=settings.nodes,
            precision=settings.precision, max_epochs=settings.epochs, logger=_logger(settings, folder, last.exists()),
            callbacks=[_Loaders((order, held_out)), books, watcher], plugins=[SafeCheckpoints()],
            default_root_dir=folder, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, log_every_n_steps=1, num_sanity_val_steps=0, use_distributed_sampler=False,
        )  # fmt: skip
        trainer.fit(module, order, held_out, ckpt_path=last if last.exists() else None)
    module.to("cpu")


def _logger(settings: PhaseSettings, folder: Path, resumed: bool) -> Logger | bool:
    if settings.logger != "tensorboard":
        return False
    from lightning.pytorch.loggers import TensorBoardLogger

    purge = 1 + int(_books_of(folder / LAST)["epochs"][-1]["step"]) if resumed else None
    return TensorBoardLogger(folder, name="tensorboard", version="", purge_step=purge)


def _check_fingerprint(kept: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    different = differences(kept, wanted)
    if different:
        raise TrainingError(
            f"{folder} holds the checkpoint of another training; it differs in: {', '.join(different)}. Expected the "
            "same settings, seed, events and networks: choose another folder, or delete this one to train anew"
        )


def _books_of(last: Path) -> dict[str, Any]:
    """Return the bookkeeping in a checkpoint."""
    books = read_state(last).get("callbacks", {}).get(Bookkeeping.__qualname__)
    if books is None:
        raise TrainingError(f"{last} is no checkpoint of a training phase. Delete it to train anew")
    return dict(books)


def _load_best(module: PhaseModule, books: Bookkeeping) -> None:
    if books.best_epoch == 0:
        raise TrainingError(
            f"phase {books.settings.name}: the validation loss was not finite after any of {len(books.history.epochs)} "
            "epochs, so there are no best weights: look for held-out events with extreme inputs, or lower the "
            "learning rate"
        )
    module.load_state_dict(read_tensors(books.folder / BEST)[0])
    module.eval()


class _Loaders(Callback):
    """Tells the batches the epoch, and which of them this process takes."""

    def __init__(self, loaders: tuple[BatchLoader, ...]) -> None:
        """Tell `loaders`."""
        self.loaders = loaders

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Share the batches among the processes."""
        for loader in self.loaders:
            loader.share(trainer.global_rank, trainer.world_size)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell the epoch, on which the order depends, before its first batch is asked for."""
        for loader in self.loaders:
            loader.set_epoch(trainer.current_epoch)


class _Watcher(Callback):
    """Remembers that the user interrupted, which Lightning turns into an exit of the program."""

    interrupted = False

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Take note of Ctrl-C."""
        self.interrupted = isinstance(exception, KeyboardInterrupt)


@contextlib.contextmanager
def _interruptible() -> Iterator[_Watcher]:
    """Let Ctrl-C leave the block as the KeyboardInterrupt that it is, with its handler as before."""
    watcher = _Watcher()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield watcher
    except SystemExit as error:
        if watcher.interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        if threading.current_thread() is threading.main_thread() and handler is not None:
            signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """Leave torch's global random numbers as they were: within the block dropout uses them, seeded for each epoch."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=list(devices)):
        yield
