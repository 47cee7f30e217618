"""From the table of events to the quality of the model: every figure is a plain function of the table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.estimate import Estimate
from partonic.unfolding.quality.bias import BinnedBias, binned_bias
from partonic.unfolding.quality.classifier import ClassifierScore, ClassifierSettings, classifier_two_sample_test
from partonic.unfolding.quality.observables import PARTICLES
from partonic.unfolding.quality.ranks import RankTest, coverage, ks_distance, ks_limit, rank_test
from partonic.unfolding.quality.result import (
    BoostQuality,
    MeanBias,
    MultiplicityQuality,
    UnfoldingQuality,
    ValueWithError,
)
from partonic.unfolding.quality.single_event import SingleEvent
from partonic.unfolding.quality.spectra import Spectra, correlation, spectra
from partonic.unfolding.quality.table import EventTable, tested_variables

__all__ = ["PT_RANGES", "Tested", "assess"]

PT_EDGES: Final = (0.0, 25.0, 50.0, 75.0, 100.0, 125.0, 150.0, 200.0, 250.0, 300.0, 400.0, 500.0, 650.0)
ETA_EDGES: Final = tuple(float(edge) for edge in np.linspace(-4.0, 4.0, 17))
P_Z_EDGES: Final = tuple(float(edge) for edge in np.linspace(-3000.0, 3000.0, 31))
SQRT_S_EDGES: Final = tuple(float(edge) for edge in np.linspace(450.0, 1950.0, 31))
BOOST_EDGES: Final = tuple(float(edge) for edge in np.linspace(-3000.0, 3000.0, 13))

PT_RANGES: Final = {"bulk": (50.0, 250.0), "low": (0.0, 50.0)}
"""Ranges of the true pT, GeV, in which the mean bias of the samples is quoted."""

_GROUPS: Final = ((4, "4"), (5, "5"), (6, "6"), (7, "7"))
_MOST_JETS: Final = 8
_FEWEST_EVENTS: Final = 30
_REGRESSION_PT: Final = 50.0


@dataclass(frozen=True)
class Tested:
    """What was tested.

    Attributes:
        view: which partons.
        dimensions: D of the unit cube.
        samples: of each event.
        unusable: events that the model could not use.
    """

    view: str
    dimensions: int
    samples: int
    unusable: int


def assess(
    table: EventTable,
    tested: Tested,
    generator: torch.Generator,
    classifier: ClassifierSettings | None = None,
    single_events: tuple[SingleEvent, ...] = (),
) -> UnfoldingQuality:
    """Return the quality that the events of `table` show.

    Args:
        table: the held-out events, at least two for each part of the two-sample test.
        tested: what was tested.
        generator: of the two-sample test.
        classifier: its network.
        single_events: chosen events, handed on.
    """
    score = classifier_two_sample_test(
        torch.from_numpy(table.condition),
        torch.from_numpy(table.true_features),
        torch.from_numpy(table.sampled_features),
        generator,
        classifier,
    )
    low, high = _region_coverage(table, tested.samples)
    return UnfoldingQuality(
        view=tested.view,
        events=len(table),
        samples=tested.samples,
        unusable=tested.unusable,
        regression=dict(_regression(table)),
        boost=_boost(table),
        sampled=dict(_sampled(table)),
        sample_pt_bias={name: _pt_bias(table, *span) for name, span in PT_RANGES.items()},
        spectra=_spectra(table),
        ranks=_rank_tests(table, tested),
        distances=_distance_tests(table, tested),
        density=rank_test("log q", table.density_ranks, tested.samples),
        coverage_68=low,
        coverage_95=high,
        log_density=Estimate.from_weights(table.log_density),
        classifier=ValueWithError(score.accuracy, score.error),
        by_multiplicity=tuple(_by_multiplicity(table, tested, score)),
        single_events=single_events,
    )


def _regression(table: EventTable) -> Iterator[tuple[str, BinnedBias]]:
    for frame, truth, found in (
        ("lab", table.true_lab, table.regressed_lab),
        ("cm", table.true_cm, table.regressed_cm),
    ):
        for number, particle in enumerate(PARTICLES):
            (pt, eta), (pt_found, eta_found) = truth[:, number].T, found[:, number].T
            yield f"pt {frame} {particle}", binned_bias(pt, (pt_found - pt) / pt, PT_EDGES)
            yield f"eta {frame} {particle}", binned_bias(eta, eta_found - eta, ETA_EDGES)


def _sampled(table: EventTable) -> Iterator[tuple[str, BinnedBias]]:
    for number, particle in enumerate(PARTICLES):
        pt, eta = table.true_cm[:, number].T
        pt_drawn, eta_drawn = table.sampled_cm[:, :, number, 0], table.sampled_cm[:, :, number, 1]
        yield f"pt cm {particle}", binned_bias(pt, (pt_drawn - pt[:, None]) / pt[:, None], PT_EDGES)
        yield f"eta cm {particle}", binned_bias(eta, eta_drawn - eta[:, None], ETA_EDGES)


def _pt_bias(table: EventTable, low: float, high: float) -> dict[str, MeanBias]:
    result = {}
    for number, particle in enumerate(PARTICLES):
        truth = table.true_cm[:, number, 0].astype(np.float64)
        inside = (truth >= low) & (truth < high)
        drawn = table.sampled_cm[inside, :, number, 0].mean(axis=1, dtype=np.float64)
        relative, events = drawn / truth[inside] - 1.0, int(inside.sum())
        of_means = float(drawn.mean() / truth[inside].mean() - 1.0) if events else float("nan")
        result[particle] = MeanBias(_mean(relative), of_means, events)
    return result


def _boost(table: EventTable) -> BoostQuality:
    truth, sources = table.true_system[:, 1], {"objects": table.sum_p_z, "regression": table.regressed_system[:, 1]}
    return BoostQuality(
        correlations={name: correlation(truth, found, P_Z_EDGES) for name, found in sources.items()},
        biases={name: binned_bias(truth, found - truth, BOOST_EDGES) for name, found in sources.items()},
        spectra=spectra({"truth": truth, **sources}, P_Z_EDGES),
    )


def _spectra(table: EventTable) -> dict[str, Spectra]:
    return {
        name: spectra(
            {
                "truth": table.true_system[:, column],
                "samples": table.sampled_system[:, :, column],
                "regression": table.regressed_system[:, column],
            },
            edges,
        )
        for column, (name, edges) in enumerate((("sqrt_s", SQRT_S_EDGES), ("p_z", P_Z_EDGES)))
    }


def _rank_tests(table: EventTable, tested: Tested) -> tuple[RankTest, ...]:
    variables = tested_variables(tested.dimensions)
    return tuple(
        rank_test(variable.name, table.ranks[:, number], tested.samples) for number, variable in enumerate(variables)
    )


def _distance_tests(table: EventTable, tested: Tested) -> tuple[RankTest, ...]:
    names = [variable.name for variable in tested_variables(tested.dimensions)]
    return tuple(
        rank_test(name, table.distance_ranks[:, number], tested.samples)
        for number, name in enumerate([*names, "all numbers", "all physical variables"])
    )


def _region_coverage(table: EventTable, samples: int) -> tuple[ValueWithError, ValueWithError]:
    found = coverage(table.density_ranks, samples, np.array([0.68, 0.95]))
    low, high = (
        ValueWithError(float(value), float(np.sqrt(level * (1.0 - level) / len(table))))
        for value, level in zip(found, (0.68, 0.95), strict=True)
    )
    return low, high


def _by_multiplicity(table: EventTable, tested: Tested, score: ClassifierScore) -> Iterator[MultiplicityQuality]:
    masks = [(name, table.multiplicity == jets) for jets, name in _GROUPS]
    for name, mask in (*masks, (f"{_MOST_JETS} or more", table.multiplicity >= _MOST_JETS)):
        if mask.sum() >= _FEWEST_EVENTS:
            yield _of_multiplicity(name, table.where(mask), tested, _mean(score.correct[mask]))


def _of_multiplicity(jets: str, table: EventTable, tested: Tested, classifier: ValueWithError) -> MultiplicityQuality:
    low, high = _region_coverage(table, tested.samples)
    regression, width = _regression_summary(table)
    return MultiplicityQuality(
        jets=jets,
        events=len(table),
        log_density=_mean(table.log_density),
        coverage_68=low,
        coverage_95=high,
        rank_ks_max=max(ks_distance(ranks, tested.samples) for ranks in table.ranks.T),
        rank_ks_limit=ks_limit(len(table)),
        classifier=classifier,
        regression=regression,
        regression_width=width,
    )


def _regression_summary(table: EventTable) -> tuple[Mapping[str, ValueWithError], Mapping[str, float]]:
    medians, widths = {}, {}
    for number, particle in enumerate(PARTICLES):
        truth, found = table.true_lab[:, number, 0], table.regressed_lab[:, number, 0]
        bias = binned_bias(truth, found / truth - 1.0, (_REGRESSION_PT, np.inf))
        medians[particle] = ValueWithError(float(bias.median[0]), float(bias.median_error[0]))
        widths[particle] = float(0.5 * (bias.high[0] - bias.low[0]))
    return medians, widths


def _mean(values: NDArray[np.float64]) -> ValueWithError:
    if len(values) < 2:
        return ValueWithError(float("nan"), float("nan"))
    return ValueWithError(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
