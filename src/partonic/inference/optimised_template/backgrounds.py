"""Simulated events of the backgrounds of a template, with the ratios of the signal and the densities of backgrounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.config.inference.template import TemplateBackgroundConfig, TemplateConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.histograms import observables_of_store
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import parton_events_of, weights_of
from partonic.inference.experiments.pool import PoolSample
from partonic.inference.likelihood.components import BackgroundRate
from partonic.inference.optimised_template.regions import region_of_events
from partonic.inference.samples import Loaded
from partonic.inference.sources import read_of_source
from partonic.provenance import file_digest

__all__ = ["BackgroundEvents", "BackgroundReader", "behind_of", "check_simulation", "known_ratios", "observed_of"]

Array = NDArray[np.float64]

_LIKE_THE_SIGNAL = ("detector", "jets", "selection")
"""Parts of the section `simulation` that must be the same in all stores."""

_LARGEST_LOG = 50.0
"""Of a ratio of densities: beyond it an event is of one process for sure."""


@dataclass(frozen=True)
class BackgroundEvents:
    """N simulated events of a background in one of the regions.

    Attributes:
        name: of the background.
        ratios: R_a of the signal's estimator, NaN where it has none, `(N, A)`.
        weights: in sum the cross section in the regions, pb, `(N,)`.
        region: number of the region of each, `(N,)`.
        uncertainty: relative, of the normalisation; None leaves it free.
        parton_event: number of the parton event of each, `(N,)`; None for one of its own.
        behind: densities under B backgrounds relative to that of the signal at the reference, `(N, B)`; None if they
            are not known.
        observed: observables of `inference.binned` by name of the histogram, `(N,)` each.
    """

    name: str
    ratios: Array
    weights: Array
    region: NDArray[np.int64]
    uncertainty: float | None
    parton_event: NDArray[np.int64] | None = None
    behind: Array | None = None
    observed: Mapping[str, Array] = field(default_factory=dict)

    def select(self, chosen: NDArray[np.bool_]) -> "BackgroundEvents":
        """Return some events, with the weights that they have."""
        return replace(
            self,
            ratios=self.ratios[chosen],
            weights=self.weights[chosen],
            region=self.region[chosen],
            parton_event=None if self.parton_event is None else self.parton_event[chosen],
            behind=None if self.behind is None else self.behind[chosen],
            observed={name: each[chosen] for name, each in self.observed.items()},
        )


def known_ratios(coefficients: EventCoefficients) -> Array:
    """Return R_a, NaN where an event has none, `(N, A)`."""
    return np.where(coefficients.usable()[:, None], coefficients.ratios, np.nan)


def behind_of(sample: PoolSample) -> Array | None:
    """Return the densities under each background relative to that of the signal at the reference, `(N, B)`.

    They are NaN where one of them is not known; without backgrounds there are none.
    """
    if not sample.backgrounds:
        return None
    logs = np.stack([each.log_reference for each in sample.backgrounds], axis=1) - sample.signal.log_reference[:, None]
    return np.where(sample.usable()[:, None], np.exp(np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG)), np.nan)


def observed_of(config: InferenceConfig, store: EventStore, event_id: NDArray[np.int64]) -> dict[str, Array]:
    """Return the observables of the histograms of one observable of reconstructed objects, by name of the histogram."""
    found = {}
    for name, section in config.binned.items():
        if section.of == "objects" and len(section.edges) == 1:
            values = observables_of_store(store, event_id, tuple(section.edges), "objects", f"inference.binned.{name}")
            found[name] = values[:, 0]
    return found


@dataclass(frozen=True)
class BackgroundReader:
    """Reads backgrounds that fit to a signal.

    Attributes:
        config: the fit.
        section: its template.
        loaded: what the inference has read.
        signal: the store of the signal.
        models: hash of the models that made the coefficients of the signal; None if it is not known.
    """

    config: InferenceConfig
    section: TemplateConfig
    loaded: Loaded
    signal: EventStore
    models: object

    def read(self) -> tuple[BackgroundEvents, ...]:
        """Return the backgrounds of the template, or those of the fit, in the regions.

        Raises:
            InferenceError: if a store has another detector or selection than the signal, coefficients are of other
                models or events, or no event is in the regions.
            EventFileError: if a file is missing or damaged.
        """
        if self.section.backgrounds:
            return tuple(self._of_template(name, each) for name, each in self.section.backgrounds.items())
        backgrounds = self.loaded.setup.mixture.backgrounds
        samples = self.loaded.samples[-len(backgrounds) :] if backgrounds else ()
        return tuple(self._of_fit(rate, sample) for rate, sample in zip(backgrounds, samples, strict=True))

    def _of_fit(self, rate: BackgroundRate, sample: PoolSample) -> BackgroundEvents:
        """Return a background of the fit, from the simulated events that nothing was learned from."""
        key, events = f"inference.backgrounds.{rate.name}", self.config.backgrounds[rate.name].events
        if events is None:
            raise InferenceError(f"`inference.template` is filled with simulated events: give `{key}.events`")
        store = EventStore.open(events.store)
        check_simulation(store, self.signal, key)
        weights = sample.weights[:, 0] * (rate.cross_section / sample.weights[:, 0].sum())
        nowhere = np.zeros(len(weights), dtype=np.int64)
        found = BackgroundEvents(rate.name, known_ratios(sample.signal), weights, nowhere, rate.uncertainty)
        return self._inside(key, store, replace(found, behind=behind_of(sample)), sample.signal.event_id)

    def _of_template(self, name: str, section: TemplateBackgroundConfig) -> BackgroundEvents:
        """Return a background of the template, with the calibration of the signal's ratios."""
        key = f"inference.template.backgrounds.{name}"
        if not section.store.exists():
            raise EventFileError(f"`{key}.store`: there is no file {section.store}; make it, or leave the key out")
        store = EventStore.open(section.store)
        check_simulation(store, self.signal, key)
        coefficients, metadata = read_of_source(section.coefficients, self.config.source, f"{key}.coefficients")
        self._check_coefficients(coefficients, metadata, store, section, key)
        weights = section.scale * weights_of(store, coefficients.event_id)[:, 0]
        if self.loaded.calibration is not None:
            coefficients = self.loaded.calibration.apply(coefficients, self.loaded.setup.mixture.signal)
        nowhere = np.zeros(len(weights), dtype=np.int64)
        found = BackgroundEvents(name, known_ratios(coefficients), weights, nowhere, section.uncertainty)
        return self._inside(key, store, found, coefficients.event_id)

    def _inside(
        self, key: str, store: EventStore, events: BackgroundEvents, event_id: NDArray[np.int64]
    ) -> BackgroundEvents:
        """Return the events that are in the regions, with what is binned of them."""
        region = region_of_events(self.section.regions, store, event_id)
        inside = region >= 0
        if not events.weights[inside].sum() > 0:
            raise InferenceError(
                f"`{key}`: none of {len(inside)} selected events of {store.path} is in the regions of the template, or "
                "their weights sum to nothing: leave the background out, or simulate more of it"
            )
        whole = replace(
            events, region=region, parton_event=parton_events_of(store, event_id),
            observed=observed_of(self.config, store, event_id),
        )  # fmt: skip
        return whole.select(inside)

    def _check_coefficients(
        self, coefficients: EventCoefficients, metadata: CoefficientsMetadata, store: EventStore,
        section: TemplateBackgroundConfig, key: str,
    ) -> None:  # fmt: skip
        """Refuse coefficients of other events, in other parameters, or of other models than those of the signal."""
        selected = sum(len(batch) for batch in store.batches(["selected"], accepted_only=True))
        path = section.coefficients
        if len(coefficients) != selected or metadata.store_digest not in ("", file_digest(store.path)):
            raise InferenceError(
                f"`{key}.coefficients`: {path} has {len(coefficients)} events of {metadata.store or 'a store'}, "
                f"expected all {selected} selected ones of {store.path}: make the coefficients again"
            )
        if coefficients.monomials != self.loaded.signal.monomials:
            raise InferenceError(
                f"`{key}.coefficients`: {path} has the monomials {', '.join(coefficients.monomials.names)}, those of "
                f"the signal {', '.join(self.loaded.signal.monomials.names)}: make both with one model"
            )
        theirs = metadata.facts.get("models")
        if None not in (theirs, self.models) and theirs != self.models:
            raise InferenceError(
                f"`{key}.coefficients`: {path} was made by another trained model than the coefficients of the signal: "
                "make it again, with `partonic sbi --store` and the model of the signal"
            )


def check_simulation(store: EventStore, signal: EventStore, key: str) -> None:
    """Refuse a store whose events passed another detector or selection than those of the signal.

    Args:
        store: of a background.
        signal: of the signal.
        key: of the settings that names the background, for messages.

    Raises:
        InferenceError: naming what differs.
    """
    ours, theirs = (each.metadata.config.get("simulation") for each in (signal, store))
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return  # files of other detector simulations do not say it in our terms
    for part in _LIKE_THE_SIGNAL:
        if ours.get(part) != theirs.get(part):
            raise InferenceError(
                f"`{key}.store`: {store.path} was made with another `simulation.{part}` than the signal in "
                f"{signal.path}: {_difference(ours.get(part), theirs.get(part))}. Simulate both alike"
            )


def _difference(ours: object, theirs: object) -> str:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return f"expected {ours}, got {theirs}"
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    return "; ".join(f"{name}: expected {ours.get(name)}, got {theirs.get(name)}" for name in names)
