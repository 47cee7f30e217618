"""The sections of the page, in their order. A new kind of result is one more class in `SECTIONS`."""

from collections.abc import Callable

from partonic.report.limits import Limits
from partonic.report.section import Sample, Section
from partonic.report.sections.acceptance import AcceptanceSection
from partonic.report.sections.btag import TaggingSection
from partonic.report.sections.candidates import CandidatesSection
from partonic.report.sections.cross_section import CrossSectionSection
from partonic.report.sections.cut_flow import CutFlowSection
from partonic.report.sections.discriminant import DiscriminantSection
from partonic.report.sections.generation import GenerationSection
from partonic.report.sections.inference_coverage import InferenceCoverageSection
from partonic.report.sections.inference_likelihood import InferenceLikelihoodSection
from partonic.report.sections.jets import JetsSection
from partonic.report.sections.mem_integrals import MemIntegralsSection
from partonic.report.sections.optimal_observables import OptimalObservablesSection
from partonic.report.sections.partons import PartonsSection
from partonic.report.sections.response import ResponseSection
from partonic.report.sections.selected import SelectedSection
from partonic.report.sections.summary import SummarySection
from partonic.report.sections.theta import PartonThetaSection, SelectedThetaSection
from partonic.report.sections.unfolding_calibration import UnfoldingCalibrationSection
from partonic.report.sections.unfolding_regression import UnfoldingRegressionSection
from partonic.report.sections.unfolding_samples import UnfoldingSamplesSection
from partonic.report.sections.unfolding_training import UnfoldingTrainingSection

__all__ = ["SECTIONS", "UNFOLDING_SECTIONS", "limit_sections"]

SECTIONS: tuple[Callable[[Sample], Section], ...] = (
    SummarySection,
    CrossSectionSection,
    GenerationSection,
    PartonsSection,
    PartonThetaSection,
    CutFlowSection,
    AcceptanceSection,
    JetsSection,
    SelectedSection,
    SelectedThetaSection,
    CandidatesSection,
    ResponseSection,
    TaggingSection,
)
"""Makers of the sections, in the order of the page."""

UNFOLDING_SECTIONS: tuple[Callable[[Sample], Section], ...] = (
    UnfoldingTrainingSection,
    UnfoldingRegressionSection,
    UnfoldingSamplesSection,
    UnfoldingCalibrationSection,
)
"""Makers of the sections that follow where unfolding models were judged."""


def limit_sections(limits: Limits | None) -> tuple[Callable[[Sample], Section], ...]:
    """Return the makers of the sections on the way to limits, as far as there is something to show."""
    if limits is None:
        return ()
    inferred = limits.inference is not None
    shown: tuple[tuple[Callable[[Sample], Section], bool], ...] = (
        (MemIntegralsSection, bool(limits.integrated)),
        (DiscriminantSection, limits.discrimination is not None or _has_backgrounds(limits)),
        (OptimalObservablesSection, inferred or any(each.weights is not None for each in limits.integrated)),
        (InferenceLikelihoodSection, inferred),
        (InferenceCoverageSection, limits.inference is not None and bool(limits.inference.result["coverage"])),
    )
    return tuple(make for make, there in shown if there)


def _has_backgrounds(limits: Limits) -> bool:
    """Return whether the inference knew backgrounds and drew from simulated events of theirs."""
    if limits.inference is None or limits.inference.result["data"]["kind"] == "events":
        return False
    return bool(limits.inference.result["settings"]["backgrounds"])
