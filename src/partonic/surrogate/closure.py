"""The closure of a surrogate: its events beside simulated ones that it did not learn.

The held-out parton events are dealt to two halves. Of one the simulated events are taken, for the other one the
surrogate draws events, so that both samples are independent and have the same density if the surrogate is right.
Compared are ten observables (Wasserstein distances beside those of equal densities), a classifier that sees partons and
objects (area under its curve, 0.5 if it cannot tell), means of the ratios R_a = c_a/c_ref in bins, and the
selected fraction, which the learned acceptance predicts for the same partons. Events count one each: what follows given
partons does not depend on their weights, which may be of any sign and size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.classify.plain_classifier import ClassifierSample, TreeSettings, plain_classifier
from partonic.errors import DependencyError, SchemaError, TrainingError
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo
from partonic.rng import numpy_generator, torch_generator
from partonic.surrogate.distances import sample_distance
from partonic.surrogate.held_out import SimulatedEvents
from partonic.surrogate.model import DetectorSurrogate
from partonic.surrogate.object_numbers import ObjectNumbers
from partonic.surrogate.observables import Observable, observables_of, values_of
from partonic.surrogate.simulate import accepted_events

__all__ = ["closure_of"]

Array = NDArray[np.float64]

_BINS = 20
_RATIO_BINS = 5
_TAIL = 0.005
"""Share of the simulated events beyond the last edge of a histogram."""

_CLASSIFIER_JETS = 8
_FEWEST = 50
"""Events with an object for the classifier to look at it."""

_TREES = TreeSettings(rounds=200, learning_rate=0.1, leaves=31, events_of_leaf=20)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Selected events of one kind: objects, coefficients (pb) and partons."""

    reco: RecoEvents
    coefficients: Array
    momenta: torch.Tensor


def closure_of(
    surrogate: DetectorSurrogate, events: SimulatedEvents, process: ProcessInfo, seed: int
) -> dict[str, Any]:
    """Return the closure of a surrogate as JSON-like values.

    Args:
        surrogate: the surrogate.
        events: simulated events that it did not learn.
        process: of the events.
        seed: root seed.

    Raises:
        SchemaError: if there are too few events.
    """
    generator = torch_generator(seed, "closure")
    dealt = torch.randperm(len(events), generator=generator)
    half = len(events) // 2
    simulated = _simulated(events.take(dealt[:half]))
    drawn = _drawn(surrogate, events.take(dealt[half:]), process.collider_energy, generator)
    layout, dice = surrogate.layout, numpy_generator(seed, "closure")
    first, second = (values_of(sample.reco, layout) for sample in (simulated, drawn))
    found = {
        each.name: _of_observable(each, first[each.name], second[each.name], dice) for each in observables_of(layout)
    }
    binned = [name for name in ("ht", observables_of(layout)[0].name) if name in found]
    return {
        "events": {"simulated": len(simulated.reco), "surrogate": len(drawn.reco)},
        "selected_fraction": _fraction(surrogate, events),
        "auc": _auc(surrogate, simulated, drawn, seed),
        "observables": found,
        "ratios": {name: _ratios((first[name], simulated), (second[name], drawn), process) for name in binned},
    }


def _simulated(events: SimulatedEvents) -> _Sample:
    chosen = events.selected.numpy()
    if chosen.sum() < 2 * _BINS:
        raise SchemaError(
            f"the closure of a surrogate needs {2 * _BINS} selected events in each half of those held out, got "
            f"{int(chosen.sum())}: give more events, or a larger surrogate_training.held_out"
        )
    return _Sample(events.reco, events.coefficients[chosen], events.momenta[events.selected])


def _drawn(
    surrogate: DetectorSurrogate, events: SimulatedEvents, collider_energy: float, generator: torch.Generator
) -> _Sample:
    selected, reco = accepted_events(surrogate, events.momenta, collider_energy, generator)
    if reco is None:
        raise SchemaError(f"the surrogate selects none of {len(events)} events: it was trained badly, or on others")
    chosen = selected.numpy()
    return _Sample(reco, events.coefficients[chosen], events.momenta[selected])


def _of_observable(observable: Observable, simulated: Array, drawn: Array, dice: np.random.Generator) -> dict[str, Any]:
    """Return the distance in an observable, and histograms (shares of all events) with their errors."""
    edges = _edges(observable, simulated)
    shown = [_histogram(values, edges) for values in (simulated, drawn)]
    return {
        "label": observable.label, "unit": observable.unit, "discrete": observable.discrete,
        **sample_distance(simulated, drawn, dice),
        "edges": edges.tolist(),
        "simulated": shown[0][0].tolist(), "simulated_error": shown[0][1].tolist(),
        "surrogate": shown[1][0].tolist(), "surrogate_error": shown[1][1].tolist(),
    }  # fmt: skip


