"""Other methods beside the likelihood of an inference, on the same simulated events: what the binned fit would give."""

from dataclasses import replace
from typing import Any

import numpy as np

from partonic.config.inference import InferenceConfig
from partonic.inference.experiments.comparison import ComparedEvents, compare_methods
from partonic.inference.samples import Loaded

__all__ = ["compared"]

TRUTH = "parton truth"
"""Name of the bound of what any method can reach."""


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
    estimates = {TRUTH: truth} if estimate.source == "truth" else {TRUTH: truth, estimate.source: estimate}
    found = compare_methods(
        ComparedEvents(estimate.monomials, weights, estimates, {}, standard),
        config.luminosity,
        tuple(name for name in loaded.setup.interest if name in estimate.monomials.parameters),
        mean_ratios=True,
    )
    return {"comparison": found.to_json()}
