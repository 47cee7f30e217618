"""Events as boosting sees them: codes of one byte, weight and residuals in single precision.

The data are read twice, in batches. The first reading adds up the weights and draws a sample that places the edges of
the intervals; the second writes codes and residuals. With a folder the codes are written to disk and memory-mapped;
ten million events with 20 features and 9 derivatives then need less than a gigabyte.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.errors import TrainingError
from partonic.files import output_folder
from partonic.polynomial import Monomials
from partonic.trees.binning import FeatureBins
from partonic.trees.data import TreeBatch, TreeData
from partonic.trees.engine import Threads, pieces
from partonic.trees.scaling import Scaling, WeightSums

__all__ = ["BinnedEvents", "prepare", "resampled"]

_MOST_EVENTS = 2**31 - 1


@dataclass(frozen=True)
class BinnedEvents:
    """Events of training and held-out ones.

    Attributes:
        monomials: of the coefficients.
        bins: intervals of the features.
        scaling: units of the residuals.
        codes: `(N, F)`; read only.
        statistics: (w, d_1, …, d_K) at the mean ratios, before any tree, `(N, 1 + K)`.
        train: numbers of the events of training, rising.
        held_out: numbers of the others, rising.
        sums: over the weights of training and held-out events.
    """

    monomials: Monomials
    bins: FeatureBins
    scaling: Scaling
    codes: UInt8[np.ndarray, "events features"]
    statistics: Float[np.ndarray, "events channels"]
    train: NDArray[np.int32]
    held_out: NDArray[np.int32]
    sums: tuple[WeightSums, WeightSums]

    def digest(self) -> str:
        """Return a hash of codes, residuals and the split, by which a checkpoint knows its events."""
        found = hashlib.sha256()
        for array in (self.codes, self.statistics, self.held_out):
            for rows in pieces(len(array)):
                found.update(array[rows].tobytes())
        return found.hexdigest()


def prepare(
    data: TreeData,
    monomials: Monomials,
    settings: TreeSettings,
    generator: np.random.Generator,
    folder: Path | None = None,
    threads: Threads | None = None,
) -> BinnedEvents:
    """Read events and bring them into the form of the training.

    Args:
        data: the events.
        monomials: of their coefficients; the first must be 1.
        settings: of the training.
        generator: draws the held-out groups, and the sample that places the edges.
        folder: for the file of codes (``codes.npy``); in memory without one.
        threads: that encode.

    Raises:
        TrainingError: if there are no events or no derivatives, the monomials are not those of the coefficients, or
            weights or features cannot be learned from.
        NonFiniteError: if a coefficient is NaN or infinite, or a feature infinite.
        OutputError: if the folder cannot be written.
    """
    count = len(data)
    if not 0 < count <= _MOST_EVENTS:
        raise TrainingError(f"expected between 1 and {_MOST_EVENTS} events, got {count}")
    salt = np.uint64(generator.integers(2**63))
    wanted = np.sort(generator.choice(count, min(settings.bin_sample, count), replace=False))
    sums, features, coefficients = _first_reading(data, settings, salt, wanted)
    _check_monomials(monomials, coefficients.shape[1])
    scaling = sums[0].scaling(settings.min_leaf_events, monomials)
    bins = FeatureBins.of_sample(data.names, features, _mass(scaling, coefficients), settings.bins)
    codes = _codes_file(folder, (count, len(data.names)))
    statistics = np.empty((count, 1 + len(scaling.mean)), dtype=np.float32)
    held = np.empty(count, dtype=np.bool_)
    for start, batch in _checked(data):
        rows = slice(start, start + len(batch.features))
        parts = [batch.features[part] for part in pieces(len(batch.features))]
        codes[rows] = np.concatenate((threads or Threads()).share(bins.encode, parts))
        statistics[rows] = scaling.statistics(batch.coefficients)
        held[rows] = _held_out(batch, start, settings.held_out, salt)
    codes.setflags(write=False)
    train, test = (np.flatnonzero(mask).astype(np.int32) for mask in (~held, held))
    return BinnedEvents(monomials, bins, scaling, codes, statistics, train, test, sums)


def resampled(events: BinnedEvents, counts: Int[np.ndarray, " events"]) -> BinnedEvents:
    """Return the events of training as often as told, with the same intervals and units: a bootstrap sample.

    Args:
        events: to draw from.
        counts: how often each event counts, `(N,)`; held-out events count once whatever it says.

    Raises:
        TrainingError: if no positive weight is left.
    """
    statistics = events.statistics.copy()
    statistics[events.train] *= counts[events.train, None].astype(np.float32)
    w = statistics[events.train, 0].astype(np.float64) * events.scaling.weight
    sums = WeightSums(
        events=len(w),
        weights=np.array([w.sum(), np.abs(w).sum(), w @ w]),
        largest=float((w * w).max(initial=0.0)),
        negative=float(-w[w < 0.0].sum()),
    )
    if not sums.weights[0] > 0.0:
        raise TrainingError(f"the resampled weights of {len(w)} events sum to {sums.weights[0]:g}: use more events")
    return replace(events, statistics=statistics, sums=(sums, events.sums[1]))


def _first_reading(
    data: TreeData, settings: TreeSettings, salt: np.uint64, wanted: Int[np.ndarray, " wanted"]
) -> tuple[
    tuple[WeightSums, WeightSums], Shaped[np.ndarray, "sample features"], Shaped[np.ndarray, "sample monomials"]
]:
    """Return sums over training and held-out events, and features and coefficients of a sample of the former."""
    sums = WeightSums(), WeightSums()
    features, coefficients = [], []
    for start, batch in _checked(data):
        held = _held_out(batch, start, settings.held_out, salt)
        for total, mask in zip(sums, (~held, held), strict=True):
            total.add(batch.coefficients[mask], start)
        low, high = np.searchsorted(wanted, (start, start + len(held)))
        rows = wanted[low:high] - start
        rows = rows[~held[rows]]
        features.append(batch.features[rows])
        coefficients.append(batch.coefficients[rows])
    if sums[0].events == 0 or (settings.held_out > 0.0 and sums[1].events == 0):
        raise TrainingError(
            f"held_out {settings.held_out:g} leaves {sums[0].events} events for the training and {sums[1].events} "
            "held out; there must be some of both: use more events or groups, or another part"
        )
    return sums, np.concatenate(features), np.concatenate(coefficients)


def _mass(scaling: Scaling, coefficients: Shaped[np.ndarray, "sample monomials"]) -> Float[np.ndarray, " sample"]:
    """Return by what the intervals are to be equal: half by weight, half by the variance of the ratios.

    Effects of θ often sit in the tails, where there is little weight: by weight alone the whole tail is one interval.
    """
    values = scaling.statistics(coefficients).astype(np.float64)
    size = np.abs(values[:, 0])
    with np.errstate(divide="ignore"):
        inverse = np.where(size > 0.0, 1.0 / size, 0.0)
    mass: NDArray[np.float64] = size + (values[:, 1:] ** 2).mean(axis=1) * inverse
    return mass


def _checked(data: TreeData) -> Iterator[tuple[int, TreeBatch]]:
    """Yield batches with the number of events before each, after a look at their shapes.

    Raises:
        TrainingError: if shapes do not fit names or each other, or there are not as many events as announced.
    """
    start, monomials = 0, None
    for batch in data.batches():
        shapes = batch.features.shape, batch.coefficients.shape
        monomials = monomials or batch.coefficients.shape[1]
        if shapes[0] != (len(batch.coefficients), len(data.names)) or shapes[1][1] != monomials:
            raise TrainingError(
                f"expected features (n, {len(data.names)}) and coefficients (n, {monomials}), got {shapes[0]} and "
                f"{shapes[1]} after {start} events"
            )
        if monomials < 2:
            msg = "events have one coefficient each, the weight at θ = 0; trees learn the ratios of further ones to it"
            raise TrainingError(msg)
        yield start, batch
        start += len(batch.features)
    if start != len(data):
        raise TrainingError(f"{len(data)} events were announced, {start} came: the data must not change while read")


def _held_out(batch: TreeBatch, start: int, share: float, salt: np.uint64) -> Bool[np.ndarray, " events"]:
    """Return which events are held out: a hash of the number of their group decides, so that no list is kept.

    Raises:
        TrainingError: if the events say so themselves, and a part is to be drawn besides.
    """
    count = len(batch.features)
    if batch.held_out is not None:
        if share > 0.0:
            raise TrainingError(
                f"the events say themselves which of them are held out: set settings.held_out to 0, got {share:g}"
            )
        return batch.held_out
    if share == 0.0:
        return np.zeros(count, dtype=np.bool_)
    groups = np.arange(start, start + count) if batch.groups is None else batch.groups
    mixed: NDArray[np.uint64] = groups.astype(np.int64).view(np.uint64) + salt
    # The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every bit of the number changes half of the bits.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    chosen: NDArray[np.bool_] = (mixed >> np.uint64(11)) * 2.0**-53 < share
    return chosen


def _codes_file(folder: Path | None, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an array for the codes, on disk if there is a folder."""
    if folder is None:
        return np.empty(shape, dtype=np.uint8)
    codes: NDArray[np.uint8] = np.lib.format.open_memmap(
        output_folder(folder) / "codes.npy", mode="w+", dtype=np.uint8, shape=shape
    )
    return codes


def _check_monomials(monomials: Monomials, count: int) -> None:
    if len(monomials) != count:
        raise TrainingError(
            f"events have {count} coefficients each, but there are {len(monomials)} monomials "
            f"({', '.join(monomials.names)}): give those of the coefficients"
        )
    if any(monomials.exponents[0]):
        raise TrainingError(
            f"the first coefficient must be the weight at θ = 0, of the monomial 1; got {monomials.names[0]}"
        )