def _edges(observable: Observable, values: Array) -> Array:
    low, high = np.quantile(values, [0.0, 1.0 - _TAIL])
    if observable.discrete:
        return np.arange(low, max(high, low + 1) + 2) - 0.5
    return np.linspace(low, high if high > low else low + 1.0, _BINS + 1)


def _histogram(values: Array, edges: Array) -> tuple[Array, Array]:
    counts = np.histogram(values, edges)[0]
    return counts / len(values), np.sqrt(counts) / len(values)


def _fraction(surrogate: DetectorSurrogate, events: SimulatedEvents) -> dict[str, Any]:
    """Return the selected fraction of the simulation, its binomial error, and what the acceptance predicts for it."""
    predicted = surrogate.acceptance.log_probability(events.momenta).exp()
    error = float((predicted * (1.0 - predicted)).sum().sqrt()) / len(events)
    found = float(events.selected.double().mean())
    return {"simulated": found, "error": error, "surrogate": float(predicted.mean())}


def _auc(surrogate: DetectorSurrogate, simulated: _Sample, drawn: _Sample, seed: int) -> dict[str, Any] | None:
    """Return the area under the curve of a classifier of both; None if there are too few events or no scikit-learn."""
    features = [_features(surrogate, sample, seed, place) for place, sample in enumerate((drawn, simulated))]
    varies = _varies(np.concatenate(features))
    first, second = (ClassifierSample(np.arange(len(each)), each[:, varies], np.ones(len(each))) for each in features)
    try:
        trained = plain_classifier(first, second, numpy_generator(seed, "classifier"), _TREES)
    except (TrainingError, DependencyError):
        return None
    return {"value": float(trained.roc.auc.value), "error": float(trained.roc.auc.error)}


def _features(surrogate: DetectorSurrogate, sample: _Sample, seed: int, place: int) -> Array:
    """Return what the classifier sees: objects without masses of jets, observables, partons; NaN for no object."""
    numbers = ObjectNumbers(surrogate.layout, max(_CLASSIFIER_JETS, surrogate.layout.jets_min))
    masses = [numbers.first_jet + 5 * jet + 4 for jet in range(numbers.jets)]
    generator = torch_generator(seed, "classifier", place)
    own = np.delete(numbers.encode(sample.reco, sample.momenta, generator).numpy(), masses, axis=1)
    high = np.stack(list(values_of(sample.reco, surrogate.layout).values()), axis=1)
    return np.concatenate([own, high, numbers.conditions(sample.momenta).numpy()], axis=1)


def _varies(features: Array) -> NDArray[np.bool_]:
    """Return which features have different values in enough events for trees to cut on."""
    there = np.isfinite(features)
    known = np.where(there, features, np.inf).min(axis=0) < np.where(there, features, -np.inf).max(axis=0)
    varies: NDArray[np.bool_] = known & (there.sum(axis=0) >= _FEWEST)
    return varies


def _ratios(simulated: tuple[Array, _Sample], drawn: tuple[Array, _Sample], process: ProcessInfo) -> dict[str, Any]:
    """Return the means of R_a in bins of an observable with as many simulated events each."""
    inner = np.unique(np.quantile(simulated[0], np.linspace(0.0, 1.0, _RATIO_BINS + 1)[1:-1]))
    monomials = process.monomials
    reference = monomials.evaluate(monomials.point(process.standard_model))
    means = []
    for values, sample in (simulated, drawn):
        bins = np.searchsorted(inner, values)
        means.append([_mean(sample.coefficients[bins == number], reference) for number in range(len(inner) + 1)])
    result: dict[str, Any] = {"edges": inner.tolist(), "monomials": {}}
    for place, name in enumerate(monomials.names):
        one, other = (np.array([[mean[place], error[place]] for mean, error in each]) for each in means)
        variance = one[:, 1] ** 2 + other[:, 1] ** 2
        known = np.isfinite(variance) & (variance > (1e-9 * np.abs(one[:, 0])) ** 2)
        pulls = (other[known, 0] - one[known, 0]) / np.sqrt(variance[known])
        result["monomials"][name] = {
            "simulated": _finite(one), "surrogate": _finite(other), "chi2": float((pulls**2).sum()), "bins": len(pulls)
        }  # fmt: skip
    return result


def _mean(coefficients: Array, reference: Array) -> tuple[Array, Array]:
    """Return Σ c_a / Σ c_ref and its standard error for each monomial."""
    weight = coefficients @ reference
    total = weight.sum()
    if not total > 0:
        return np.full(len(reference), np.nan), np.full(len(reference), np.nan)
    mean = coefficients.sum(axis=0) / total
    return mean, np.sqrt(((coefficients - weight[:, None] * mean) ** 2).sum(axis=0)) / total


def _finite(rows: Array) -> list[list[float | None]]:
    """Return means and errors, None where there is none, as JSON has no NaN."""
    return [[float(value) if np.isfinite(value) else None for value in row] for row in rows]
