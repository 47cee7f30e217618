"""A calibration from a file of coefficients and the event store that they are of: what `partonic calibrate` does."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from partonic.errors import OutputError
from partonic.events.store import EventStore
from partonic.inference.calibration.calibration_file import Calibration, write_calibration
from partonic.inference.calibration.choice import Choice, choose_calibration
from partonic.inference.calibration.each_ratio import fit_calibration
from partonic.inference.calibration.held_out import HeldOut, held_out_quality
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.inference.calibration.scaled_fit import fit_scaled_ratios
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.sum_rule import SumRule, sum_rule

__all__ = ["Calibrated", "Method", "calibrate"]

Method = Literal["joint", "linear", "chosen", "none", "means", "slopes", "tails"]
"""All ratios together; each alone with a line; one that is chosen (`partonic.inference.calibration.choice`), or one of
those it is chosen from."""


@dataclass(frozen=True)
class Calibrated:
    """What was fitted, and how it does.

    Attributes:
        calibration: what was fitted.
        held_out: how it does on events that it did not see.
        sum_rule: mean ratios before the calibration, and the true ones.
        names: of the monomials.
        choice: what was tried and chosen, for the method ``chosen``.
    """

    calibration: Calibration
    held_out: tuple[HeldOut, ...]
    sum_rule: SumRule
    names: tuple[str, ...]
    choice: Choice | None = None


def calibrate(
    coefficients: Path,
    store: Path,
    output: Path,
    max_events: int | None = None,
    method: Method = "joint",
) -> Calibrated:
    """Fit the calibration of coefficients to the true weights of their events, and write it.

    Args:
        coefficients: file of coefficients of simulated events that no network was trained on.
        store: the event store that they are of.
        output: the JSON file to write.
        max_events: use the first so many events of the file; None for all.
        method: which calibration.

    Raises:
        EventFileError: if a file is missing or damaged, or the store lacks events that there are coefficients of.
        ParameterError: if too few events can be used.
        OutputError: if the result cannot be written, or would replace one of the inputs.
    """
    if output.resolve() in (coefficients.resolve(), store.resolve()):
        raise OutputError(f"{output} is read: give the calibration a file of its own")
    events, _ = read_coefficients(coefficients)
    events = events.select(np.arange(len(events)) < (len(events) if max_events is None else max_events))
    weights = weights_of(EventStore.open(store), events.event_id)
    choice = choose_calibration(events, weights) if method == "chosen" else None
    fit = _fit_of(method if choice is None else choice.name)
    found = Calibrated(
        calibration=fit(events, weights) if choice is None else choice.calibration,
        held_out=held_out_quality(fit, events, weights),
        sum_rule=sum_rule(events, weights, None),
        names=events.monomials.names,
        choice=choice,
    )
    write_calibration(output, found.calibration)
    return found


def _fit_of(method: str) -> Callable[[EventCoefficients, NDArray[np.float64]], Calibration]:
    """Return what fits a calibration of a kind."""
    if method == "joint":
        return fit_joint_calibration
    return fit_calibration if method == "linear" else partial(fit_scaled_ratios, kind=method)  # type: ignore[arg-type]
