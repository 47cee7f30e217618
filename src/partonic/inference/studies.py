"""What pseudo-experiments of an inference tell: intervals from toys, and whether intervals cover."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.inference.data import Data
from partonic.inference.experiments.coverage import PointCoverage, coverage_study
from partonic.inference.experiments.study import Plan, Workers
from partonic.inference.experiments.toy_coverage import ToyCoverage, toy_coverage
from partonic.inference.experiments.toys import ToyIntervals, toy_intervals
from partonic.inference.likelihood.fit import BestFit
from partonic.inference.likelihood.scan import Scan
from partonic.inference.samples import Loaded
from partonic.parts import remove_parts
from partonic.progress import Progress

__all__ = ["remove_parts_of_studies", "studies"]


def studies(
    loaded: Loaded, data: Data, best: BestFit, scans: Mapping[str, Scan], config: InferenceConfig, output: Path,
    progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Return the intervals from pseudo-experiments and the coverage, as far as they are asked for.

    Args:
        loaded: simulated events.
        data: what was fitted.
        best: its best fit.
        scans: of each fitted parameter.
        config: the settings.
        output: file of the result; finished experiments are kept beside it.
        progress: told of pseudo-experiments.

    Raises:
        InferenceError: if there are no simulated events, or a parameter that is asked for is not fitted.
    """
    toys: dict[str, ToyIntervals] = {}
    coverage: list[PointCoverage] = []
    if config.toys is None and config.coverage is None:
        return {"toys": toys, "coverage": coverage}
    if loaded.pool is None:
        message = "toys and coverage draw from simulated events: they need their event store and `data` not `events`"
        raise InferenceError(message)
    workers = Workers(config.workers, config.scheduler)
    if config.toys is not None:
        for name in config.toys.parameters or loaded.setup.interest:
            if name not in scans:
                raise InferenceError(f"toys of '{name}' need it to be fitted; fitted are {', '.join(scans)}")
            plan = Plan(config.toys.experiments, output.with_name(f"toys-{name}"), workers, progress)
            toys[name] = toy_intervals(
                loaded.setup, loaded.pool, data.likelihood, best, scans[name], plan, config.toys.points, config.levels
            )
    if config.coverage is not None:
        plan = Plan(config.coverage.experiments, output.with_name("coverage"), workers, progress)
        coverage = coverage_study(loaded.setup, loaded.pool, config.coverage.points, plan, config.levels)
    return {"toys": toys, "coverage": coverage, **_toy_coverage(loaded, config, output, workers, progress)}


def _point_numbers(config: InferenceConfig) -> range:
    return range(0 if config.coverage is None else len(config.coverage.points))


def _toy_coverage(
    loaded: Loaded, config: InferenceConfig, output: Path, workers: Workers, progress: Progress
) -> dict[str, list[ToyCoverage]]:
    """Return the coverage of intervals from toys, of each parameter at each point; nothing if it is not asked for."""
    if config.coverage is None or config.coverage.toys is None or loaded.pool is None:
        return {}
    section, found = config.coverage.toys, []
    for name in section.parameters or loaded.setup.interest:
        if name not in loaded.setup.interest:
            fitted = ", ".join(loaded.setup.interest)
            raise InferenceError(f"the coverage of toys of '{name}' needs it to be fitted; fitted are {fitted}")
        for number, point in enumerate(config.coverage.points):
            path = output.with_name(f"toy_coverage-{name}-{number}")
            plan = Plan(section.experiments, path, workers, progress)
            found.append(toy_coverage(loaded.setup, loaded.pool, name, point, plan, section.toys, config.levels))
    return {"toy_coverage": found}


def remove_parts_of_studies(loaded: Loaded, config: InferenceConfig, output: Path) -> None:
    """Remove the finished experiments that are kept in the folder `output`, once the result is written."""
    of_points = [f"toy_coverage-{name}-{at}" for name in loaded.setup.interest for at in _point_numbers(config)]
    of_toys = [f"{name}.toys" for name in of_points]
    for name in ("coverage", *(f"toys-{name}" for name in loaded.setup.interest), *of_points, *of_toys):
        remove_parts(output / name)
