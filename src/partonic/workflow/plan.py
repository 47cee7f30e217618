"""What a run would do, and why, without doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from partonic.config.analysis import AnalysisConfig
from partonic.progress import duration_text
from partonic.workflow.changes import changed_settings, reasons_to_run
from partonic.workflow.runner import needed_steps, not_up_to_date, step_identity, wanted_steps
from partonic.workflow.state import StepRecord, WorkflowState
from partonic.workflow.step import Step, steps_of
from partonic.workflow.steps import STEPS
from partonic.workflow.workload import scaled_duration, workload

__all__ = ["Estimate", "PlannedStep", "ReadsWhatIsThere", "plan_analysis"]

Action = Literal["up to date", "run", "go on", "cannot run"]


@runtime_checkable
class ReadsWhatIsThere(Protocol):
    """A step that also reads files which are left out of its `inputs` as long as they are not there."""

    def later_inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return all files that the step reads once earlier steps have made them."""


@dataclass(frozen=True)
class Estimate:
    """How long a step may take.

    Attributes:
        seconds: None if it is not known.
        basis: what the number comes from, or why there is none.
    """

    seconds: float | None
    basis: str

    def __str__(self) -> str:
        """Return it in words."""
        if self.seconds is None:
            return f"time unknown ({self.basis})"
        return f"about {duration_text(self.seconds)} ({self.basis})"


@dataclass(frozen=True)
class PlannedStep:
    """What a run would do with a step.

    Attributes:
        step: its name.
        action: what would be done.
        reasons: why; empty if it is up to date.
        estimate: how long it may take; None if it would not run.
    """

    step: str
    action: Action
    reasons: tuple[str, ...] = ()
    estimate: Estimate | None = None


def plan_analysis(
    config: AnalysisConfig,
    *,
    steps: Sequence[str] | None = None,
    force: bool = False,
    available: Sequence[Step] = STEPS,
) -> list[PlannedStep]:
    """Return what `run_analysis` with the same arguments would do. Nothing is written, not even the output folder.

    A step that cannot run (a file is missing, or an earlier step was not asked for) is told as such. Whether a step
    whose input is made anew must run is decided by the content of that file when it is there.

    Raises:
        ConfigError: if a step is asked for that this analysis does not have.
        WorkflowError: if the records of the output folder cannot be read.
        ModelError: if a trained model is missing.
    """
    of_analysis = steps_of(config, available)
    wanted = wanted_steps(of_analysis, steps, config)
    state = WorkflowState(config.output)
    made: dict[Path, str] = {}
    plan: list[PlannedStep] = []
    for step in needed_steps(of_analysis, wanted, config):
        planned = _planned(step, config, state, made, force and step.name in wanted)
        if planned.action in ("run", "go on") and step.name not in wanted:
            planned = PlannedStep(step.name, "cannot run", (*planned.reasons, not_up_to_date(step, config)))
        if stopped := [earlier.step for earlier in plan if earlier.action == "cannot run"]:
            planned = PlannedStep(step.name, "cannot run", (f"the run stops at '{stopped[0]}'",))
        if planned.action != "up to date":
            made |= dict.fromkeys(step.outputs(config), step.name)
        plan.append(planned)
    return plan


def _planned(
    step: Step, config: AnalysisConfig, state: WorkflowState, made: dict[Path, str], force: bool
) -> PlannedStep:
    inputs = list(step.inputs(config))
    later = list(step.later_inputs(config)) if isinstance(step, ReadsWhatIsThere) else []
    to_come = [path for path in dict.fromkeys((*inputs, *later)) if path in made]
    record = state.records.get(step.name)
    if missing := [path for path in inputs if path not in made and not path.is_file()]:
        reasons = tuple(f"it reads {path}, but there is no such file" for path in missing)
        return PlannedStep(step.name, "cannot run", reasons)
    if to_come:
        makers = dict.fromkeys(made[path] for path in to_come)
        reasons = (*_known_before(step, config, record), f"it reads what {_listed(makers)} will make")
    else:
        reasons = reasons_to_run(step.name, step_identity(step, state, config), list(step.outputs(config)), state)
    if force:
        reasons = ("asked for with --force", *reasons)
    if not reasons:
        return PlannedStep(step.name, "up to date")
    goes_on = not force and not to_come and reasons == ("was interrupted and goes on",)
    estimate = _estimate(step, config, record, goes_on)
    return PlannedStep(step.name, "go on" if goes_on else "run", reasons, estimate)


def _known_before(step: Step, config: AnalysisConfig, record: StepRecord | None) -> tuple[str, ...]:
    """Return the reasons that are known before the inputs are there."""
    if record is None:
        return ("never ran here",)
    return () if record.settings is None else tuple(changed_settings(step.name, record.settings, step.settings(config)))


def _estimate(step: Step, config: AnalysisConfig, record: StepRecord | None, goes_on: bool) -> Estimate:
    last = record.last_duration() if record else None
    if last is None:
        return Estimate(None, "no earlier run here that tells")
    seconds, scaled, comparable = scaled_duration(*last, workload(step.name, config))
    basis = "as the last time"
    if scaled:
        basis = f"the last time it took {duration_text(last[0])}; {', '.join(scaled)}"
    elif not comparable:
        basis = "the last time, which had another amount of work"
    return Estimate(seconds, f"{basis}; less, for it goes on" if goes_on else basis)


def _listed(names: "dict[str, None]") -> str:
    return " and ".join(f"'{name}'" for name in names)
