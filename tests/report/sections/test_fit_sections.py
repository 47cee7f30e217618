"""Sections on a fit: intervals of all methods, data with the best fit, where the information sits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.report.limit_files import estimated, inferred, toy_store, with_background, with_component, write
from tests.report.records import interval, record

from partonic.config.inference import InferenceConfig
from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.record import InferenceRecord, read_result
from partonic.inference.result import CurveTable
from partonic.plots.canvas import Headline
from partonic.plots.figure_data import figure_data
from partonic.plots.style import figure_style
from partonic.progress import SILENT
from partonic.report.build import _fill, _sample
from partonic.report.content import Content
from partonic.report.labels import curve_parameters, labels_of
from partonic.report.limits import LimitFiles, Limits, read_limits
from partonic.report.section import Sample
from partonic.report.sections.inference_likelihood import InferenceLikelihoodSection
from partonic.report.sections.information import InformationSection
from partonic.report.sections.intervals import IntervalsSection
from partonic.report.sections.optimal_observables import OptimalObservablesSection
from partonic.report.sections.post_fit import PostFitSection


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("events")))


@pytest.fixture(scope="module")
def files(store: EventStore, tmp_path_factory: pytest.TempPathFactory) -> LimitFiles:
    folder = tmp_path_factory.mktemp("analysis")
    path = write(folder / "tth.parquet", estimated(store, lost=[3, 4]), store)
    return LimitFiles({"tth": path}, store.path, inferred(folder / "infer", store.path, path))


def sample_of(store: EventStore, limits: Limits | None) -> Sample:
    return replace(_sample(store, ReportConfig(), None), limits=limits)


def intervals_of(store: EventStore, found: InferenceRecord) -> Content:
    return IntervalsSection(sample_of(store, Limits(inference=found))).content()


def data_of(content: Content, name: str) -> dict[str, Any]:
    (plot,) = [plot for plot in content.plots if plot.name == name]
    with figure_style():
        return figure_data(plot.draw(Headline()))


def test_whiskers_of_all_methods(store: EventStore) -> None:
    row = {"segments": [[-0.1, 0.1]], "length": 0.2, "open_below": False, "open_above": False}
    found = record(
        toys={"c_tG": {"intervals": [interval("c_tG", 0.95, (0.0, 0.5), kind="toys")]}},
        expected=[{"theta": {}, "events": 9.0, "intervals": {"c_tG": [interval("c_tG", 0.95, (-0.2, 0.2))]}}],
        comparison={"level": 0.95, "methods": {"mem, unbinned": {"c_tG": row}, "rate only": {"c_tG": None}}},
    )
    content = intervals_of(store, found)
    assert content.missing == ()
    (panel,) = data_of(content, "interval_summary")["panels"]
    lines = {item["y"][0]: item["x"] for item in panel["items"] if item["kind"] == "line"}
    assert lines[1.0] == [0.0, 0.5]  # toys, after the intervals with all errors
    assert lines[2.0] == [-0.2, 0.2]
    assert lines[3.0] == [-0.1, 0.1]
    assert len({item["y"][0] for item in panel["items"]}) == 4, "a method without intervals has no row"


def test_pull_of_a_parabola_and_of_two_valleys(store: EventStore) -> None:
    values, error = np.linspace(-1.0, 1.0, 201), record().result["best_fit"]["c_tG"]["total"]
    curves = CurveTable()
    curves.add("total", "c_tG", values, ((values - 0.25) / error) ** 2)
    content = intervals_of(store, record(curves))
    assert content.results["pulls"]["c_tG"]["pull"] == pytest.approx((0.25 - 0.3) / error, rel=0.02)
    valleys = CurveTable()
    valleys.add("total", "c_tG", values, ((values**2 - 0.25**2) / 0.1) ** 2)
    content = intervals_of(store, record(valleys, data__truth={"c_tG": -0.25}))
    assert content.results["pulls"]["c_tG"]["pull"] == pytest.approx(0.0, abs=1e-2)
    assert "c_tG" not in intervals_of(store, record(valleys, data__truth={"c_tG": 7.0})).results["pulls"]


def test_pulls_of_constraints_and_correlations(store: EventStore) -> None:
    free = {"free": True, "statistical": 0.1, "integration": 0.0, "rate": 0.0, "calibration": 0.0, "training": 0.0}
    found = record(
        best_fit__luminosity_scale={"value": 1.02, "total": 0.01, **free},
        settings__luminosity_uncertainty=0.02,
        covariance=[[0, 0, 0, 0], [0, 0.01, 0, -0.0005], [0, 0, 0, 0], [0, -0.0005, 0, 0.0001]],
    )
    content = intervals_of(store, found)
    assert content.results["pulls"]["luminosity_scale"] == {
        "pull": pytest.approx(1.0), "width": pytest.approx(0.5), "to": "constraint",
    }  # fmt: skip
    assert content.results["parameters"] == ["c_tG", "luminosity_scale"]
    assert content.results["correlation"][0][1] == pytest.approx(-0.5)
    assert content.tables[0].rows[0] == ("c_tG", "1.000", "−0.500")
    assert [plot.name for plot in content.plots] == ["interval_summary", "fit_pulls", "correlation"]
    json.dumps(dict(content.results), allow_nan=False)
    with figure_style():
        assert all(plot.draw(Headline()) for plot in content.plots)


def test_constraints_of_parameters_and_backgrounds(store: EventStore) -> None:
    free = {"free": True, "total": 0.1, "statistical": 0.1, "integration": 0.0, "rate": 0.0, "calibration": 0.0,
            "training": 0.0}  # fmt: skip
    found = record(
        best_fit={"kappa_tilde_t": {**free, "value": 0.0, "free": False}, "c_tG": {**free, "value": 0.3},
                  "ttbb_normalisation": {**free, "value": 1.3}, "qcd_normalisation": {**free, "value": 0.9}},
        covariance=np.diag([0.0, 0.01, 0.01, 0.01]).tolist(),
        settings__constraints={"c_tG": {"centre": 0.1, "width": 0.2}},
        settings__backgrounds={"ttbb": {"uncertainty": 0.2}, "qcd": {"uncertainty": None}},
    )  # fmt: skip
    pulls = intervals_of(store, found).results["pulls"]
    assert pulls["c_tG"]["pull"] == pytest.approx(1.0)
    assert pulls["ttbb_normalisation"]["pull"] == pytest.approx(1.5)
    assert "qcd_normalisation" not in pulls


def test_best_fit_describes_the_data_that_it_was_fitted_to(store: EventStore, files: LimitFiles) -> None:
    content = PostFitSection(sample_of(store, read_limits(files, store))).content()
    assert content.missing == ()
    names = [plot.name for plot in content.plots]
    assert names[-2:] == ["post_fit_ht", "post_fit_closest_pair_mass"]  # all events of the toy have six jets
    assert "post_fit_R1_c_tG" in names
    data = read_result(files.inference).result["data"]["events"]
    for found in content.results.values():
        total, expected = (sum(found[name]["sum_of_weights"]) for name in ("data", "best_fit"))
        assert 0 < found["chi_square"] < 3 * found["bins"]
        assert total <= data
        assert expected == pytest.approx(total, rel=0.1)  # a fit with the number of events
    assert any("fluctuate together" in text for text in content.paragraphs)
    with figure_style():
        figure = content.plots[-1].draw(Headline())
    assert len(figure.axes) == 2
    json.dumps(dict(content.results), allow_nan=False)


def test_backgrounds_are_added_at_their_best_normalisation(store: EventStore, tmp_path: Path) -> None:
    found = read_result(with_background(tmp_path, store))
    content = PostFitSection(sample_of(store, Limits(inference=found))).content()
    assert content.missing == ()
    masses = content.results["closest_pair_mass"]
    expected = found.result["expected_events"]
    assert sum(masses["others"]["ttbb"]["entries"]) > 0
    assert everything(masses["others"]["ttbb"]) == pytest.approx(expected[1], rel=1e-6)
    assert everything(masses["best_fit"]) == pytest.approx(sum(expected), rel=1e-6)
    with figure_style():
        labels = {text.get_text() for text in content.plots[-1].draw(Headline()).axes[0].get_legend().get_texts()}
    assert {"best fit", "ttbb", "pseudo-data"} <= labels


def everything(histogram: dict[str, Any]) -> float:
    """Return the sum of a histogram and its flows."""
    return sum(histogram["sum_of_weights"]) + histogram["underflow"][0] + histogram["overflow"][0]


def test_a_fit_whose_events_are_gone_says_so(store: EventStore, tmp_path: Path) -> None:
    path = write(tmp_path / "tth.parquet", estimated(store, lost=[3, 4]), store)
    found = read_result(inferred(tmp_path / "infer", store.path, path))
    path.unlink()
    content = PostFitSection(sample_of(store, Limits(inference=found))).content()
    assert "cannot be read any more" in content.missing[0]


@pytest.mark.parametrize("make", [IntervalsSection, PostFitSection, InformationSection])
def test_nothing_to_show_is_said(store: EventStore, make: type) -> None:
    content = make(sample_of(store, None)).content()
    assert content.plots == ()
    assert content.missing


def information(store: EventStore, limits: Limits) -> Content:
    section = InformationSection(sample_of(store, limits))
    _fill([section], store, 300, SILENT)
    return section.content()


def test_information_is_that_of_the_true_weights(store: EventStore, files: LimitFiles) -> None:
    limits = read_limits(files, store)
    content = information(store, limits)
    best = limits.inference.result["best_fit"]
    theta = store.metadata.monomials.point({name: best[name]["value"] for name in ("kappa_tilde_t", "c_tG")})
    batch = store.read(["coefficients"], selected_only=True)
    weight = batch.coefficients @ store.metadata.monomials.evaluate(theta)
    slopes = batch.coefficients @ store.metadata.monomials.gradient(theta)
    expected = (slopes[:, 1] ** 2 / weight).sum()
    found = content.results["signed_delta_phi_signed_delta_y c_tG"]
    assert np.sum(found["sum_of_weights"]) == pytest.approx(expected, rel=1e-9)
    names = {plot.name for plot in content.plots}
    assert {"information_c_tG_pt_H_mass_ttbar", "information_kappa_tilde_t_ht_closest_pair_mass"} <= names
    assert "at the best fit" in content.paragraphs[0]
    share = data_of(content, "information_c_tG_pt_H_mass_ttbar")["panels"][0]["items"][0]["values"]
    assert np.nansum(np.array(share, dtype=float)) == pytest.approx(100.0, rel=1e-4)
    json.dumps(dict(content.results), allow_nan=False)


def test_ratios_that_are_odd_under_cp_change_sign(tmp_path: Path) -> None:
    def add_odd_terms(columns: dict[str, object]) -> None:
        momenta = np.asarray(columns["partons"]).reshape(-1, 3, 4)
        angle = np.arctan2(momenta[:, 1, 2], momenta[:, 1, 1]) - np.arctan2(momenta[:, 2, 2], momenta[:, 2, 1])
        coefficients = np.asarray(columns["coefficients"]).copy()
        coefficients[:, 4] = 0.4 * np.sin(angle) * coefficients[:, 0]
        columns["coefficients"] = coefficients

    from tests.report.conftest import hard_process, reconstruction, tth_metadata, write_store

    generator = np.random.default_rng(5)
    columns = hard_process(generator, 3000) | reconstruction(generator, 3000)
    add_odd_terms(columns)
    store = EventStore.open(write_store(tmp_path / "odd.parquet", columns, tth_metadata(columns)))
    content = information(store, Limits())
    name = "odd_kappa_tilde_t_c_tG_signed_delta_phi_signed_delta_y"
    values = np.array(data_of(content, name)["panels"][0]["items"][0]["values"], dtype=float)
    left, right = np.nanmean(values[:, :6]), np.nanmean(values[:, 6:])
    assert left < -0.1
    assert right > 0.1
    assert "changes sign under CP" in next(plot.caption for plot in content.plots if plot.name == name)


def test_components_that_depend_on_theta_are_added_at_their_own_theta(store: EventStore, tmp_path: Path) -> None:
    options = {"parameters": ["c_tG"], "truth": {"c_tG": 0.5}}
    found = read_result(with_component(tmp_path, store, **options))
    sample = sample_of(store, Limits(inference=found))
    content = PostFitSection(sample).content()
    assert content.missing == ()
    expected = found.result["expected_events"]
    at_best = found.result["best_fit"]["c_tG"]["value"]
    assert abs(at_best) > 0.05  # so that the component is not where the Standard Model is
    masses = content.results["closest_pair_mass"]
    assert everything(masses["others"]["second"]) == pytest.approx(expected[1], rel=1e-6)
    assert everything(masses["best_fit"]) == pytest.approx(sum(expected), rel=1e-6)
    standard = InferenceConfig.model_validate(found.result["settings"]).luminosity * 1000 * _sigma(store, tmp_path)
    assert everything(masses["reference"]) == pytest.approx(standard, rel=1e-6)
    with figure_style():
        labels = {text.get_text() for text in content.plots[-1].draw(Headline()).axes[0].get_legend().get_texts()}
    assert {"best fit", "SM", "second", "pseudo-data"} <= labels
    optimal = OptimalObservablesSection(sample).content()
    assert not any("cannot be read" in text for text in optimal.missing)
    assert [plot.name for plot in optimal.plots] == ["optimal_R2_kappa_tilde_t", "optimal_R1_c_tG", "optimal_R2_c_tG"]


def _sigma(store: EventStore, folder: Path) -> float:
    """Return the cross section of both processes in the Standard Model, in pb."""
    stores = (store, EventStore.open(folder / "events.parquet"))
    return float(sum(FiducialRate.from_store(each).coefficients[0] for each in stores))


def test_an_angle_has_its_unit_on_axes_and_in_tables(store: EventStore, tmp_path: Path) -> None:
    curve = {"kind": "circle", "sine": {"kappa_tilde_t": 1.0}, "cosine": {"c_tG": 0.3}, "centre": {"c_tG": -0.3}}
    options = {"curves": {"alpha": curve}, "parameters": ["alpha"], "truth": {"alpha": 30.0}, "source": "mem"}
    path = write(tmp_path / "tth.parquet", estimated(store), store)
    found = read_result(inferred(tmp_path / "infer", store.path, path, **options))
    settings = InferenceConfig.model_validate(found.result["settings"])
    sample = sample_of(store, Limits(inference=found))
    with labels_of(curve_parameters(settings.curves)), figure_style():
        likelihood = InferenceLikelihoodSection(sample).content()
        (curve_plot,) = [plot for plot in likelihood.plots if plot.name == "likelihood_alpha"]
        assert curve_plot.draw(Headline()).axes[0].get_xlabel() == r"$\alpha$ [°]"
        assert [row[0] for row in likelihood.tables[0].rows if row[0].startswith("alpha")] == ["alpha [°]"]
        whiskers = IntervalsSection(sample).content().plots[0].draw(Headline())
        assert any(r"$\alpha$ [°]" in axes.get_xlabel() for axes in whiskers.axes)
    assert PostFitSection(sample).content().missing == ()
