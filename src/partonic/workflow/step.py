"""What a step of an analysis is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from partonic.config.analysis import AnalysisConfig
from partonic.progress import Progress

__all__ = ["HasVariants", "Outcome", "Step", "family_of_step", "steps_of"]


@runtime_checkable
class Step(Protocol):
    """One step from files to files. Its result depends on `settings` and `inputs` only.

    Attributes:
        name: of the step and of the folder, within the output folder, that belongs to it alone.
        version: raised when the step gives another result for the same settings and inputs.
        knows_its_work: whether the step itself tells by hash which of the work in its folder was done with the same
            settings, and can be used again. The folder of a step that does not is emptied before it begins.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def knows_its_work(self) -> bool: ...  # noqa: D102

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether the analysis has this step."""

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return everything in the configuration that the result depends on, as JSON-like values."""

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files that are read."""

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files that exist when the step has ended."""

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Do the work, going on where an interrupted run was; return one line on the result."""


@runtime_checkable
class HasVariants(Protocol):
    """A step that an analysis may have several times, each with files of its own, under ``<name>.<variant>``."""

    def variants(self, config: AnalysisConfig) -> Sequence[Step]:
        """Return the step for each variant that the analysis has, the one without a name first."""


def steps_of(config: AnalysisConfig, available: Sequence[Step]) -> list[Step]:
    """Return the steps that an analysis has, in order, each variant of a step by itself.

    Args:
        config: the analysis.
        available: all steps, in order.
    """
    every = [
        each for step in available for each in (step.variants(config) if isinstance(step, HasVariants) else [step])
    ]
    return [step for step in every if step.applies(config)]


def family_of_step(name: str) -> str:
    """Return the name of the step that one is a variant of: ``train_sbi`` of ``train_sbi.trees``; else the name."""
    return name.partition(".")[0]


@dataclass(frozen=True)
class Outcome:
    """What became of a step in one run.

    Attributes:
        step: its name.
        ran: False if nothing had changed since it last ran.
        summary: one line on its result.
        seconds: that it worked in this run, 0 if it did not run.
        files: that it leaves.
    """

    step: str
    ran: bool
    summary: str
    seconds: float = 0.0
    files: tuple[Path, ...] = ()
