"""Simulated events of a template: learned ratios, true weights, region of each, and the part that is searched on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_weights import parton_events_of
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.optimised_template.backgrounds import (
    BackgroundEvents,
    BackgroundReader,
    behind_of,
    known_ratios,
    observed_of,
)
from partonic.inference.optimised_template.regions import region_of_events
from partonic.inference.samples import Loaded

__all__ = ["TemplateEvents", "template_events"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TemplateEvents:
    """N simulated signal events in one of the regions, and the backgrounds.

    Attributes:
        mixture: parameters, Standard Model and luminosity of the fit; its rates are those of all events.
        ratios: R_a of the estimator, NaN where it has none, `(N, A)`.
        weights: true coefficients c_a, in sum the fiducial cross section in the regions, pb, `(N, A)`.
        region: number of the region of each, `(N,)`.
        backgrounds: their events.
        parton_event: number of the parton event of each, `(N,)`; None for one of its own.
        behind: densities under B backgrounds relative to that of the signal at the reference, `(N, B)`; None if they
            are not known.
        observed: observables of `inference.binned` by name of the histogram, `(N,)` each.
        knows_backgrounds: whether the ratio that is binned has the backgrounds in it (`template.score_of`).
    """

    mixture: Mixture
    ratios: Array
    weights: Array
    region: NDArray[np.int64]
    backgrounds: tuple[BackgroundEvents, ...] = ()
    parton_event: NDArray[np.int64] | None = None
    behind: Array | None = None
    observed: Mapping[str, Array] = field(default_factory=dict)
    knows_backgrounds: bool = False

    def __len__(self) -> int:
        """Return the number of signal events."""
        return len(self.region)

    @property
    def standard(self) -> Array:
        """θ of the Standard Model, `(K,)`."""
        return self.mixture.signal.monomials.point(self.mixture.standard_model)

    def parted(self, share: float, generator: np.random.Generator) -> tuple["TemplateEvents", "TemplateEvents"]:
        """Return a random part of the events and the others, each scaled to the whole cross sections.

        Copies of a parton event are in one part.

        Raises:
            InferenceError: if a part has no signal in the Standard Model, or no events of a background.
        """
        first = _drawn(len(self), self.parton_event, share, generator)
        drawn = [_drawn(len(each.region), each.parton_event, share, generator) for each in self.backgrounds]
        return self.part(first, drawn), self.part(~first, [~each for each in drawn])

    def without(self, group: int, groups: int) -> "TemplateEvents":
        """Return all but every `groups`-th parton event, scaled to the whole cross sections; see `parted`."""
        first = _parton_events(len(self), self.parton_event)[1] % groups != group
        others = [_parton_events(len(each.region), each.parton_event)[1] % groups != group for each in self.backgrounds]
        return self.part(first, others)

    def alone(self) -> "TemplateEvents":
        """Return the events of the signal, as if there were no backgrounds."""
        return replace(self, backgrounds=(), behind=None, knows_backgrounds=False)

    def part(self, chosen: NDArray[np.bool_], of_backgrounds: Sequence[NDArray[np.bool_]]) -> "TemplateEvents":
        """Return some events of signal `(N,)` and backgrounds, scaled to the whole cross sections; see `parted`."""
        vector = self.mixture.signal.monomials.evaluate(self.standard)
        whole, part = (float((each @ vector).sum()) for each in (self.weights, self.weights[chosen]))
        if not part > 0:
            raise InferenceError(_too_few("signal", int(chosen.sum())))
        backgrounds = []
        for each, mask in zip(self.backgrounds, of_backgrounds, strict=True):
            some = each.select(mask)
            sums = float(each.weights.sum()), float(some.weights.sum())
            if not sums[1] > 0:
                raise InferenceError(_too_few(each.name, int(mask.sum())))
            backgrounds.append(replace(some, weights=some.weights * (sums[0] / sums[1])))
        return replace(
            self,
            ratios=self.ratios[chosen],
            weights=self.weights[chosen] * (whole / part),
            region=self.region[chosen],
            backgrounds=tuple(backgrounds),
            parton_event=None if self.parton_event is None else self.parton_event[chosen],
            behind=None if self.behind is None else self.behind[chosen],
            observed={name: values[chosen] for name, values in self.observed.items()},
        )


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
    models = None if signal_file is None else read_coefficients(signal_file)[1].facts.get("models")
    behind = behind_of(sample) if section.score == "mixture" or not section.backgrounds else None
    if section.score == "mixture" and (behind is None or section.backgrounds):
        message = (
            "`inference.template.score: mixture` needs to know how likely events are under the backgrounds: give them "
            "in `inference.backgrounds`, and leave out `inference.template.backgrounds`"
        )
        raise InferenceError(message)
    return TemplateEvents(
        mixture,
        known_ratios(sample.signal)[inside],
        scale * sample.weights[inside],
        region[inside],
        BackgroundReader(config, section, loaded, store, models).read(),
        parton_events_of(store, sample.signal.event_id)[inside],
        None if behind is None else behind[inside],
        {name: values[inside] for name, values in observed_of(config, store, sample.signal.event_id).items()},
        section.score == "mixture",
    )


def _drawn(
    events: int, parton_event: NDArray[np.int64] | None, share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Return a random part of the events, `(N,)`, with all copies of a parton event or none."""
    count, number = _parton_events(events, parton_event)
    return (generator.random(count) < share)[number]


def _parton_events(events: int, parton_event: NDArray[np.int64] | None) -> tuple[int, NDArray[np.int64]]:
    """Return how many parton events there are, and the number of that of each event, from 0, `(N,)`."""
    if parton_event is None:
        return events, np.arange(events)
    unique, number = np.unique(parton_event, return_inverse=True)
    return len(unique), number.astype(np.int64)


def _too_few(name: str, events: int) -> str:
    return (
        f"a part of the simulated events of '{name}' in the regions of the template has {events} events, whose weights "
        "do not sum to anything: simulate more, or change `inference.template.search.share`"
    )
