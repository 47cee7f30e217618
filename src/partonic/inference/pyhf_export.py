"""The data of an inference and the templates of its simulated events in bins of optimal observables, for pyhf.

The bins are of R_2 and R_1 of one parameter (`partonic.inference.coefficients.observables`), of equal weight in the
simulated signal. Signal, backgrounds and data fall into the same bins by their coefficients under the signal; events
without coefficients have a bin of their own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import PyhfConfig
from partonic.errors import InferenceError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.pyhf_workspace import NOMINAL, MorphedWorkspace, export_workspace
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.coefficients.observables import observable_names, optimal_observables
from partonic.inference.data import Data
from partonic.inference.experiments.pool import PoolSample
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.samples import Loaded

__all__ = ["export_of"]

Array = NDArray[np.float64]


def export_of(loaded: Loaded, data: Data, config: PyhfConfig) -> MorphedWorkspace:
    """Return the workspace of what was fitted, with the rates of the mixture.

    Its measurements are the Standard Model, and the θ of the data where that is known.

    Args:
        loaded: simulated events, rates and uncertainties.
        data: what was fitted.
        config: parameter and bins.

    Raises:
        InferenceError: if there are no simulated events to fill templates with, or there are data in an empty bin.
        ParameterError: if the parameter is unknown or its terms are not those of a polynomial of degree 2.
    """
    if not loaded.samples:
        msg = (
            "templates for pyhf are filled with simulated events: give the event store of the signal, and with "
            "backgrounds fit pseudo-data or an Asimov sample (`inference.data`), or leave out `inference.pyhf`"
        )
        raise InferenceError(msg)
    mixture, name = loaded.setup.mixture, config.parameter
    values = [_observables(each, name) for each in loaded.samples]
    signal = loaded.samples[0]
    scaled = signal.weights * _scale(mixture, signal, 0)
    yields = signal.signal.reference_weights(scaled)
    binning = Binning.quantiles(observable_names(name)[::-1], values[0], yields, config.bins)
    if not binning.unusable and not all(np.isfinite(each).all() for each in values):
        binning = Binning(binning.names, binning.outer, binning.inner, unusable=True)
    templates = Templates.fill(binning, signal.signal.monomials, values[0], scaled).with_backgrounds(
        [
            BackgroundTemplate.fill(
                rate.name, binning, values[number], loaded.samples[number].weights[:, 0]
                * _scale(mixture, loaded.samples[number], number), rate.uncertainty,
            )
            for number, rate in enumerate(mixture.backgrounds, start=1)
        ]
    )  # fmt: skip
    measurements = {NOMINAL: mixture.standard_point()}
    if data.truth is not None:
        measurements["data"] = {**mixture.standard_point(), **data.truth}
    counts = _counts(loaded.samples, values, data, binning)
    return export_workspace(templates, counts, mixture, measurements, mixture.standard_point())


def _observables(sample: PoolSample, name: str) -> Array:
    """Return R_2 and R_1 of events, NaN for those that a hypothesis has no coefficients of, `(N, 2)`."""
    return np.where(sample.usable()[:, None], optimal_observables(sample.signal, name)[:, ::-1], np.nan)


def _scale(mixture: Mixture, sample: PoolSample, number: int) -> float:
    """Return what the weights of a process are multiplied with to sum to its fiducial cross section.

    They are less where only part of the selected events have coefficients.
    """
    if number:
        return float(mixture.backgrounds[number - 1].cross_section / sample.weights.sum())
    point = sample.signal.monomials.point(mixture.standard_point())
    vector = sample.signal.monomials.evaluate(point)
    return float(mixture.signal.sigma(point) / (sample.weights.sum(axis=0) @ vector))


def _counts(samples: Sequence[PoolSample], values: Sequence[Array], data: Data, binning: Binning) -> Array:
    """Return the number of data in each bin, `(J,)`: they are events of the pool, in its order."""
    of_pool = np.concatenate([each[sample.usable()] for each, sample in zip(values, samples, strict=True)])
    chosen = of_pool if data.chosen is None else of_pool[data.chosen]
    counts = binning.counts(chosen, data.likelihood.weights)
    if data.likelihood.without_coefficients:
        counts[-1] += data.likelihood.without_coefficients
    return counts
