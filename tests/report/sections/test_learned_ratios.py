"""The section of learned ratios, from a training on the Gaussian toy to tables and figures."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from partonic.config.report import ReportConfig
from partonic.config.sbi import SbiConfig
from partonic.events.store import EventStore
from partonic.inference.record import InferenceRecord
from partonic.plots.canvas import Headline
from partonic.report.build import _sample
from partonic.report.findings.learned import learned_findings
from partonic.report.limits import LimitFiles, read_limits
from partonic.report.sections import groups_of
from partonic.report.sections.learned_ratios import LearnedRatiosSection
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.run import SbiFiles, coefficients_and_calibration
from partonic.sbi.train import train_sbi


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    toy, store = GaussianToy(1.5), folder / "toy.parquet"
    toy.write(store, toy.draw(6_000, [0.0], np.random.default_rng(1)))
    config = SbiConfig.model_validate({
        "features": [FEATURE], "network": {"hidden": [16], "members": 2},
        "training": {"epochs": 6, "batch_size": 256, "learning_rate": 1e-2},
    })  # fmt: skip
    train_sbi([store], config, 1, folder / "model")
    files = SbiFiles(folder / "model", store, (store,), folder / "sbi" / "gaussian_toy.parquet")
    coefficients_and_calibration(files, config)
    limits = read_limits(LimitFiles({"gaussian_toy": files.output}, store), EventStore.open(store))
    return replace(_sample(EventStore.open(store), ReportConfig(), None), limits=limits)


def test_facts_curves_and_closure(sample):
    content = LearnedRatiosSection(sample).content()
    assert not content.missing
    facts = dict(content.tables[0].rows)
    assert facts["Method"] == "derivatives"
    assert facts["Features"] == FEATURE
    assert facts["Epochs"] == "6"
    assert "theta: enough events for" in facts
    names = [plot.name for plot in content.plots]
    assert names[:2] == ["sbi_gaussian_toy_training", "sbi_gaussian_toy_closure_0"]
    assert "mem_gaussian_toy_calibration" in names
    assert "mem_gaussian_toy_quality" not in names, "networks give no densities"
    for plot in content.plots:
        assert plot.draw(Headline()).axes
    (closure,) = next(iter(content.results["gaussian_toy"]["closure"].values()))
    assert closure["name"] == FEATURE
    assert len(closure["ratio"]) == 10
    assert closure["largest"] < 0.6


def test_the_page_calls_it_by_its_name(sample):
    groups = {group.name: group for group in groups_of(sample)}
    assert groups["mem"].title == "Simulation-based inference"
    assert LearnedRatiosSection in groups["mem"].makers


def test_what_is_not_there_is_told(sample):
    events = sample.limits.integrated[0]
    facts = {**events.metadata.facts, "model": "nowhere"}
    metadata = events.metadata.model_copy(update={"facts": facts, "store": "nowhere.parquet"})
    changed = replace(sample.limits, integrated=(replace(events, metadata=metadata),))
    missing = LearnedRatiosSection(replace(sample, limits=changed)).content().missing
    assert any("course of the training" in text for text in missing)
    assert any("nowhere.parquet" in text for text in missing)


def test_findings_of_events_and_of_ratios_that_were_not_learned(sample):
    assert not list(learned_findings(sample.limits))
    events = sample.limits.integrated[0]
    figures = {"outside": 0.3, "projection_residual": 0.5}
    metadata = events.metadata.model_copy(update={"facts": {**events.metadata.facts, "figures": figures}})
    found = list(learned_findings(replace(sample.limits, integrated=(replace(events, metadata=metadata),))))
    assert [each.section for each in found] == ["mem_integrals"] * 2
    assert "30.0% of the events" in found[0].text
    assert "by 50.0% on the median" in found[1].text


def fit(low, high):
    """The result of an inference with this interval of theta."""
    interval = {"name": "theta", "level": 0.95, "segments": [[low, high]], "open_below": False, "open_above": False}
    result = {"fitted": ["theta"], "intervals": {"theta": [{**interval, "kind": "total"}]}, "toys": {}}
    return InferenceRecord(Path("result.json"), result, pa.table({}))


@pytest.mark.parametrize(("reach", "told"), [(0.5, False), (15.0, True)])
def test_theta_that_the_training_events_do_not_reach(sample, reach, told):
    low, high = sample.limits.integrated[0].metadata.facts["covered_range"]["theta"]
    assert low < -0.3 < 0.3 < high
    limits = replace(sample.limits, inference=fit(reach * low, reach * high))
    found = [each.text for each in learned_findings(limits)]
    assert len(found) == told
    assert not told or "The intervals of theta reach from" in found[0]
    assert not told or re.search(r"known to \d+\.\d% and \d+\.\d% on the median", found[0])


def with_facts(sample, **facts):
    events = sample.limits.integrated[0]
    metadata = events.metadata.model_copy(update={"facts": {**events.metadata.facts, **facts}})
    return replace(sample, limits=replace(sample.limits, integrated=(replace(events, metadata=metadata),)))


@pytest.mark.parametrize(("second", "told"), [(0.52, False), (0.6, True)])
def test_a_background_shows_its_calibration_and_is_found_if_that_is_off(sample, second, told):
    calibration = {
        "stated": [0.1, 0.5], "found": [0.1, second], "error": [0.01, 0.01],
        "mean_ratio": [1.02, 0.01], "mean_inverse": [0.98, 0.03],
    }  # fmt: skip
    shown = with_facts(sample, scale={"slope": 0.97, "slope_error": 0.02}, calibration=calibration)
    facts = dict(LearnedRatiosSection(shown).content().tables[0].rows)
    assert facts["Slope of its calibration"] == "0.970 ± 0.020"
    assert facts["Mean of p_sig/p_bkg over the background"] == "1.020 ± 0.010"
    found = [each.text for each in learned_findings(shown.limits)]
    assert len(found) == told
    assert not told or "stated probability of 50.0% are it in 60.0% of the cases (+10.0 errors)" in found[0]
