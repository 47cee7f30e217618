"""Other methods beside the likelihood of an inference, on the same simulated events: what the binned fit would give."""

from dataclasses import replace
from typing import Any

import numpy as np

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.histograms import filled_histograms
from partonic.inference.experiments.comparison import PARTON_TRUTH, ComparedEvents, compare_methods
from partonic.inference.samples import Loaded

__all__ = ["compared"]


def compared(loaded: Loaded, config: InferenceConfig) -> dict[str, Any]:
    """Return expected intervals of all methods as JSON-like values, under ``comparison``.

    Estimated densities are normalised with their own mean over the events, so that a small sample, whose mean is not
    quite σ_a/σ_0, does not count against them. Nothing is compared where the settings do not ask for it, or without
    simulated events of the signal.
    """
    if not config.compare or not loaded.samples:
        return {}
    sample = loaded.samples[0]
    mixture, at_reference = loaded.setup.mixture, sample.signal.reference_weights(sample.weights)
    good = sample.signal.usable() & (at_reference > 0.0)
    estimate = sample.signal.select(good)
    scale = float(mixture.signal.sigma(estimate.reference)) / at_reference[good].sum()
    weights, at_reference = sample.weights[good] * scale, at_reference[good] * scale
    truth = replace(
        estimate,
        ratios=weights / at_reference[:, None],
        log_reference=np.log(at_reference),
        covariance=np.zeros_like(estimate.covariance),
        source="truth",
    )
    known = estimate.monomials.parameters
    standard = {name: value for name, value in mixture.standard_model.items() if name in known}
    estimates = (
        {PARTON_TRUTH: truth} if estimate.source == "truth" else {PARTON_TRUTH: truth, estimate.source: estimate}
    )
    histograms = {}
    if config.binned:
        if loaded.store is None:
            message = "`inference.binned` reads observables of simulated events: give their event store"
            raise InferenceError(message)
        store = EventStore.open(loaded.store)
        histograms = filled_histograms(config.binned, store, estimate.event_id, estimate.monomials, weights)
    found = compare_methods(
        ComparedEvents(estimate.monomials, weights, estimates, {}, standard, histograms),
        config.luminosity,
        tuple(name for name in loaded.setup.interest if name in estimate.monomials.parameters),
        mean_ratios=True,
    )
    return {"comparison": found.to_json()}
