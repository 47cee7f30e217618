"""Which parton events of a file are simulated how often: one more reading of the file, before the simulation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from partonic.config.simulation import FractionalSmearingConfig
from partonic.errors import OutputError
from partonic.files import atomic_output
from partonic.progress import SILENT, Progress
from partonic.simulation.chunk import ChunkCopies, ChunkJob, event_coefficients
from partonic.simulation.fractional_smearing import SmearingSums, copies_of, target_columns
from partonic.simulation.lhe_source import event_texts

__all__ = ["CopiesPlan", "plan_copies"]

_FILE = "copies.npy"
_READ_TOGETHER = 2000


@dataclass(frozen=True)
class CopiesPlan:
    """How often each parton event of a file is simulated.

    Attributes:
        number: of copies, at least one, `(N,)`.
    """

    number: Int[np.ndarray, " events"]

    @property
    def total(self) -> int:
        """Number of copies of all events."""
        return int(self.number.sum())

    def of(self, first: int, events: int) -> ChunkCopies:
        """Return the copies of the `events` events from number `first` on."""
        return ChunkCopies(self.number[first : first + events], int(self.number[:first].sum()))


def plan_copies(
    job: ChunkJob,
    path: Path,
    events: int,
    folder: Path,
    settings: FractionalSmearingConfig,
    progress: Progress = SILENT,
) -> CopiesPlan:
    """Return how often each event of an LHE file is simulated; a plan that an interrupted run left is read again.

    Args:
        job: what all chunks share.
        path: the file.
        events: number of its events.
        folder: of the parts of the run, where the plan is kept.
        settings: threshold, targets and largest number.
        progress: told the number of events.

    Raises:
        ConfigError: if a target is no monomial of the process.
        EventFileError: if an event is malformed, or the weights at the Standard Model have no positive sum.
        OutputError: if the plan cannot be written.
    """
    kept = folder / _FILE
    if kept.is_file():
        known = np.load(kept, allow_pickle=False)
        if known.shape == (events,):
            return CopiesPlan(known)
    monomials, standard_model = job.metadata.monomials, job.metadata.process_info.standard_model
    sums = SmearingSums(target_columns(monomials, settings), monomials.evaluate(monomials.point(standard_model)))
    progress.start("looking for large ratios", events, "events")
    blocks = []
    for block in _coefficients(job, path):
        sums.add(block)
        blocks.append(block)
        progress.advance(len(block))
    progress.finish()
    targets = sums.targets()
    number = np.concatenate([copies_of(block, targets, settings) for block in blocks])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_output(kept) as temporary, temporary.open("wb") as file:
            np.save(file, number, allow_pickle=False)
    except OSError as error:
        raise OutputError(f"cannot write {kept}: {error}") from error
    return CopiesPlan(number)


def _coefficients(job: ChunkJob, path: Path) -> Iterator[Float[np.ndarray, "events monomials"]]:
    texts, first = event_texts(path), 0
    while block := list(islice(texts, _READ_TOGETHER)):
        yield event_coefficients(job, block, first)
        first += len(block)
