"""Sections on the way to limits, from the files to the page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.report.limit_files import estimated, inferred, toy_store, with_background, write
from tests.report.test_build import Page

from partonic.classify.roc import roc_curve
from partonic.classify.roc_file import Discrimination, write_discrimination
from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.likelihood.intervals import Interval
from partonic.inference.record import read_result
from partonic.plots.canvas import Headline
from partonic.plots.style import figure_style
from partonic.report import build_report
from partonic.report.build import _sample
from partonic.report.limits import LimitFiles, Limits, read_limits
from partonic.report.section import Sample, Section
from partonic.report.sections import limit_sections
from partonic.report.sections.discriminant import DiscriminantSection
from partonic.report.sections.inference_coverage import InferenceCoverageSection
from partonic.report.sections.inference_likelihood import InferenceLikelihoodSection, interval_text
from partonic.report.sections.information import InformationSection
from partonic.report.sections.informative_events import InformativeEventsSection
from partonic.report.sections.intervals import IntervalsSection
from partonic.report.sections.mem_integrals import MemIntegralsSection
from partonic.report.sections.optimal_observables import OptimalObservablesSection
from partonic.report.sections.post_fit import PostFitSection

SECTIONS = (
    "intervals", "inference_likelihood", "post_fit", "optimal_observables", "discriminant", "inference_coverage",
    "informative_events", "information", "mem_integrals",
)  # fmt: skip
MAKERS = (
    IntervalsSection, InferenceLikelihoodSection, PostFitSection, OptimalObservablesSection, DiscriminantSection,
    InferenceCoverageSection, InformativeEventsSection, InformationSection, MemIntegralsSection,
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> LimitFiles:
    """Coefficients of which two are lost, a fit of two parameters with a study of coverage, and ROC curves."""
    folder = tmp_path_factory.mktemp("analysis")
    store = EventStore.open(toy_store(folder))
    facts = {"figures": {"dominated": 4, "above_target": None}}
    path = write(folder / "mem" / "tth.parquet", estimated(store, lost=[3, 4]), store, **facts)
    coverage = {"points": ({}, {"kappa_tilde_t": 0.5}), "experiments": 6}
    result = inferred(folder / "infer", store.path, path, coverage=coverage)
    rng = np.random.default_rng(2)
    samples = [(rng.normal(shift, 1.0, 300), np.ones(300)) for shift in (1.0, 0.0)]
    curves = tuple(roc_curve(name, *samples, rng) for name in ("MEM", "classical MEM", "plain classifier"))
    write_discrimination(folder / "roc.json", Discrimination("tth", "ttbb", (300, 300), curves, {"k": 0.2}))
    return LimitFiles({"tth": path}, store.path, result, folder / "roc.json")


def sample_of(store: Path, limits: Limits | None) -> Sample:
    config = ReportConfig(theta=({"kappa_tilde_t": 1.0}, {"kappa_tilde_t": -1.0}, {"c_tG": 1.0}))
    return replace(_sample(EventStore.open(store), config, None), limits=limits)


def section_of(make: type, files: LimitFiles) -> Any:
    return make(sample_of(files.store, read_limits(files, EventStore.open(files.store))))


def drawn(section: Section) -> dict[str, Any]:
    with figure_style():
        return {plot.name: plot.draw(Headline()) for plot in section.content().plots}


@pytest.mark.slow
def test_page_has_all_sections_and_its_numbers_are_json(files: LimitFiles, tmp_path: Path) -> None:
    config = ReportConfig(formats=(), sections=("summary", *SECTIONS))
    page = build_report(files.store, tmp_path / "report", config, limits=files)
    found = Page(page.read_text())
    sections = json.loads((page.parent / "report.json").read_text())["sections"]
    assert tuple(sections) == (*SECTIONS, "summary")
    # Whiskers, pulls, correlation; two curves, one contour, which is in the result box too; R_1 and R_2 of c_tG, R_2 of
    # κ̃, with the best fit, and two plain observables (all events of the toy have six jets); the same three at several
    # θ; ROC; coverage, pulls, bias; shares of the information; information on two parameters in three planes; quality,
    # calibration.
    assert len(found.sources) == 3 + 3 + 1 + (3 + 2) + 3 + 1 + 3 + 1 + 2 * 3 + 2
    assert sections["mem_integrals"]["results"]["tth"]["counts"]["zero acceptance"] == 2


def test_integrals_are_counted_and_the_ratios_calibrated(files: LimitFiles) -> None:
    content = section_of(MemIntegralsSection, files).content()
    results = content.results["tth"]
    assert content.missing == ()
    assert results["counts"]["zero acceptance"] == 2
    assert results["flags"] == {"dominated": 4}
    assert ("zero acceptance", "2", f"{2 / sum(results['counts'].values()):.2%}", "excluded") in content.tables[0].rows
    assert any(row[0] == "of these: dominated by one point, kept" for row in content.tables[0].rows)
    slope, error = (np.array(results["calibration"][name])[[3, 5]] for name in ("slope", "slope_error"))
    assert np.all(error < 0.25)
    assert np.abs((slope - 1.0) / error).max() < 4
    assert results["median_ratio_errors"]["kappa_tilde_t^2"] == pytest.approx(0.02)
    assert [row[0] for row in content.tables[3].rows] == list(results["median_ratio_errors"])[1:]
    json.dumps(results, allow_nan=False)


def test_figures_of_the_integrals(files: LimitFiles) -> None:
    figures = drawn(section_of(MemIntegralsSection, files))
    assert list(figures) == ["mem_tth_quality", "mem_tth_calibration"]
    assert len(figures["mem_tth_quality"].axes) == 6
    notes = [axes.texts[-1].get_text() for axes in figures["mem_tth_calibration"].axes]
    assert all("slope" in note for note in notes)
    assert len(notes) == 3


def test_a_ratio_that_is_another_one_times_a_number_is_drawn_once(files: LimitFiles) -> None:
    (events,) = read_limits(files, EventStore.open(files.store)).integrated
    assert events.weights is not None
    names = list(events.coefficients.monomials.names)
    first, second = names.index("c_tG"), names.index("c_tG^2")
    ratios, weights = events.coefficients.ratios.copy(), events.weights.copy()
    ratios[:, second], weights[:, second] = 2.0 * ratios[:, first], 2.0 * weights[:, first]
    limits = Limits((replace(events, coefficients=replace(events.coefficients, ratios=ratios), weights=weights),))
    figures = drawn(MemIntegralsSection(sample_of(files.store, limits)))
    assert len(figures["mem_tth_calibration"].axes) == 2


def test_integrals_that_all_failed_and_those_without_truth(files: LimitFiles) -> None:
    (events,) = read_limits(files, EventStore.open(files.store)).integrated
    lost = estimated(EventStore.open(files.store), lost=range(len(events.coefficients)))
    content = of_integrals(files, coefficients=lost)
    assert content.missing == (f"tth: none of {len(lost):,} events has coefficients.",)
    assert (content.plots, len(content.tables)) == ((), 1)
    content = of_integrals(files, weights=None)
    assert "the events are no simulated events of this process" in content.missing[0]
    assert [plot.name for plot in content.plots] == ["mem_tth_quality"]
    few: EventCoefficients = events.coefficients.select(np.arange(len(events.coefficients)) < 5)
    assert len(of_integrals(files, coefficients=few, weights=events.weights[:5]).plots) == 1


def of_integrals(files: LimitFiles, **changes: object) -> Any:
    (events,) = read_limits(files, EventStore.open(files.store)).integrated
    limits = Limits((replace(events, **changes),))
    return MemIntegralsSection(sample_of(files.store, limits)).content()


def test_likelihood_shows_intervals_beside_the_truth(files: LimitFiles) -> None:
    content = section_of(InferenceLikelihoodSection, files).content()
    record = read_result(files.inference)
    best, intervals, expected = content.tables
    assert [row[0] for row in best.rows] == ["kappa_tilde_t", "c_tG [TeV⁻²]"]
    assert [row[-1] for row in best.rows] == ["0.5", "0"]
    assert len(intervals.rows) == 2 * 2 * 2
    total = record.intervals("c_tG", "total")[0]
    assert interval_text(total) in [row[3] for row in intervals.rows]
    assert all(row[4].endswith(("inside", "outside")) for row in intervals.rows)
    assert len(expected.rows) == 2
    assert [plot.name for plot in content.plots] == [
        "likelihood_kappa_tilde_t", "likelihood_c_tG", "contour_kappa_tilde_t_c_tG"
    ]  # fmt: skip
    assert content.results["curves"]["c_tG"]["profile"][1] == record.curve("profile", "c_tG")[1].tolist()
    assert any("of the events have no coefficients" in text for text in content.missing) == bool(
        record.result["data"]["without_coefficients"]
    )


def test_curves_have_the_band_of_the_integration_error(files: LimitFiles) -> None:
    figures = drawn(section_of(InferenceLikelihoodSection, files))
    axes = figures["likelihood_c_tG"].axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"profile", "with all errors", "others fixed", "expected, SM", "best fit", "truth"} < set(labels)
    record = read_result(files.inference)
    q, total = record.curve("profile", "c_tG")[1], record.curve("total", "c_tG")[1]
    vertices = axes.collections[0].get_paths()[0].vertices
    at_end = vertices[np.isclose(vertices[:, 0], record.curve("profile", "c_tG")[0][-1]), 1]
    # Half the band is 2√V with V from q_total = q/(1 + V/q).
    assert at_end.max() - q[-1] == pytest.approx(2 * np.sqrt(q[-1] * (q[-1] / total[-1] - 1)), rel=1e-6)


def test_warnings_of_a_fit_are_shown(files: LimitFiles) -> None:
    record = read_result(files.inference)
    data = record.result["data"] | {"non_positive": 7, "without_coefficients": 3, "truth": None}
    other = {"values": {"kappa_tilde_t": -0.5, "c_tG": 0.1}, "q": 0.3}
    result = {**record.result, "data": data, "valid": False, "maxima": [record.result["maxima"][0], other]}
    limits = Limits(inference=replace(record, result=result))
    content = InferenceLikelihoodSection(sample_of(files.store, limits)).content()
    assert content.missing[0] == "The fit is no verified maximum."
    assert content.missing[1].startswith("7 events have a density that is not positive")
    assert content.missing[3] == "There is another maximum at kappa_tilde_t = −0.5, c_tG = 0.1, q = 0.3."
    assert [row[-1] for row in content.tables[0].rows] == ["–", "–"]


def test_intervals_as_text() -> None:
    assert interval_text(Interval("a", 0.68, ((-0.5, 0.25),))) == "[−0.5, 0.25]"
    both = Interval("a", 0.68, ((-1.0, 0.0), (1.0, 2.0)), open_below=True, open_above=True)
    assert interval_text(both) == "[< −1, 0] ∪ [1, > 2]"


def test_coverage_of_each_point(files: LimitFiles) -> None:
    section = section_of(InferenceCoverageSection, files)
    content = section.content()
    points, coverage, biases = content.tables
    assert [row[0] for row in points.rows] == ["SM", "kappa_tilde_t = 0.5"]
    assert (len(coverage.rows), len(biases.rows)) == (4, 4)
    found = content.results["points"][1]["parameters"][0]
    assert coverage.rows[2][1] == found["name"]
    text = f"{100 * found['coverage']['0.68']['value']:.1f} ± "
    assert coverage.rows[2][2].startswith(text)
    assert "pulls" not in content.results["points"][0]
    figures = drawn(section)
    assert list(figures) == ["coverage", "coverage_pulls", "coverage_bias"]
    assert [len(figure.axes) for figure in figures.values()] == [4, 4, 2]


def test_failed_experiments_are_told(files: LimitFiles) -> None:
    record = read_result(files.inference)
    first = {**record.result["coverage"][0], "failed": 2, "pulls": {}}
    first["parameters"] = [each | {"pool_error": None, "pull_mean": None} for each in first["parameters"]]
    limits = Limits(inference=replace(record, result={**record.result, "coverage": [first]}))
    section = InferenceCoverageSection(sample_of(files.store, limits))
    content = section.content()
    assert content.missing == ("SM: 2 of 6 fits found no maximum; they are left out.",)
    assert content.tables[2].rows[0][3] == "–"
    assert list(drawn(section)) == ["coverage", "coverage_bias"]


def test_optimal_observables_hold_all_expected_events_and_data(files: LimitFiles) -> None:
    section = section_of(OptimalObservablesSection, files)
    content = section.content()
    record = read_result(files.inference).result["data"]
    found = content.results["R2_kappa_tilde_t"]
    data = found["data"]
    count = sum(data["sum_of_weights"]) + data["underflow"][0] + data["overflow"][0]
    assert f"kappa_tilde_t: R1 and R2 of {found['undefined']} simulated events" in content.missing[1]
    assert count + found["undefined_data"] == record["events"] - record["without_coefficients"]
    assert content.missing[0] == "The same for all events, so that nothing is to be drawn: R1[kappa_tilde_t]."
    figures = drawn(section)
    assert list(figures) == ["optimal_R2_kappa_tilde_t", "optimal_R1_c_tG", "optimal_R2_c_tG"]
    main = figures["optimal_R2_kappa_tilde_t"].axes[0]
    labels = [text.get_text() for text in main.get_legend().get_texts()]
    assert labels[0] == "SM"
    assert labels[-1] == "pseudo-data"
    assert len(labels) == 4
    assert main.get_ylabel() == "events per bin"


def test_optimal_observables_without_a_fit_are_cross_sections(files: LimitFiles) -> None:
    section = section_of(OptimalObservablesSection, replace(files, inference=None))
    assert section.content().results["R1_c_tG"]["data"] is None
    main = drawn(section)["optimal_R1_c_tG"].axes[0]
    assert main.get_ylabel() == r"$\sigma$ per bin [fb]"
    axis = ReportConfig.model_validate({"binnings": {"R1_c_tG": {"bins": 3, "low": -1, "high": 1}}})
    sample = replace(sample_of(files.store, read_limits(files, EventStore.open(files.store))), config=axis)
    assert len(OptimalObservablesSection(sample).content().results["R1_c_tG"]["expected"]["edges"]) == 4


def test_files_of_a_fit_that_are_gone(files: LimitFiles) -> None:
    record = read_result(files.inference)
    gone = {**record.result, "files": record.result["files"] | {"signal": "gone.parquet"}}
    limits = Limits(inference=replace(record, result=gone))
    for make in (OptimalObservablesSection, DiscriminantSection):
        content = make(sample_of(files.store, limits)).content()
        assert "cannot be read any more: there is no file of coefficients gone.parquet" in content.missing[0]


def test_separation(files: LimitFiles) -> None:
    section = section_of(DiscriminantSection, files)
    content = section.content()
    assert [row[0] for row in content.tables[0].rows] == ["MEM", "classical MEM", "plain classifier"]
    (background,) = content.results["backgrounds"]
    assert set(background["areas"]) == {"MEM", "classical MEM", "plain classifier"}
    assert list(drawn(section)) == ["discriminant_roc_1"]


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_to_show_is_said(files: LimitFiles, make: type) -> None:
    for limits in (None, Limits()):
        content = make(sample_of(files.store, limits)).content()
        assert content.plots == ()
        assert content.missing or make is MemIntegralsSection


def test_sections_are_there_if_there_is_something_to_show(files: LimitFiles) -> None:
    limits = read_limits(files, EventStore.open(files.store))
    assert limit_sections(None) == limit_sections(Limits()) == ()
    assert limit_sections(limits) == MAKERS
    integrated = (OptimalObservablesSection, InformativeEventsSection, InformationSection, MemIntegralsSection)
    assert limit_sections(Limits(limits.integrated)) == integrated
    record = limits.inference
    without = replace(record, result={**record.result, "coverage": []})
    fit = (IntervalsSection, InferenceLikelihoodSection, PostFitSection, OptimalObservablesSection)
    assert limit_sections(Limits(inference=without)) == fit


def test_separation_from_the_events_of_a_fit(files: LimitFiles, tmp_path: Path) -> None:
    record = read_result(with_background(tmp_path, EventStore.open(files.store)))
    limits = Limits(inference=record)
    assert DiscriminantSection in limit_sections(limits)
    section = DiscriminantSection(sample_of(files.store, limits))
    content = section.content()
    assert content.missing == ()
    assert [row[0] for row in content.tables[0].rows] == ["mem"]
    assert list(drawn(section)) == ["discriminant_roc_1"]
    from_file = replace(limits, discrimination=read_limits(files, EventStore.open(files.store)).discrimination)
    only = DiscriminantSection(sample_of(files.store, from_file)).content().results["backgrounds"]
    assert [list(each["areas"]) for each in only] == [["MEM", "classical MEM", "plain classifier"]]
