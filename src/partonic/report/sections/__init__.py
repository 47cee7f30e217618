"""The sections of the page in their order, gathered into groups: what is asked first comes first.

A new kind of result is one more class in its group.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from partonic.estimator_registry import family_of
from partonic.report.limits import Limits
from partonic.report.section import Sample, Section
from partonic.report.sections.acceptance import AcceptanceSection
from partonic.report.sections.btag import TaggingSection
from partonic.report.sections.candidates import CandidatesSection
from partonic.report.sections.comparison import ComparisonSection
from partonic.report.sections.cross_section import CrossSectionSection
from partonic.report.sections.cut_flow import CutFlowSection
from partonic.report.sections.discriminant import DiscriminantSection
from partonic.report.sections.generation import GenerationSection
from partonic.report.sections.inference_coverage import InferenceCoverageSection
from partonic.report.sections.inference_likelihood import InferenceLikelihoodSection
from partonic.report.sections.information import InformationSection
from partonic.report.sections.informative_events import InformativeEventsSection
from partonic.report.sections.intervals import IntervalsSection
from partonic.report.sections.jets import JetsSection
from partonic.report.sections.learned_ratios import LearnedRatiosSection
from partonic.report.sections.mem_integrals import MemIntegralsSection, plain_name
from partonic.report.sections.one_template import OneTemplateSection
from partonic.report.sections.optimal_observables import OptimalObservablesSection
from partonic.report.sections.partons import PartonsSection
from partonic.report.sections.post_fit import PostFitSection
from partonic.report.sections.response import ResponseSection
from partonic.report.sections.selected import SelectedSection
from partonic.report.sections.summary import SummarySection
from partonic.report.sections.surrogate.closure import SurrogateSection, is_of_surrogate
from partonic.report.sections.theta import PartonThetaSection, SelectedThetaSection
from partonic.report.sections.unfolding.calibration import UnfoldingCalibrationSection
from partonic.report.sections.unfolding.regression import UnfoldingRegressionSection
from partonic.report.sections.unfolding.samples import UnfoldingSamplesSection
from partonic.report.sections.unfolding.training import UnfoldingTrainingSection

__all__ = ["SECTIONS", "UNFOLDING_SECTIONS", "Group", "groups_of", "limit_sections", "other_estimators"]

Maker = Callable[[Sample], Section]


@dataclass(frozen=True)
class Group:
    """Sections under one heading.

    Attributes:
        name: anchor in the page.
        title: heading.
        makers: of its sections, in their order.
        is_open: whether they are unfolded when the page is opened.
    """

    name: str
    title: str
    makers: tuple[Maker, ...]
    is_open: bool = False


UNFOLDING_SECTIONS: tuple[Maker, ...] = (
    UnfoldingTrainingSection,
    UnfoldingRegressionSection,
    UnfoldingSamplesSection,
    UnfoldingCalibrationSection,
)
"""Makers of the sections where unfolding models were judged."""

SIMULATION: tuple[Maker, ...] = (
    CutFlowSection,
    SelectedSection,
    SelectedThetaSection,
    AcceptanceSection,
    JetsSection,
    CandidatesSection,
    ResponseSection,
    TaggingSection,
)
"""Makers of the sections on reconstructed events."""

GENERATION: tuple[Maker, ...] = (CrossSectionSection, GenerationSection, PartonsSection, PartonThetaSection)
"""Makers of the sections on the hard process."""

SECTIONS: tuple[Maker, ...] = (*SIMULATION, *GENERATION, SummarySection)
"""Makers of the sections that every report has, in the order of the page."""


def groups_of(sample: Sample) -> Iterator[Group]:
    """Yield the groups of a page, as far as there is something to show: the result first, then what it is made of."""
    found = limit_sections(sample.limits)
    integrals = tuple(make for make in found if make in (MemIntegralsSection, LearnedRatiosSection))
    inference = tuple(make for make in found if make not in integrals)
    if inference:
        yield Group("inference", "Inference", inference, is_open=True)
    if integrals:
        title = "Matrix element method" if MemIntegralsSection in integrals else "Simulation-based inference"
        yield Group("mem", title, integrals, is_open=True)
    if others := tuple(other_estimators(sample.limits)):
        yield Group("other_estimators", "Other estimators of the same events", others)
    if sample.unfolded:
        yield Group("unfolding", "Unfolding", UNFOLDING_SECTIONS)
    events = (SurrogateSection, *SIMULATION) if is_of_surrogate(sample) else SIMULATION
    yield Group("simulation", "Reconstructed events", events, is_open=not found)
    yield Group("hard_process", "Generation", GENERATION)
    yield Group("provenance", "Provenance", (SummarySection,), is_open=not found)


def limit_sections(limits: Limits | None) -> tuple[Maker, ...]:
    """Return the makers of the sections on the way to limits, as far as there is something to show."""
    if limits is None:
        return ()
    inferred = limits.inference is not None
    shown: tuple[tuple[Maker, bool], ...] = (
        (ComparisonSection, limits.inference is not None and bool(limits.inference.result.get("comparison"))),
        (IntervalsSection, inferred),
        (InferenceLikelihoodSection, inferred),
        (OneTemplateSection, limits.inference is not None and "template" in limits.inference.result),
        (PostFitSection, inferred),
        (OptimalObservablesSection, inferred or any(each.weights is not None for each in limits.integrated)),
        (DiscriminantSection, limits.discrimination is not None or _has_backgrounds(limits)),
        (InferenceCoverageSection, limits.inference is not None and bool(limits.inference.result["coverage"])),
        (InformativeEventsSection, any(each.weights is not None for each in limits.integrated)),
        (InformationSection, any(each.weights is not None for each in limits.integrated)),
        (LearnedRatiosSection if _is_learned(limits) else MemIntegralsSection, bool(limits.integrated)),
    )
    return tuple(make for make, there in shown if there)


def other_estimators(limits: Limits | None) -> Iterator[Maker]:
    """Yield the maker of a section for each estimator that has coefficients of the events, but is not fitted."""
    for place, events in enumerate(limits.others if limits is not None else ()):
        learned = family_of(events.coefficients.source) == "sbi"
        base = LearnedRatiosSection if learned else MemIntegralsSection
        own = {"name": f"estimator_{plain_name(events)}", "title": f"{base.title}: {events.name}", "other": place}
        yield type(f"{base.__name__}{place}", (base,), own)


def _is_learned(limits: Limits) -> bool:
    """Return whether the coefficients are those of networks that learned ratios."""
    return any(family_of(each.coefficients.source) == "sbi" for each in limits.integrated)


def _has_backgrounds(limits: Limits) -> bool:
    """Return whether the inference knew backgrounds and drew from simulated events of theirs."""
    if limits.inference is None or limits.inference.result["data"]["kind"] == "events":
        return False
    return bool(limits.inference.result["settings"]["backgrounds"])
