"""The quality of one unfolding model: what the report draws and the benchmark prints."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.estimate import Estimate
from partonic.unfolding.quality.bias import BinnedBias
from partonic.unfolding.quality.ranks import RankTest
from partonic.unfolding.quality.single_event import SingleEvent
from partonic.unfolding.quality.spectra import Correlation, Spectra

__all__ = ["BoostQuality", "MeanBias", "MultiplicityQuality", "UnfoldingQuality", "ValueWithError", "json_ready"]


@dataclass(frozen=True)
class ValueWithError:
    """A number with its statistical error; NaN where nothing is known."""

    value: float
    error: float


@dataclass(frozen=True)
class MeanBias:
    """Relative bias of sampled transverse momenta, (pT − pT true)/pT true, averaged over events in a range of pT true.

    Attributes:
        mean: mean of the relative differences, and its error.
        of_means: mean sampled over mean true pT, minus 1: the same without the weight 1/pT of soft particles.
        events: in the range.
    """

    mean: ValueWithError
    of_means: float
    events: int


@dataclass(frozen=True, eq=False)
class BoostQuality:
    """Longitudinal momentum p_z of the whole event, from the sum of reconstructed objects and from the regression.

    Attributes:
        correlations: with the true p_z, by source (``"objects"``, ``"regression"``).
        biases: estimate − truth in bins of the true p_z, GeV, by source.
        spectra: distributions, also of the truth.
    """

    correlations: Mapping[str, Correlation]
    biases: Mapping[str, BinnedBias]
    spectra: Spectra


@dataclass(frozen=True)
class MultiplicityQuality:
    """Quality of the events with a given number of jets.

    Attributes:
        jets: e.g. ``"5"`` or ``"8 or more"``.
        events: number of them.
        log_density: mean log q of the truth.
        coverage_68, coverage_95: share of truths in these highest-density regions.
        rank_ks_max: largest Kolmogorov–Smirnov distance of a variable.
        rank_ks_limit: what 95% of calibrated posteriors have at most, for one variable.
        classifier: accuracy of the two-sample test.
        regression: median relative bias and half 68% width of the regressed pT, by particle, above 50 GeV.
        regression_width: the half width.
    """

    jets: str
    events: int
    log_density: ValueWithError
    coverage_68: ValueWithError
    coverage_95: ValueWithError
    rank_ks_max: float
    rank_ks_limit: float
    classifier: ValueWithError
    regression: Mapping[str, ValueWithError]
    regression_width: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class UnfoldingQuality:
    """Quality of the regression and of the samples of one model on held-out events.

    Attributes:
        view: which partons.
        events, samples: held-out events, and samples of each.
        unusable: events that the model could not use.
        regression: bias by ``"<pt or eta> <lab or cm> <particle>"``; pT relative, η absolute.
        boost: the longitudinal boost.
        sampled: bias of the samples, the same keys with ``cm``.
        sample_pt_bias: relative pT bias of the samples, by range (``"bulk"``, ``"low"``) and particle.
        spectra: of √ŝ and p_z, by source.
        ranks: of the tested variables.
        distances: TARP of each variable, then of all numbers and of all physical variables together.
        density: ranks of the density of the truth.
        coverage_68, coverage_95: share of truths in these highest-density regions.
        log_density: log q of the truth, mean over the events.
        classifier: accuracy of the two-sample test.
        by_multiplicity: quality against the number of jets.
        single_events: chosen events with many samples.
    """

    view: str
    events: int
    samples: int
    unusable: int
    regression: Mapping[str, BinnedBias]
    boost: BoostQuality
    sampled: Mapping[str, BinnedBias]
    sample_pt_bias: Mapping[str, Mapping[str, MeanBias]]
    spectra: Mapping[str, Spectra]
    ranks: tuple[RankTest, ...]
    distances: tuple[RankTest, ...]
    density: RankTest
    coverage_68: ValueWithError
    coverage_95: ValueWithError
    log_density: Estimate
    classifier: ValueWithError
    by_multiplicity: tuple[MultiplicityQuality, ...]
    single_events: tuple[SingleEvent, ...] = ()

    @property
    def rank_ks_max(self) -> RankTest:
        """The variable whose ranks are least uniform."""
        return max(self.ranks, key=lambda test: test.distance)

    def largest_regression_bias(self, low: float = 50.0, high: float = 400.0) -> ValueWithError:
        """Return the largest |median relative bias| of a regressed pT in bins of true pT between `low` and `high` GeV.

        NaN if no bin has enough events.
        """
        found = [bias.largest_median(low, high) for key, bias in self.regression.items() if key.startswith("pt lab")]
        known = [ValueWithError(*pair) for pair in found if np.isfinite(pair[0])]
        return max(known, key=lambda pair: pair.value, default=ValueWithError(float("nan"), float("nan")))

    def record(self) -> dict[str, object]:
        """Return everything as JSON-like values; None where nothing is known."""
        content = json_ready(self)
        return dict(content) if isinstance(content, Mapping) else {}


def json_ready(value: Any) -> object:
    """Return dataclasses, mappings, sequences, arrays and numbers as JSON-like values; None for what is not finite."""
    if isinstance(value, SingleEvent):
        return json_ready(value.summary())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_ready(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): json_ready(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray):
        return json_ready(_listed(value))
    if isinstance(value, list | tuple):
        return [json_ready(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _listed(array: NDArray[Any]) -> list[object]:
    listed: list[object] = array.tolist()
    return listed
