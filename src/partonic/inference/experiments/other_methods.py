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
    sample, rate = loaded.samples[0], loaded.setup.mixture.signal.coefficients
    good = sample.signal.usable() & (sample.weights[:, 0] > 0.0)
    estimate = sample.signal.select(good)
    weights = sample.weights[good] * (rate[0] / sample.weights[good, 0].sum())
    truth = replace(
        estimate,
        ratios=weights / weights[:, :1],
        log_reference=np.log(weights[:, 0]),
        covariance=np.zeros_like(estimate.covariance),
        source="truth",
    )
    estimates = {TRUTH: truth} if estimate.source == "truth" else {TRUTH: truth, estimate.source: estimate}
    found = compare_methods(
        ComparedEvents(estimate.monomials, weights, estimates, {}),
        config.luminosity,
        loaded.setup.interest,
        mean_ratios=True,
    )
    return {"comparison": found.to_json()}
