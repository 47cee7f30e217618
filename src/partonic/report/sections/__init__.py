"""The sections of the page, in their order. A new kind of result is one more class in `SECTIONS`."""

from collections.abc import Callable

from partonic.report.section import Sample, Section
from partonic.report.sections.acceptance import AcceptanceSection
from partonic.report.sections.btag import TaggingSection
from partonic.report.sections.candidates import CandidatesSection
from partonic.report.sections.cross_section import CrossSectionSection
from partonic.report.sections.cut_flow import CutFlowSection
from partonic.report.sections.generation import GenerationSection
from partonic.report.sections.jets import JetsSection
from partonic.report.sections.partons import PartonsSection
from partonic.report.sections.response import ResponseSection
from partonic.report.sections.selected import SelectedSection
from partonic.report.sections.summary import SummarySection
from partonic.report.sections.theta import PartonThetaSection, SelectedThetaSection
from partonic.report.sections.unfolding_calibration import UnfoldingCalibrationSection
from partonic.report.sections.unfolding_regression import UnfoldingRegressionSection
from partonic.report.sections.unfolding_samples import UnfoldingSamplesSection
from partonic.report.sections.unfolding_training import UnfoldingTrainingSection

__all__ = ["SECTIONS", "UNFOLDING_SECTIONS"]

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
