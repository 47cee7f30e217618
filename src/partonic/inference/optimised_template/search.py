"""Bayesian optimisation of θ* with a journal, so that a killed search goes on with the points that it had.

The sampler of every trial has random numbers of its own, so that a search that was resumed proposes what one that was
not would have proposed.
"""

import json
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from partonic.errors import DependencyError, InferenceError, OutputError
from partonic.progress import SILENT, Progress
from partonic.rng import numpy_generator

__all__ = ["SearchPlan", "Trial", "search"]

Array = NDArray[np.float64]
Merit = Callable[[Array], float]

_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Trial:
    """A point that was tried.

    Attributes:
        theta: θ*, by name.
        merit: figure of merit; the smaller the better, infinite where the template says nothing of a parameter.
    """

    theta: Mapping[str, float]
    merit: float


@dataclass(frozen=True)
class SearchPlan:
    """What is searched, and how.

    Attributes:
        ranges: lowest and highest value by parameter.
        standard: θ of the Standard Model by name, at which the first points have all parameters but one.
        trials: number of points.
        sampler: ``"tpe"`` or ``"gp"``.
        seed: root seed.
        journal: file of the points that were tried; None keeps none.
        key: hash of all that the figure of merit depends on; a journal of another key is begun anew.
    """

    ranges: Mapping[str, tuple[float, float]]
    standard: Mapping[str, float]
    trials: int
    sampler: Literal["tpe", "gp"]
    seed: int
    journal: Path | None = None
    key: str = ""

    def first_points(self) -> list[dict[str, float]]:
        """Return two points on the axis of each parameter, half way to the ends of its range."""
        centre = {name: min(max(self.standard[name], low), high) for name, (low, high) in self.ranges.items()}
        return [{**centre, name: 0.5 * (centre[name] + end)} for name, ends in self.ranges.items() for end in ends]


def search(merit: Merit, plan: SearchPlan, progress: Progress = SILENT) -> tuple[Trial, ...]:
    """Return all points that were tried, in their order.

    Args:
        merit: figure of merit of θ* `(K,)`, in the order of `plan.ranges`.
        plan: the search.
        progress: told of each point.

    Raises:
        DependencyError: if optuna is not installed.
        InferenceError: if no point has a finite figure of merit.
        OutputError: if the journal cannot be written.
    """
    trials = _read(plan)
    study, optuna = _study(plan)
    for each in trials:
        _tell(optuna, study, plan, each)
    first = plan.first_points()
    _begin(plan, trials)
    progress.start("searching θ* of the template", plan.trials, "points", len(trials))
    for number in range(len(trials), plan.trials):
        theta = first[number] if number < len(first) else _proposal(optuna, study, plan, number)
        value = merit(np.array(list(theta.values())))
        trials.append(Trial(theta, value))
        _tell(optuna, study, plan, trials[-1])
        _append(plan, [_line(trials[-1])])
        progress.advance(1, best=min(each.merit for each in trials))
    progress.finish()
    if not any(math.isfinite(each.merit) for each in trials):
        raise InferenceError(
            f"none of {len(trials)} points θ* of `inference.template.search` has a finite figure of merit: the "
            "template says nothing of one of the parameters. Fit fewer, or take `merit: intervals`"
        )
    return tuple(trials)


def _study(plan: SearchPlan) -> tuple[Any, Any]:
    try:
        import optuna
    except ImportError as error:
        raise DependencyError(
            f"the search for θ* needs optuna: pip install 'partonic[optimise]' ({error}), or give "
            "`inference.template.theta_star`"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="minimize"), optuna


def _proposal(optuna: Any, study: Any, plan: SearchPlan, number: int) -> dict[str, float]:
    seed = int(numpy_generator(plan.seed, "template search", number).integers(_LARGEST_SEED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if plan.sampler == "gp":
            study.sampler = optuna.samplers.GPSampler(seed=seed, n_startup_trials=0, deterministic_objective=True)
        else:
            study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0, multivariate=True)
        trial = study.ask(_distributions(optuna, plan))
    study.tell(trial, state=optuna.trial.TrialState.FAIL)  # it is told as a finished one of its own, as on resuming
    return {name: float(trial.params[name]) for name in plan.ranges}


def _distributions(optuna: Any, plan: SearchPlan) -> dict[str, Any]:
    return {name: optuna.distributions.FloatDistribution(low, high) for name, (low, high) in plan.ranges.items()}


def _tell(optuna: Any, study: Any, plan: SearchPlan, trial: Trial) -> None:
    if not math.isfinite(trial.merit):
        return
    study.add_trial(
        optuna.trial.create_trial(
            params=dict(trial.theta), distributions=_distributions(optuna, plan), value=trial.merit
        )
    )


def _read(plan: SearchPlan) -> list[Trial]:
    """Return the points of an interrupted search; a line that was cut off is left out."""
    if plan.journal is None or not plan.journal.exists():
        return []
    trials: list[Trial] = []
    for number, line in enumerate(plan.journal.read_text(encoding="utf-8").splitlines(keepends=True)):
        try:
            content = json.loads(line) if line.endswith("\n") else None
        except ValueError:
            content = None
        if not isinstance(content, dict) or (number == 0 and content.get("key") != plan.key):
            break
        if number > 0:
            trials.append(Trial(content["theta"], math.inf if content["merit"] is None else content["merit"]))
    return trials[: plan.trials]


def _begin(plan: SearchPlan, trials: list[Trial]) -> None:
    """Write the journal anew with what was read of it: a line that was cut off, or another search, is gone."""
    if plan.journal is not None:
        plan.journal.parent.mkdir(parents=True, exist_ok=True)
        plan.journal.unlink(missing_ok=True)
        _append(plan, [json.dumps({"key": plan.key}), *(_line(each) for each in trials)])


def _line(trial: Trial) -> str:
    return json.dumps({"theta": dict(trial.theta), "merit": trial.merit if math.isfinite(trial.merit) else None})


def _append(plan: SearchPlan, lines: list[str]) -> None:
    if plan.journal is None:
        return
    try:
        with plan.journal.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    except OSError as error:
        message = f"cannot write the journal of the search {plan.journal}: {error.strerror or error}"
        raise OutputError(message) from error
