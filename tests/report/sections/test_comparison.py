"""All methods side by side: one figure, one table, and a section for each estimator that is not fitted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.limit_files import LUMINOSITY, estimated, toy_store, write

from partonic.config.inference import InferenceConfig
from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.inference.coefficients.members_file import write_members
from partonic.inference.infer import infer
from partonic.inference.samples import Files
from partonic.inference.sources import EstimatorFiles
from partonic.plots.canvas import Headline
from partonic.plots.figure_data import figure_data
from partonic.plots.style import figure_style
from partonic.report.build import _sample
from partonic.report.limits import EstimatorCost, LimitFiles, read_limits
from partonic.report.section import Sample
from partonic.report.sections import groups_of, other_estimators
from partonic.report.sections.comparison import ComparisonSection


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Two estimators, the second with an ensemble, and a histogram."""
    folder = tmp_path_factory.mktemp("compared")
    store = EventStore.open(toy_store(folder))
    mem = estimated(store)
    learned = replace(estimated(store, noise=0.3), source="sbi.trees", log_reference=np.zeros(len(mem)))
    paths = {"mem": write(folder / "mem.parquet", mem, store), "sbi.trees": write(folder / "t.parquet", learned, store)}
    drawn = np.random.default_rng(1).normal(size=(3, *learned.ratios.shape))
    ratios = learned.ratios + 0.2 * drawn * (np.arange(learned.ratios.shape[1]) > 0)
    write_members(folder / "members.safetensors", learned.event_id, ratios)
    settings = {
        "luminosity": LUMINOSITY, "truth": {}, "workers": 1, "scan": {"points": 5, "contours": []}, "compare": True,
        "parameters": ["kappa_tilde_t", "c_tG"], "binned": {"ht": {"edges": {"sum_pt": [300.0, 500.0]}}},
    }  # fmt: skip
    compared = {
        "mem": EstimatorFiles(paths["mem"]),
        "sbi.trees": EstimatorFiles(paths["sbi.trees"], members=folder / "members.safetensors"),
    }
    files = Files(store.path, paths["mem"], compared=compared)
    infer(files, InferenceConfig.model_validate(settings), 3, folder / "infer")
    limits = LimitFiles(
        {"tth": paths["mem"]}, store.path, folder / "infer" / "result.json", others={"sbi.trees": paths["sbi.trees"]},
        seconds={"sbi.trees": (90.0, 3.0), "mem": (None, 1500.0), "classical": (None, 1.0)},
    )  # fmt: skip
    assert paths["sbi.trees"] in set(limits.paths())
    return replace(_sample(store, ReportConfig(), None), limits=read_limits(limits, store))


def test_one_figure_has_the_curves_and_the_intervals_of_all_methods(sample: Sample) -> None:
    content = ComparisonSection(sample).content()
    (plot,) = content.plots
    with figure_style():
        figure = plot.draw(Headline())
    curves, whiskers = figure.axes[:2]
    names = [label.get_text() for label in whiskers.get_yticklabels()]
    assert names == ["parton truth", "mem", "sbi.trees", "histogram ht", "rate only"]
    colours = [label.get_color() for label in whiskers.get_yticklabels()]
    assert len(set(colours)) == 5, "the rows are the legend"
    drawn = {line.get_color() for line in curves.lines if len(line.get_xdata()) > 2}
    assert drawn == set(colours)
    assert len(curves.collections) == 4, "bands: three of the simulation, one more with the ensemble"
    assert len(figure_data(figure)["panels"]) == 4
    assert figure.axes[1].get_shared_x_axes().joined(curves, whiskers)


