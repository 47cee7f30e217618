"""Running the steps of an analysis whose inputs changed, and no other."""

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError, OutputError, PartonicError, WorkflowError
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash
from partonic.workflow.interruption import StepInterrupted
from partonic.workflow.lock import folder_lock
from partonic.workflow.state import StepIdentity, WorkflowState
from partonic.workflow.step import Outcome, Step, family_of_step, steps_of
from partonic.workflow.steps import STEPS
from partonic.workflow.workload import workload

__all__ = ["applicable_steps", "missing_inputs", "needed_steps", "run_analysis", "step_identity", "wanted_steps"]

logger = logging.getLogger(__name__)

_COMMANDS = {"train_mem": "train", "train_sbi": "train", "train_surrogate": "train", "classical": None}
"""Commands of the steps that have none of their name; None: no command but that of all steps."""


def run_analysis(
    config: AnalysisConfig,
    *,
    steps: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    available: Sequence[Step] = STEPS,
) -> list[Outcome]:
    """Run the steps of an analysis, in order, in its output folder.

    A step runs if its settings, its version or the content of its input files changed, or if its files are not as it
    left them. It can be stopped at any moment; the next run goes on. Steps whose files no wanted step needs are left
    alone.

    Args:
        config: the analysis.
        steps: names of the steps to run; the steps whose files they read must be up to date. None: all that the
            analysis has.
        force: run the steps even if nothing changed.
        progress: told how far each step is.
        available: all steps, in order.

    Raises:
        ConfigError: if a step is asked for that this analysis does not have.
        WorkflowError: if an earlier step is missing or out of date, another run holds the folder, or a file is missing
            that no step makes; then no step runs.
        StepInterrupted: if a step is stopped by Ctrl-C.
        PartonicError: whatever a step raises.
    """
    of_analysis = steps_of(config, available)
    wanted = wanted_steps(of_analysis, steps, config)
    needed = needed_steps(of_analysis, wanted, config)
    if missing := missing_inputs(needed, config):
        raise WorkflowError(missing[0])
    with folder_lock(config.output):
        state = WorkflowState(config.output)
        state.analysis = {"name": config.name, "steps": [step.name for step in of_analysis]}
        return [_bring_up_to_date(step, wanted, state, config, force, progress) for step in needed]


def applicable_steps(config: AnalysisConfig, available: Sequence[Step] = STEPS) -> tuple[str, ...]:
    """Return the names of the steps that an analysis has, in order."""
    return tuple(step.name for step in steps_of(config, available))


def wanted_steps(of_analysis: Sequence[Step], steps: Sequence[str] | None, config: AnalysisConfig) -> set[str]:
    """Return the names of the steps that are asked for (None: all of the analysis); a name stands for its variants.

    Raises:
        ConfigError: if the analysis has not one of them.
    """
    names = [step.name for step in of_analysis]
    if steps is None:
        return set(names)
    for name in steps:
        if name not in names and name not in {family_of_step(each) for each in names}:
            raise ConfigError(f"the analysis '{config.name}' has no step '{name}'; it has: {', '.join(names)}")
    return {name for name in names if name in steps or family_of_step(name) in steps}


def needed_steps(of_analysis: Sequence[Step], wanted: set[str], config: AnalysisConfig) -> Sequence[Step]:
    """Return, in order, the wanted steps and those whose files they read, directly or through others."""
    names = set(wanted)
    for step in reversed(of_analysis):
        if step.name in names:
            read = set(step.inputs(config))
            names |= {other.name for other in of_analysis if read & set(other.outputs(config))}
    return [step for step in of_analysis if step.name in names]


def missing_inputs(steps: Sequence[Step], config: AnalysisConfig) -> list[str]:
    """Return, in words, the files that steps read, that are not there, and that no step before them makes."""
    made: set[Path] = set()
    missing = []
    for step in steps:
        absent = [path for path in step.inputs(config) if path not in made and not path.is_file()]
        missing += [_missing(step, path, config) for path in absent]
        made |= set(step.outputs(config))
    return missing


def _missing(step: Step, path: Path, config: AnalysisConfig) -> str:
    maker = path.parent.name.replace("sbi.", "sbi.also.", 1)
    remedy = f": an analysis with the section `{maker}` makes it" if path.parent.parent == config.output else ""
    return f"the step '{step.name}' reads {path}, but there is no such file{remedy}"


def _bring_up_to_date(
    step: Step, wanted: set[str], state: WorkflowState, config: AnalysisConfig, force: bool, progress: Progress
) -> Outcome:
    identity = step_identity(step, state, config)
    fingerprint, outputs = identity.fingerprint, tuple(step.outputs(config))
    current = state.is_current(step.name, fingerprint, outputs)
    if current and not (force and step.name in wanted):
        summary = f"up to date: {state.records[step.name].summary}"
        return Outcome(step.name, ran=False, summary=summary, files=outputs)
    if step.name not in wanted:
        raise WorkflowError(not_up_to_date(step, config))
    if force or not (step.knows_its_work or state.can_resume(step.name, fingerprint)):
        _empty(config.output / step.name, state)
    state.begin(step.name, identity)
    logger.info("%s begins", step.name)
    began = time.monotonic()
    with _noted_interruption(step, state):
        summary = step.run(config, progress)
    state.end(step.name, [*step.inputs(config), *step.outputs(config)], summary)
    return Outcome(step.name, True, summary, time.monotonic() - began, tuple(step.outputs(config)))


def not_up_to_date(step: Step, config: AnalysisConfig) -> str:
    """Return what to do about a step that is needed, but was not asked for."""
    family = family_of_step(step.name)
    command = _COMMANDS.get(family, family)
    first = f"run `partonic {command}` first, or `partonic run` for all steps" if command else "run `partonic run`"
    return f"the step '{step.name}' has not run with these settings in {config.output}; {first}"


@contextlib.contextmanager
def _noted_interruption(step: Step, state: WorkflowState) -> Iterator[None]:
    """Record how long a step has worked when it does not come to its end, and say which one Ctrl-C has stopped."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(PartonicError):  # a full disk must not hide why the step stopped
            state.interrupt(step.name)
        if isinstance(error, KeyboardInterrupt):
            seconds = state.records[step.name].seconds
            raise StepInterrupted(step.name, state.folder / step.name, seconds) from error
        raise


def step_identity(step: Step, state: WorkflowState, config: AnalysisConfig) -> StepIdentity:
    """Return all that the result of a step depends on, with the hash of it.

    Raises:
        WorkflowError: if an input file is missing.
    """
    digests, inputs, settings = [], tuple(step.inputs(config)), dict(step.settings(config))
    for path in inputs:
        if not path.is_file():
            raise WorkflowError(_missing(step, path, config))
        digests.append(state.digest(path))
    fingerprint = content_hash({"version": step.version, "settings": settings, "inputs": digests})
    return StepIdentity(fingerprint, step.version, settings, inputs, workload(step.name, config))


def _empty(folder: Path, state: WorkflowState) -> None:
    """Remove the folder of a step with what an earlier run left there. A folder that no run here made is left alone."""
    try:
        if folder.name in state.records and folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"cannot remove the outdated {folder}: {error.strerror or error}") from error
