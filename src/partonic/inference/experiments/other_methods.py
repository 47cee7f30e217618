"""Other methods beside the likelihood of an inference, on the same simulated events.

They are all estimators whose coefficients the analysis has, calibrated as they would be fitted and restricted to the
events that all of them know, and what binned fits and the rate alone would give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.histograms import filled_histograms
from partonic.inference.calibration.calibration_file import Calibration, read_calibration
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import parton_events_of
from partonic.inference.coefficients.members_file import read_members
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.compared import PARTON_TRUTH, ComparedEvents
from partonic.inference.experiments.comparison import compare_methods
from partonic.inference.experiments.expected_curves import jackknife_groups
from partonic.inference.samples import Loaded
from partonic.inference.sources import EstimatorFiles, read_of_source

__all__ = ["compared"]

Array = NDArray[np.float64]

FEW = 100
"""Events that an estimator must share with the others to be compared."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    """An estimator: its calibrated coefficients, and those of each member of its ensemble, which are not."""

    events: EventCoefficients
    members: tuple[EventCoefficients, ...] = ()

    def of(self, event_id: NDArray[np.int64]) -> "_Candidate":
        """Return the coefficients of some events."""
        mask = np.isin(self.events.event_id, event_id)
        return _Candidate(self.events.select(mask), tuple(each.select(mask) for each in self.members))


def compared(
    loaded: Loaded, config: InferenceConfig, files: Mapping[str, EstimatorFiles] | None = None
) -> dict[str, Any]:
    """Return the expected numbers of all methods as JSON-like values, under ``comparison``.

    Estimated densities are normalised with their own mean over the events, so that a small sample, whose mean is not
    quite σ_a/σ_0, does not count against them. Nothing is compared where the settings do not ask for it, or without
    simulated events of the signal.

    Args:
        loaded: what the inference read.
        config: its settings.
        files: of all estimators that are compared, by the name of their source; that of the fit need not be there.

    Raises:
        InferenceError: if a histogram is asked for without an event store, or another estimator made a file.
        EventFileError: if a file is missing or damaged.
    """
    if not config.compare or not loaded.samples:
        return {}
    sample, mixture = loaded.samples[0], loaded.setup.mixture
    candidates, left_out = _candidates(loaded, config, files or {})
    at_reference = sample.signal.reference_weights(sample.weights)
    known = sample.signal.event_id[sample.signal.usable() & (at_reference > 0.0)]
    chosen, common = _common(candidates, known, left_out)
    good = np.isin(sample.signal.event_id, common)
    signal = chosen[sample.signal.source].events
    scale = float(mixture.signal.sigma(signal.reference)) / at_reference[good].sum()
    weights = sample.weights[good] * scale
    known_names = signal.monomials.parameters
    estimates = {PARTON_TRUTH: _truth(signal, weights)}
    estimates |= {name: each.events for name, each in chosen.items() if name != "truth"}
    found = compare_methods(
        ComparedEvents(
            signal.monomials,
            weights,
            estimates,
            {},
            {name: value for name, value in mixture.standard_model.items() if name in known_names},
            _histograms(loaded, config, signal, weights),
            {name: each.members for name, each in chosen.items()},
            jackknife_groups(_keys(loaded, signal.event_id)),
        ),
        config.luminosity,
        tuple(name for name in loaded.setup.interest if name in known_names),
        levels=tuple(sorted(config.levels)),
        mean_ratios=True,
    )
    return {"comparison": replace(found, left_out=left_out).to_json()}


def _candidates(
    loaded: Loaded, config: InferenceConfig, files: Mapping[str, EstimatorFiles]
) -> tuple[dict[str, _Candidate], dict[str, str]]:
    """Return the estimators by name, that of the fit first, and why one cannot be compared."""
    signal = loaded.samples[0].signal
    found, left_out = {signal.source: _Candidate(signal)}, dict[str, str]()
    for name, each in files.items():
        raw, metadata = read_of_source(each.coefficients, name, f"inference.coefficients of {name}")
        if (raw.monomials, raw.reference_point) != (signal.monomials, signal.reference_point):
            left_out[name] = "it has other monomials, or another reference, than the coefficients that are fitted"
            continue
        rate = loaded.setup.mixture.signal
        if metadata.cross_section is not None:
            rate = FiducialRate.from_record(metadata.monomials, metadata.cross_section)
        is_fitted = name == signal.source
        path = each.calibration
        calibration = loaded.calibration if is_fitted else None if path is None else read_calibration(path)
        events = signal if is_fitted else _calibrated(raw, calibration, rate)
        members = _members(raw, each)
        found[name] = _Candidate(events, members)
    return found, left_out


def _calibrated(events: EventCoefficients, calibration: Calibration | None, rate: FiducialRate) -> EventCoefficients:
    return events if calibration is None else calibration.apply(events, rate)


def _members(events: EventCoefficients, files: EstimatorFiles) -> tuple[EventCoefficients, ...]:
    """Return the coefficients of each member, without an error of their own.

    They are not calibrated: the calibration is one of their mean, and may stretch what a single member has of noise.
    """
    if files.members is None:
        return ()
    usable = events.usable()[:, None]
    ratios = np.where(usable, read_members(files.members, events.event_id), np.nan)
    exact = replace(events, covariance=np.where(usable[..., None], np.zeros_like(events.covariance), np.nan))
    return tuple(replace(exact, ratios=each) for each in ratios)


def _common(
    candidates: Mapping[str, _Candidate], known: NDArray[np.int64], left_out: dict[str, str]
) -> tuple[dict[str, _Candidate], NDArray[np.int64]]:
    """Return the estimators that have events in common, and these events; say in `left_out` who has too few."""
    first, *others = candidates
    names = [first]
    for name in others:
        events = candidates[name].events
        both = known[np.isin(known, events.event_id[events.usable()])]
        if len(both) < FEW:
            left_out[name] = (
                f"only {len(both)} events have coefficients by it and by all others before it (needed: {FEW}): give "
                "it more of the events that are fitted"
            )
            continue
        names.append(name)
        known = both
    chosen = {name: candidates[name].of(known) for name in names}
    for name, each in chosen.items():
        if not np.array_equal(each.events.event_id, chosen[first].events.event_id):
            raise InferenceError(
                f"the coefficients of '{name}' have the events in another order than those of '{first}': make both "
                "from one event store"
            )
    return chosen, known


def _truth(signal: EventCoefficients, weights: Array) -> EventCoefficients:
    """Return the parton truth of the same events."""
    at_reference = signal.reference_weights(weights)
    return replace(
        signal,
        ratios=weights / at_reference[:, None],
        log_reference=np.log(at_reference),
        covariance=np.zeros_like(signal.covariance),
        source="truth",
        response=None,
    )


def _histograms(loaded: Loaded, config: InferenceConfig, signal: EventCoefficients, weights: Array) -> dict[str, Any]:
    if not config.binned:
        return {}
    if loaded.store is None:
        message = "`inference.binned` reads observables of simulated events: give their event store"
        raise InferenceError(message)
    store = EventStore.open(loaded.store)
    return filled_histograms(config.binned, store, signal.event_id, signal.monomials, weights)


def _keys(loaded: Loaded, event_id: NDArray[np.int64]) -> NDArray[np.int64]:
    return event_id if loaded.store is None else parton_events_of(EventStore.open(loaded.store), event_id)
