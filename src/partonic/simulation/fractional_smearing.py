"""Fractional smearing: parton events with large ratios are simulated several times with a fraction of their weight.

A network that regresses R_a(z) = c_a/c_ref on reconstructed events learns its mean at x from the parton events that
end up there. Where few of them have most of Σ c_a, a single one decides. Simulated n times with weight 1/n it is spread
as shower and detector would spread many (arXiv:2410.07315, section 2.3). With v = c_a/⟨c_ref⟩, which for events of
equal weight is the ratio itself, and mean μ and standard deviation σ of R_a at the reference, n is the smallest number
with

    |v/n − μ| ≤ T σ

for each target, as long as |v|/n is above T σ/2: copies that are smaller than that decide nothing alone, and where μ is
about T σ from 0 the rule by itself asks for hundreds of them. Where no such n satisfies it, it is the one at which v/n
is nearest to μ, and not so large that |v|/n is below T σ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from partonic.config.simulation import FractionalSmearingConfig
from partonic.errors import ConfigError, EventFileError
from partonic.polynomial import Monomials

_ROUNDING = 1e-9

__all__ = ["SmearingSums", "SmearingTargets", "copies_of", "target_columns"]


@dataclass(frozen=True)
class SmearingTargets:
    """What of the parton events decides on the number of copies.

    Attributes:
        columns: the T monomials that are targets.
        reference: ⟨c_ref⟩ of an event, pb.
        mean: of R_a at the reference, `(T,)`.
        deviation: standard deviation of R_a at the reference, `(T,)`.
    """

    columns: tuple[int, ...]
    reference: float
    mean: Float[np.ndarray, " targets"]
    deviation: Float[np.ndarray, " targets"]

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which ratios vary by more than rounding, `(T,)`: some monomials vanish, such as those odd under CP."""
        found: NDArray[np.bool_] = self.deviation > _ROUNDING * self.deviation.max(initial=0.0)
        return found


class SmearingSums:
    """Adds up what `SmearingTargets` needs, batch by batch."""

    def __init__(self, columns: Sequence[int], at_reference: Float[np.ndarray, " monomials"]) -> None:
        """Begin with no events.

        Args:
            columns: the targets among the monomials.
            at_reference: the monomials at the reference point.
        """
        self._columns, self._at_reference = tuple(columns), at_reference
        self._events = 0
        self._sums = np.zeros(1 + 2 * len(self._columns))

    def add(self, coefficients: Float[np.ndarray, "events monomials"]) -> None:
        """Add the coefficients of events; those with c_ref ≤ 0 have no ratio and do not count in σ."""
        reference = coefficients @ self._at_reference
        targets = coefficients[:, list(self._columns)]
        positive = reference > 0.0
        squares = targets[positive] ** 2 / reference[positive, None]
        self._events += len(coefficients)
        self._sums += np.concatenate([[reference.sum()], targets.sum(axis=0), squares.sum(axis=0)])

    def targets(self) -> SmearingTargets:
        """Return means and deviations.

        Raises:
            EventFileError: if the weights at the reference do not have a positive sum.
        """
        total, first, second = np.split(self._sums, [1, 1 + len(self._columns)])
        if not total[0] > 0.0:
            raise EventFileError(
                f"fractional smearing needs events with a positive sum of weights at the Standard Model, got "
                f"{total[0]:g} pb of {self._events} events: leave `simulation.fractional_smearing` out"
            )
        mean = first / total[0]
        variance = np.maximum(second / total[0] - mean**2, 0.0)
        return SmearingTargets(self._columns, float(total[0]) / self._events, mean, np.sqrt(variance))


def copies_of(
    coefficients: Float[np.ndarray, "events monomials"], targets: SmearingTargets, settings: FractionalSmearingConfig
) -> Int[np.ndarray, " events"]:
    """Return how often each event is simulated, `(N,)`: the largest number that one of the targets asks for.

    Args:
        coefficients: c_a of the events, pb.
        targets: means and deviations of the whole sample.
        settings: threshold and largest number.
    """
    values = coefficients[:, list(targets.columns)] / targets.reference
    band = settings.threshold * np.where(targets.varies, targets.deviation, 0.0)
    room = np.where(band > np.abs(targets.mean), np.maximum(band - np.abs(targets.mean), 0.5 * band), band)
    with np.errstate(divide="ignore", invalid="ignore"):
        # beyond it the rule holds, cannot, or need not; a target that does not vary asks for no copies
        most = np.where(band > 0.0, np.ceil(np.abs(values) / room), 1.0)
    chosen = np.ones(values.shape, dtype=np.int64)
    nearest = np.abs(values - targets.mean)
    open_ = (nearest > band) & (most > 1)
    for number in range(2, settings.max_copies + 1):
        open_ &= number <= most
        if not open_.any():
            break
        distance = np.abs(values / number - targets.mean)
        better = open_ & (distance < nearest)
        chosen[better], nearest[better] = number, distance[better]
        open_ &= nearest > band
    found: Int[np.ndarray, " events"] = chosen.max(axis=1)
    return found


def target_columns(monomials: Monomials, settings: FractionalSmearingConfig) -> tuple[int, ...]:
    """Return the places of the targets among the monomials.

    Raises:
        ConfigError: if a target is no monomial of the process, or there are none.
    """
    varying = [index for index, powers in enumerate(monomials.exponents) if any(powers)]
    if settings.targets is None:
        if not varying:
            message = "simulation.fractional_smearing: the process has no θ-dependence, and its events no ratios"
            raise ConfigError(message)
        return tuple(varying)
    unknown = [name for name in settings.targets if name not in monomials.names]
    if unknown:
        raise ConfigError(
            f"simulation.fractional_smearing.targets: '{unknown[0]}' is no monomial of the process; expected some of "
            f"{', '.join(monomials.names[index] for index in varying)}"
        )
    return tuple(monomials.names.index(name) for name in settings.targets)
