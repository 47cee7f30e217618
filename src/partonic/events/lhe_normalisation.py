"""From the weights of Les Houches events to pb: what XWGTUP means under each weighting strategy IDWTUP."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from partonic.errors import EventFileError

__all__ = ["WeightSums", "lhe_factors"]

logger = logging.getLogger(__name__)

_NEAR = 0.2
"""Relative deviation from XSECUP that few events of very different weights may have."""

_RULES = {
    "average": "the mean of the weights is the cross section",
    "sum": "the sum of the weights is the cross section",
    "process": "the weights of each process sum to its XSECUP",
    "header": "the weights of all events sum to the sum of XSECUP",
}


@dataclass(frozen=True)
class WeightSums:
    """Number and sum of the nominal weights of one process in a file.

    Attributes:
        count: number of events.
        total: sum of their weights, in the units of the file.
        cross_section: cross section that the file states, pb.
    """

    count: int
    total: float
    cross_section: float


def lhe_factors(
    strategy: int,
    sums: Mapping[int, WeightSums],
    rule: str = "auto",
    cross_section: float | None = None,
    *,
    warn: Callable[[str], None] | None = None,
) -> tuple[dict[int, float], str]:
    """Return the factor that turns XWGTUP into pb such that all events sum to the cross section, by process.

    The weighting strategy |IDWTUP| of hep-ph/0109068 says what XWGTUP means: 1 and 4, the mean of the weights is the
    cross section; 2, the weights of each process are relative to its XSECUP; 3, unit weights (±1), all processes
    together have the cross section Σ XSECUP. Generators that write weights whose *sum* is the cross section under
    strategy 4 (MadGraph with ``event_norm = sum``) are recognised by comparison with XSECUP to 2%. There is a warning
    when the weights do not fit XSECUP: some generators write other units, or a placeholder for XSECUP.

    Args:
        strategy: IDWTUP; its sign only announces negative weights.
        sums: number and sum of the weights, by process number.
        rule: ``"auto"`` as above, or ``"average"`` or ``"sum"`` whatever IDWTUP says.
        cross_section: total in pb that replaces the one of the file.
        warn: takes warnings; None: they are logged.

    Returns:
        the factors, and a sentence that says what was done.

    Raises:
        EventFileError: if IDWTUP is unknown, or the weights cannot be normalised.
    """
    count = sum(entry.count for entry in sums.values())
    total = sum(entry.total for entry in sums.values())
    stated = sum(entry.cross_section for entry in sums.values())
    kind = abs(strategy)
    if kind not in (1, 2, 3, 4):
        raise EventFileError(f"the weighting strategy IDWTUP must be ±1, ±2, ±3 or ±4, got {strategy}")
    if rule == "auto":
        rule = {1: "average", 2: "process", 3: "header", 4: "average"}[kind]
        if kind == 4 and count > 1 and stated and abs(total / stated - 1) < 0.02:
            rule = "sum"
        elif cross_section is None and kind != 2:
            _warn_if_implausible(strategy, count, total, stated, warn or logger.warning)
    factors = _factors(rule, sums, count, total, stated)
    note = f"IDWTUP {strategy}: {_RULES[rule]}"
    if cross_section is not None:
        weighted = sum(factors[process] * entry.total for process, entry in sums.items())
        scale = _ratio(cross_section, weighted)
        factors = {process: factor * scale for process, factor in factors.items()}
        note = f"{note}; scaled to {cross_section} pb as configured"
    return factors, note


def _warn_if_implausible(strategy: int, count: int, total: float, stated: float, warn: Callable[[str], None]) -> None:
    """Warn if the weights do not mean what IDWTUP says, as far as the stated cross section can tell."""
    mean = total / max(count, 1)
    sums = (mean, total) if abs(strategy) == 3 else (mean,)
    near = stated and min(abs(value / stated - 1) for value in sums) < _NEAR
    if near or (abs(strategy) == 3 and abs(mean) < 1.0 + 1e-6):  # weights of ±1 have no unit
        return
    warn(
        f"IDWTUP is {strategy}, the weights have the mean {mean:.4g} and the sum {total:.4g}, and the file states "
        f"{stated:.4g} pb, which does not fit. Check the cross section, and give import.cross_section if need be"
    )


def _factors(rule: str, sums: Mapping[int, WeightSums], count: int, total: float, stated: float) -> dict[int, float]:
    if rule == "process":
        return {process: _ratio(entry.cross_section, entry.total) for process, entry in sums.items() if entry.count}
    factor = {"average": 1.0 / max(count, 1), "sum": 1.0}.get(rule)
    return dict.fromkeys(sums, _ratio(stated, total) if factor is None else factor)


def _ratio(cross_section: float, total: float) -> float:
    turned = cross_section * total < 0
    if total == 0 or not np.isfinite(total) or turned:
        how = " without turning the sign of each. Check the weights and cross sections of the file" if turned else ""
        raise EventFileError(
            f"the event weights sum to {total:g}: they cannot be normalised to {cross_section:g} pb{how}"
        )
    return cross_section / total
