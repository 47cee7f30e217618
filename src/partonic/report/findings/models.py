"""What to look at where trained models meet events: were the events made as those that they were trained on?

Detector and process are checked when a model is applied, and differences are refused. What a model does not record are
settings of the simulation; they are compared here with what is known of the networks that ship.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from partonic.report.findings.finding import Finding
from partonic.report.limits import Limits
from partonic.report.section import Sample
from partonic.report.unfolded import UnfoldedModel
from partonic.surrogate.model import FACT

__all__ = ["model_findings"]

DEVIATION: Final = 5.0
"""Errors of its test from which on a learned detector is off in an observable."""

COVERAGE: Final = 0.05
"""Deviation of the coverage of the samples from 68% that matters, where it is three of its errors."""

TWO_SAMPLE: Final = 0.6
"""Accuracy of the two-sample test from which on samples can be told from the truth at sight; 0.5 is perfect."""


def model_findings(sample: Sample) -> Iterator[Finding]:
    """Yield what the models have not seen, which versions differ, and how the unfolding models did."""
    yield from _underlying_event(sample)
    yield from _learned_detector(sample)
    yield from _versions(sample)
    for model in sample.unfolded:
        yield from _unfolding(model)


def _underlying_event(sample: Sample) -> Iterator[Finding]:
    if not _shipped_networks(sample):
        return
    section = sample.metadata.config.get("simulation")
    setting = section.get("multiparton_interactions") if isinstance(section, Mapping) else None
    if setting is False:
        return
    how = "these have them" if setting else "whether these have them is not recorded, and collisions do"
    text = f"The networks that ship were trained without multiparton interactions; {how}. Train on events like these."
    yield Finding("attention", "models", text, "mem_integrals" if sample.limits else "unfolding_calibration")


def _learned_detector(sample: Sample) -> Iterator[Finding]:
    """Yield that the events are those of networks, and where these are off by more than the error of their test."""
    facts = sample.metadata.facts.get(FACT)
    if not isinstance(facts, Mapping):
        return
    closure = facts.get("closure") or {}
    off = {name: each for name, each in closure.get("observables", {}).items() if each["deviation"] > DEVIATION}
    text = "The events were drawn by a learned detector, not simulated"
    if not closure:
        text += "; how well it does is not stored with it."
    elif off:
        worst = ", ".join(f"{name} by {each['distance']:.2g} σ" for name, each in off.items())
        text += f"; on events that it did not learn it is off in {worst} ({DEVIATION:g} errors of the test and more)."
    else:
        text += f"; on events that it did not learn it is right within {DEVIATION:g} errors in all observables tested."
    yield Finding("attention", "simulation", text, "surrogate")


def _shipped_networks(sample: Sample) -> bool:
    integrated = () if sample.limits is None else sample.limits.integrated
    used = [_model(events.metadata.config) for events in integrated if events.coefficients.source == "mem"]
    return "pretrained" in used or any(model.shipped for model in sample.unfolded)


def _model(config: Mapping[str, Any]) -> object:
    section = config.get("mem")
    return section.get("model") if isinstance(section, Mapping) else None


def _versions(sample: Sample) -> Iterator[Finding]:
    limits = sample.limits or Limits()
    found = {"events": sample.metadata.versions.get("partonic")}
    found |= {f"coefficients of {each.name}": each.metadata.versions.get("partonic") for each in limits.integrated}
    if limits.inference is not None:
        found["fit"] = (limits.inference.result.get("versions") or {}).get("partonic")
    known = {what: version for what, version in found.items() if version}
    if len(set(known.values())) > 1:
        text = ", ".join(f"{what} {version}" for what, version in known.items())
        yield Finding("attention", "models", f"Made with different versions of partonic: {text}.", "summary")


def _unfolding(model: UnfoldedModel) -> Iterator[Finding]:
    quality = model.quality
    if model.trained_here:
        text = f"The model of {model.title} is judged on events that it was trained on, which flatters it."
        yield Finding("attention", "unfolding", text, "unfolding_calibration")
    off = quality.coverage_68.value - 0.68
    if abs(off) > max(COVERAGE, 3 * quality.coverage_68.error):
        text = (
            f"{quality.coverage_68.value:.1%} ± {quality.coverage_68.error:.1%} of the true {model.title} lie in "
            f"regions of 68% (bound ± {COVERAGE:.0%})."
        )
        yield Finding("attention", "unfolding", text, "unfolding_calibration")
    if quality.classifier.value - 3 * quality.classifier.error > TWO_SAMPLE:
        text = (
            f"A classifier tells sampled from true {model.title} in {quality.classifier.value:.1%} of cases (50% is "
            f"perfect, bound {TWO_SAMPLE:.0%})."
        )
        yield Finding("attention", "unfolding", text, "unfolding_calibration")
