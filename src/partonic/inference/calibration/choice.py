"""Which calibration coefficients are given: the one whose ratios tell θ best on events that it was not fitted to.

Calibrations that are one within the other are fitted to all but one part of the events and tried on that part:
``none``, ``means``, ``slopes``, ``tails`` (`partonic.inference.calibration.scaled_ratios`), and ``joint``
(`partonic.inference.calibration.joint_calibration`). Their likelihoods of classes are compared event by event, so that
what all have in common is no error of the difference. ``joint`` is taken where it is not worse than ``none`` by more
than two errors, and reaches 95% of the best or is within two errors of it: it is the only one whose ratios are right on
average given all ratios together, so that intervals cover at any θ. Else it is the simplest of the others that is not
worse than the best of them by more than the error.

No ratio is clearly made worse: where nothing is better than what was learned, that stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.class_likelihood import ClassLikelihood
from partonic.inference.calibration.joint_calibration import JointCalibration, fit_joint_calibration
from partonic.inference.calibration.reference_density import reference_density
from partonic.inference.calibration.scaled_fit import fit_scaled_ratios
from partonic.inference.calibration.scaled_ratios import ScaledRatios
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["CALIBRATIONS", "Choice", "Tried", "choose_calibration"]

Array = NDArray[np.float64]

CALIBRATIONS = ("none", "means", "slopes", "tails", "joint")
"""From the simplest to the most complete."""

_CLEARLY = 2.0
"""Errors by which another one must be better than ``joint``, which is taken at this part of the best, too."""

_NEARLY = 0.95

_FOLDS = 3
_TOGETHER = 50
"""Neighbours in the sample that stay in one part: copies of a parton event are neighbours."""


@dataclass(frozen=True)
class Tried:
    """One calibration on events that it was not fitted to.

    Attributes:
        name: in `CALIBRATIONS`.
        likelihood: of the classes, 1 for the true ratios of the partons, 0 for ratios that know nothing.
        gain: of it over that of the ratios as they are.
        gain_error: standard error of the gain.
        fault: why it could not be fitted; empty where it could.
    """

    name: str
    likelihood: float = float("nan")
    gain: float = float("nan")
    gain_error: float = float("nan")
    fault: str = ""

    def __str__(self) -> str:
        """Return one line for the terminal."""
        if self.fault:
            return f"{self.name}: not possible ({self.fault})"
        gain = "" if self.name == "none" else f", {self.gain:+.4f} ± {self.gain_error:.4f} from the calibration"
        return f"{self.name}: likelihood {self.likelihood:.4f} of that of the partons{gain}"


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        name: in `CALIBRATIONS`.
        calibration: fitted to all events.
        tried: all of them.
    """

    name: str
    calibration: ScaledRatios | JointCalibration
    tried: tuple[Tried, ...]


def choose_calibration(coefficients: EventCoefficients, weights: Array, names: Sequence[str] = CALIBRATIONS) -> Choice:
    """Fit and compare calibrations, and return the chosen one.

    Args:
        coefficients: estimated ratios of events that nothing was trained on.
        weights: θ-coefficients c_a of the weights of the same events in the same order, pb, `(N, A)`.
        names: which are tried, of `CALIBRATIONS`; ``none`` always is.

    Raises:
        ParameterError: if the shapes differ, no event can be used, or a name is unknown.
    """
    if unknown := set(names) - set(CALIBRATIONS):
        raise ParameterError(f"unknown calibrations {', '.join(sorted(unknown))}; there are {', '.join(CALIBRATIONS)}")
    wanted = [name for name in CALIBRATIONS if name in names or name == "none"]
    try:
        density = reference_density(coefficients, weights)
        classes = ClassLikelihood.of(
            coefficients.monomials, density.scales, coefficients.reference, weights[density.good]
        )
    except ParameterError:
        if "joint" not in wanted:
            raise
        # without squares there are no classes: the joint calibration is then one by least squares
        return Choice("joint", fit_joint_calibration(coefficients, weights), ())
    parts, faults = {}, {}
    for name in wanted:
        try:
            parts[name] = _held_out(name, coefficients, weights, density.good, classes)
        except ParameterError as error:
            faults[name] = str(error)
    tried = tuple(_tried(name, parts, faults) for name in wanted)
    chosen = _chosen(parts)
    return Choice(chosen, _fit(chosen, coefficients, weights), tried)


def _fit(name: str, events: EventCoefficients, weights: Array) -> ScaledRatios | JointCalibration:
    if name == "joint":
        return fit_joint_calibration(events, weights)
    return fit_scaled_ratios(events, weights, name)  # type: ignore[arg-type]


def _held_out(
    name: str, events: EventCoefficients, weights: Array, good: NDArray[np.bool_], classes: ClassLikelihood
) -> Array:
    """Return the part of each good event in the likelihood, by calibrations that did not see it, `(N,)`."""
    ratios = events.ratios.copy()
    part = np.arange(len(events)) // _TOGETHER % _FOLDS
    for number in range(_FOLDS if name != "none" else 0):
        rest, held = part != number, part == number
        ratios[held] = _fit(name, events.select(rest), weights[rest]).apply(events.select(held)).ratios
    counts = torch.ones(int(good.sum()), dtype=torch.float64)
    values: Array = classes(torch.as_tensor(ratios[good]), counts).numpy()
    return values


def _tried(name: str, parts: dict[str, Array], faults: dict[str, str]) -> Tried:
    if name in faults:
        return Tried(name, fault=faults[name])
    gain = parts[name] - parts["none"]
    return Tried(name, float(parts[name].sum()), float(gain.sum()), float(np.sqrt(np.square(gain).sum())))


def _chosen(parts: dict[str, Array]) -> str:
    """Return the name of the calibration that is taken."""

    def better(first: str, second: str, errors: float) -> bool:
        difference = parts[first] - parts[second]
        return bool(difference.sum() > errors * np.sqrt(np.square(difference).sum()))

    best = max(parts, key=lambda name: parts[name].sum())
    if "joint" in parts and not better("none", "joint", _CLEARLY):
        near = parts["joint"].sum() >= _NEARLY * parts[best].sum()
        if near or not better(best, "joint", _CLEARLY):
            return "joint"
    others = [name for name in parts if name != "joint"]
    best = max(others, key=lambda name: parts[name].sum())
    return next(name for name in others if not better(best, name, 1.0))
