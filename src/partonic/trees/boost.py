"""A training of boosted trees, from events to the ensemble, with checkpoints."""

from pathlib import Path

import numpy as np

from partonic.config.trees import TreeSettings
from partonic.errors import ModelError, TrainingError
from partonic.polynomial import Monomials
from partonic.progress import SILENT, Progress
from partonic.trees.binned import BinnedEvents, prepare
from partonic.trees.boosting import Boosting
from partonic.trees.data import TreeData
from partonic.trees.engine import Threads, kernels
from partonic.trees.ensemble import BoostedTrees
from partonic.trees.model_files import is_model, load_trees, save_trees

__all__ = ["CHECKPOINT", "boost"]

CHECKPOINT = "checkpoint"
"""Folder of the checkpoint, inside the folder of a training."""


def boost(
    data: TreeData | BinnedEvents,
    monomials: Monomials,
    settings: TreeSettings,
    generator: np.random.Generator,
    *,
    threads: int = 1,
    folder: Path | None = None,
    checkpoint_every: int = 20,
    progress: Progress = SILENT,
) -> BoostedTrees:
    """Train an ensemble.

    Args:
        data: the events; read twice. Or what `partonic.trees.binned.prepare` made of them, to train again and again.
        monomials: of the coefficients of the events; the first must be 1.
        settings: of the training.
        generator: draws the held-out groups, the sample that places the intervals, and rows and features of the trees.
        threads: cores to use; the result does not depend on their number.
        folder: for the codes of the features, which are memory-mapped then, and for checkpoints: an interrupted
            training of the same events, settings and seed goes on where it was, to the same bits. One that was finished
            goes on if `settings.trees` is larger. By default all is in memory.
        checkpoint_every: trees between checkpoints.
        progress: told of each tree.

    Raises:
        TrainingError: if events, weights or features cannot be learned from, or the folder is of another training.
        NonFiniteError: if a coefficient is NaN or infinite, or a feature infinite.
        DependencyError: if numba is not installed.
        ModelError: if the checkpoint is damaged.
        OutputError: if the folder cannot be written.
    """
    kernels()
    with Threads(threads) as pool:
        spare = isinstance(data, BinnedEvents)
        events = data if isinstance(data, BinnedEvents) else prepare(data, monomials, settings, generator, folder, pool)
        if events.monomials != monomials:
            raise TrainingError(
                f"the events were prepared with the monomials {', '.join(events.monomials.names)}, got "
                f"{', '.join(monomials.names)}"
            )
        boosting = Boosting(events, settings, int(generator.integers(2**63)), pool, spare)
        if folder is not None and is_model(folder / CHECKPOINT):
            boosting.resume(_checkpoint(folder / CHECKPOINT), folder / CHECKPOINT)
        progress.start("boosted trees", settings.trees, "trees", done=len(boosting.trees))
        while not boosting.finished:
            boosting.step()
            progress.advance(1, **boosting.last_losses)
            if folder is not None and (len(boosting.trees) % checkpoint_every == 0 or boosting.finished):
                save_trees(folder / CHECKPOINT, boosting.ensemble())
        progress.finish()
        return boosting.result()


def _checkpoint(folder: Path) -> BoostedTrees:
    try:
        return load_trees(folder)
    except ModelError as error:
        raise ModelError(f"{error}. This is a checkpoint: remove {folder}, and the training begins anew") from error