def test_one_table_has_their_numbers(sample: Sample) -> None:
    content = ComparisonSection(sample).content()
    table, directions = content.tables
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert {"parton truth, unbinned", "mem, unbinned", "sbi.trees, unbinned", "histogram ht", "rate only"} <= set(rows)
    trees = rows["sbi.trees, unbinned"]
    assert trees["training"] == "1 min 30 s"
    assert trees["per event"] == f"{3e3 / len(sample.limits.others[0].coefficients):.2g} ms"
    assert rows["mem, unbinned"]["training"] == rows["rate only"]["per event"] == "–"
    kept = {name: float(row["c_tG [TeV⁻²], information kept"].split("%")[0]) for name, row in rows.items()
            if row["c_tG [TeV⁻²], information kept"] != "–"}  # fmt: skip
    assert kept["parton truth, unbinned"] == 100.0
    assert kept["rate only"] < kept["sbi.trees, unbinned"] < kept["mem, unbinned"] < 100.0
    assert rows["parton truth, unbinned"]["c_tG [TeV⁻²], R²"].startswith("1.00")
    assert all("kappa_tilde_t" in row[1] and "c_tG" in row[1] for row in directions.rows)
    assert float(directions.rows[0][2]) > 0.0
    assert directions.rows[1][2] == "–", "κ̃_t enters squared only"
    json.dumps(dict(content.results), allow_nan=False)


def test_a_method_without_an_interval(sample: Sample) -> None:
    record = sample.limits.inference
    comparison = record.result["comparison"]
    open_one = {**comparison["methods"]["mem, unbinned"]["c_tG"], "open_below": True, "segments": [[-1.0, 1.0]]}
    methods = {**comparison["methods"], "rate only": {"kappa_tilde_t": None, "c_tG": None},
               "mem, unbinned": {"kappa_tilde_t": None, "c_tG": open_one}}  # fmt: skip
    changed = replace(record, result={**record.result, "comparison": {**comparison, "methods": methods}})
    content = ComparisonSection(replace(sample, limits=replace(sample.limits, inference=changed))).content()
    rows = {row[0]: row for row in content.tables[0].rows}
    assert rows["rate only"][1:5] == ("none",) * 4
    assert rows["mem, unbinned"][3] == "[< −1, 1]"
    with figure_style():
        assert content.plots[0].draw(Headline()).axes


def test_nothing_was_compared(sample: Sample) -> None:
    content = ComparisonSection(replace(sample, limits=None)).content()
    assert "inference.compare: true" in content.missing[0]


def test_estimators_that_are_not_fitted_have_a_section_each(sample: Sample) -> None:
    groups = {group.name: group for group in groups_of(sample)}
    assert ComparisonSection in groups["inference"].makers
    (make,) = other_estimators(sample.limits)
    section = make(sample)
    assert (section.name, section.title) == ("estimator_sbi_trees", "Learned likelihood ratios: sbi.trees")
    content = section.content()
    assert any(plot.name == "mem_sbi_trees_calibration" for plot in content.plots)
    assert "/" not in "".join(plot.name for plot in content.plots)
    assert not list(other_estimators(None))


def test_costs_in_words() -> None:
    assert EstimatorCost(None, None, 10).event_text() == "–"
    assert EstimatorCost(None, 25.0, 10).event_text() == "2.5 s"
    assert EstimatorCost(61.0, 1.0, 0).event_text() == "–"


def test_why_an_estimator_is_left_out(sample: Sample, tmp_path: Path) -> None:
    record = sample.limits.inference
    comparison = {**record.result["comparison"], "left_out": {"sbi": "only 3 events"}}
    changed = replace(record, result={**record.result, "comparison": comparison})
    content = ComparisonSection(replace(sample, limits=replace(sample.limits, inference=changed))).content()
    assert content.missing == ("'sbi' is not compared: only 3 events.",)


def test_a_band_that_is_not_finite_fills_the_panel() -> None:
    from partonic.report.sections.comparison import _curve

    curve = _curve({"q": [0.0, 1.0, None], "statistical": [0.1, None, 0.2], "ensemble": None})
    assert curve.ensemble is None
    assert curve.statistical is not None
    assert list(curve.statistical < 1.0) == [True, False, True], "an unknown error is not none"
    assert curve.q[2] > 1e3
