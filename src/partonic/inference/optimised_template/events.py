"""Simulated events of a template: learned ratios, true weights, region of each, and the part that is searched on."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.config.inference.template import TemplateBackgroundConfig, TemplateConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.optimised_template.regions import region_of_events
from partonic.inference.samples import Loaded
from partonic.inference.sources import read_of_source
from partonic.provenance import file_digest

__all__ = ["BackgroundEvents", "TemplateEvents", "check_simulation", "template_events"]

Array = NDArray[np.float64]

_LIKE_THE_SIGNAL = ("detector", "jets", "selection")
"""Parts of the section `simulation` that must be the same in all stores."""


@dataclass(frozen=True)
class BackgroundEvents:
    """N simulated events of a background in one of the regions.

    Attributes:
        name: of the background.
        ratios: R_a of the signal's estimator, NaN where it has none, `(N, A)`.
        weights: in sum the cross section in the regions, pb, `(N,)`.
        region: number of the region of each, `(N,)`.
        uncertainty: relative, of the normalisation; None leaves it free.
    """

    name: str
    ratios: Array
    weights: Array
    region: NDArray[np.int64]
    uncertainty: float | None


@dataclass(frozen=True)
class TemplateEvents:
    """N simulated signal events in one of the regions, and the backgrounds.

    Attributes:
        mixture: parameters, Standard Model and luminosity of the fit; its rates are those of all events.
        ratios: R_a of the estimator, NaN where it has none, `(N, A)`.
        weights: true coefficients c_a, in sum the fiducial cross section in the regions, pb, `(N, A)`.
        region: number of the region of each, `(N,)`.
        backgrounds: their events.
    """

    mixture: Mixture
    ratios: Array
    weights: Array
    region: NDArray[np.int64]
    backgrounds: tuple[BackgroundEvents, ...] = ()

    def __len__(self) -> int:
        """Return the number of signal events."""
        return len(self.region)

    @property
    def standard(self) -> Array:
        """θ of the Standard Model, `(K,)`."""
        return self.mixture.signal.monomials.point(self.mixture.standard_model)

    def parted(self, share: float, generator: np.random.Generator) -> tuple["TemplateEvents", "TemplateEvents"]:
        """Return a random part of the events and the others, each scaled to the whole cross sections.

        Raises:
            InferenceError: if a part has no signal in the Standard Model, or no events of a background.
        """
        first = generator.random(len(self)) < share
        drawn = [generator.random(len(each.region)) < share for each in self.backgrounds]
        return self._part(first, drawn), self._part(~first, [~each for each in drawn])

    def _part(self, chosen: NDArray[np.bool_], of_backgrounds: list[NDArray[np.bool_]]) -> "TemplateEvents":
        vector = self.mixture.signal.monomials.evaluate(self.standard)
        whole, part = (float((each @ vector).sum()) for each in (self.weights, self.weights[chosen]))
        if not part > 0:
            raise InferenceError(_too_few("signal", int(chosen.sum())))
        backgrounds = []
        for each, mask in zip(self.backgrounds, of_backgrounds, strict=True):
            sums = float(each.weights.sum()), float(each.weights[mask].sum())
            if not sums[1] > 0:
                raise InferenceError(_too_few(each.name, int(mask.sum())))
            scaled = each.weights[mask] * (sums[0] / sums[1])
            backgrounds.append(replace(each, ratios=each.ratios[mask], weights=scaled, region=each.region[mask]))
        scaled_signal = self.weights[chosen] * (whole / part)
        return TemplateEvents(self.mixture, self.ratios[chosen], scaled_signal, self.region[chosen], tuple(backgrounds))


def template_events(
    loaded: Loaded, config: InferenceConfig, section: TemplateConfig, signal_file: Path | None = None
) -> TemplateEvents:
    """Return the events of signal and backgrounds that are in one of the regions.

    Args:
        loaded: simulated events of the signal, with their coefficients.
        config: the fit.
        section: its template.
        signal_file: file of these coefficients, which says what models made them; None if there is none.

    Raises:
        InferenceError: if there are no simulated events, a store of a background has another detector or selection, its
            coefficients are of other models or events, no event is in the regions, or one is in two.
        EventFileError: if a file is missing or damaged.
    """
    if not loaded.samples or loaded.store is None:
        message = (
            "`inference.template` is filled with simulated events of the signal and their weights: give their event "
            "store, and with backgrounds in `inference.backgrounds` fit pseudo-data or an Asimov sample"
        )
        raise InferenceError(message)
    store, sample = EventStore.open(loaded.store), loaded.samples[0]
    region = region_of_events(section.regions, store, sample.signal.event_id)
    inside = region >= 0
    if not inside.any():
        raise InferenceError(
            f"none of {len(inside)} events of {store.path} is in the regions {', '.join(section.regions)} of "
            "`inference.template`: widen their ranges"
        )
    mixture = loaded.setup.mixture
    vector = sample.signal.monomials.evaluate(sample.signal.monomials.point(mixture.standard_point()))
    scale = float(mixture.signal.coefficients @ vector / (sample.weights.sum(axis=0) @ vector))
    ratios = np.where(sample.signal.usable()[:, None], sample.signal.ratios, np.nan)
    models = None if signal_file is None else read_coefficients(signal_file)[1].facts.get("models")
    reader = _BackgroundReader(config, section, loaded, store, models)
    backgrounds = tuple(reader.read(name, each) for name, each in section.backgrounds.items())
    return TemplateEvents(mixture, ratios[inside], scale * sample.weights[inside], region[inside], backgrounds)


@dataclass(frozen=True)
class _BackgroundReader:
    """Reads backgrounds that fit to a signal; `models` is the hash of those that made its coefficients."""

    config: InferenceConfig
    section: TemplateConfig
    loaded: Loaded
    signal: EventStore
    models: object

    def read(self, name: str, section: TemplateBackgroundConfig) -> BackgroundEvents:
        """Return the events of a background in the regions, with the calibration of the signal's ratios."""
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
        region = region_of_events(self.section.regions, store, coefficients.event_id)
        inside = region >= 0
        if not weights[inside].sum() > 0:
            raise InferenceError(
                f"`{key}`: none of {len(inside)} selected events of {store.path} is in the regions of the template, or "
                "their weights sum to nothing: leave the background out, or simulate more of it"
            )
        ratios = np.where(coefficients.usable()[:, None], coefficients.ratios, np.nan)
        return BackgroundEvents(name, ratios[inside], weights[inside], region[inside], section.uncertainty)

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


def _too_few(name: str, events: int) -> str:
    return (
        f"a part of the simulated events of '{name}' in the regions of the template has {events} events, whose weights "
        "do not sum to anything: simulate more, or change `inference.template.search.share`"
    )
