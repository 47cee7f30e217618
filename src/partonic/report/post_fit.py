"""The data and what the best fit expects of them, event by event, for distributions of any observable."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.experiments.pool import Pool
from partonic.inference.likelihood.mixture import Mixture
from partonic.report.event_observables import observables_of_events
from partonic.report.fitted import FittedEvents
from partonic.report.observables import reco_observables
from partonic.report.predicted import PredictedEvents, predicted_by_inference

__all__ = ["PLAIN", "PostFit", "post_fit"]

Array = NDArray[np.float64]

PLAIN = ("jet_multiplicity", "ht", "closest_pair_mass")
"""Plain observables that are compared: counts, hardness, and the mass that shows a Higgs boson."""


@dataclass(frozen=True, eq=False)
class PostFit:
    """Expected events and data.

    Attributes:
        events: simulated events and data with their coefficients.
        component: of each simulated event, 0 for the signal, `(N,)`.
        names: of the processes: the signal, further components, backgrounds.
        expected: expected number that each simulated event stands for at the best fit, `(N,)`.
        reference: the same in the Standard Model and with nominal normalisations, `(N,)`.
        plain: plain observables of simulated events and data by name, `(N,)` and `(D,)`.
        same_events: whether the data are among the simulated events, so that both fluctuate together.
    """

    events: PredictedEvents
    component: NDArray[np.int64]
    names: tuple[str, ...]
    expected: Array
    reference: Array
    plain: dict[str, tuple[Array, Array]]
    same_events: bool


def post_fit(fitted: FittedEvents, best: dict[str, float]) -> PostFit | None:
    """Return expectation and data of a fit; None where there are no simulated events to expect from.

    Args:
        fitted: events of the inference.
        best: best values of all its parameters.

    Raises:
        EventFileError: if a store lacks an event that was fitted.
    """
    loaded = fitted.loaded
    if not loaded.samples or loaded.pool is None:
        return None
    events = predicted_by_inference(fitted)
    sizes = [len(part) for part in events.samples]
    component = np.repeat([sample.component for sample in loaded.samples], sizes)
    mixture = loaded.setup.mixture
    return PostFit(
        events=events,
        component=component,
        names=("signal", *(each.name for each in mixture.components), *(each.name for each in mixture.backgrounds)),
        expected=_expected(loaded.pool, mixture, mixture.point(best)),
        reference=_expected(loaded.pool, mixture, mixture.point(mixture.standard_point())),
        plain=_plain(fitted, events),
        same_events=fitted.data.kind != "asimov",
    )


def _expected(pool: Pool, mixture: Mixture, phi: Array) -> Array:
    """Return the number that each event of a pool stands for at φ `(P,)`, `(N,)`.

    Those of a process sum to its expected number, less the share of the events without coefficients.
    """
    vector = mixture.vector(phi)
    yields: Array = pool.weights @ vector
    for number, expected in enumerate(mixture.expected_by_component(phi)):
        rows = pool.component == number
        total = yields[rows].sum() + pool.without_coefficients[number] @ vector
        yields[rows] *= expected / total if total else 0.0
    return yields


def _plain(fitted: FittedEvents, events: PredictedEvents) -> dict[str, tuple[Array, Array]]:
    observables = [each for each in reco_observables() if each.axis.name in PLAIN]
    stores = [fitted.stores[sample.component] for sample in fitted.loaded.samples]
    simulated = [
        observables_of_events(store, part.event_id, observables)
        for store, part in zip(stores, events.samples, strict=True)
    ]
    of_data = stores if fitted.data.chosen is not None else [fitted.stores[0]]
    data = [
        observables_of_events(store, part.event_id, observables)
        for store, part in zip(of_data, events.data, strict=True)
    ]
    return {name: (_joined(simulated, name), _joined(data, name)) for name in PLAIN}


def _joined(parts: list[dict[str, Array]], name: str) -> Array:
    return np.concatenate([np.zeros(0), *(part[name] for part in parts)])
