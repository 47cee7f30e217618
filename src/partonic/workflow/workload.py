"""What the duration of a step is about proportional to, so that an earlier run tells of a larger one."""

from partonic.config.analysis import AnalysisConfig

__all__ = ["scaled_duration", "workload"]


def workload(step: str, config: AnalysisConfig) -> dict[str, float]:
    """Return the numbers that the duration of a step is about proportional to, by their key in the analysis file.

    Empty for a step whose duration is not proportional to a number in the file: an import (the size of its files is
    not in the file), a training (it ends by epochs and by plateaus), inference and the report.

    Args:
        step: name of the step.
        config: the analysis.
    """
    events = {} if config.import_ else {"generation.events": float(config.generation.events)}
    if step in ("generate", "simulate"):
        return events
    if step == "sample" and config.unfolding is not None:
        sampling = config.unfolding.sampling
        numbers = {
            "unfolding.sampling.samples_per_event": float(sampling.samples_per_event),
            "unfolding.views": float(len(config.unfolding.views)),
        }
        return numbers | _events_of("unfolding.sampling.max_events", sampling.max_events, events)
    if step == "mem" and config.mem is not None:
        points = {"mem.points.maximum": float(config.mem.points.maximum)}
        own = events if config.mem.store is None else {}
        return points | _events_of("mem.max_events", config.mem.max_events, own)
    if step == "classical" and config.classical is not None:
        own = events if config.classical.store is None else {}
        points = {"classical.points": float(config.classical.points)}
        return points | _events_of("classical.max_events", config.classical.max_events, own)
    return {}


def scaled_duration(
    seconds: float, before: dict[str, float], now: dict[str, float]
) -> tuple[float, tuple[str, ...], bool]:
    """Return how long a step may take with another workload than when it took `seconds`.

    Args:
        seconds: of the earlier run.
        before: its workload.
        now: the workload asked about.

    Returns:
        The seconds; the keys whose numbers changed, as ``"generation.events × 3"``; whether the two workloads are
        of the same keys. If they are not, the seconds are those of the earlier run.
    """
    if before.keys() != now.keys():
        return seconds, (), False
    factors = {key: now[key] / before[key] for key in now if now[key] != before[key]}
    for factor in factors.values():
        seconds *= factor
    return seconds, tuple(f"{key} × {factor:.3g}" for key, factor in factors.items()), True


def _events_of(key: str, limit: int | None, events: dict[str, float]) -> dict[str, float]:
    """Return the number of events of a step that may be limited to some of those selected."""
    return events if limit is None else {key: float(limit)}
