"""The report of unfolding models, from model folders to the page."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.report.test_build import Page
from tests.unfolding.toys import HARD, PROCESS, WITH_ISR, write_store

from partonic.config.report import ReportConfig, UnfoldingReportConfig
from partonic.config.unfolding import ConditionerConfig, FlowConfig, ProvenanceConfig
from partonic.errors import EventFileError, ModelError
from partonic.report import build_report
from partonic.report.labels import unfolded_label
from partonic.report.unfolded import training_history
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.model import NetworkSizes, UnfoldingModel
from partonic.unfolding.unfolder import Unfolder

SIZES = NetworkSizes(
    ProvenanceConfig(width=8, layers=1, target_layers=1, heads=1, feedforward=8),
    ConditionerConfig(
        width=8, encoder_layers=1, encoder_heads=2, decoder_layers=1, decoder_heads=2, latent_layers=1, latent=2,
        feedforward=8,
    ),
    FlowConfig(transforms=1, bins=4, hidden=(8,)),
)  # fmt: skip
FEW = UnfoldingReportConfig(show=True, events=60, samples=10, single_events=2, single_samples=100)
TABLE = "epoch,loss,validation,sample_mmd,multiplier.sample_mmd\n1,2.0,2.1,,0.0\n2,1.0,1.2,0.01,0.5\n"
SECTIONS = ("unfolding_training", "unfolding_regression", "unfolding_samples", "unfolding_calibration")


def write_model(folder: Path, view=HARD) -> Path:
    """An untrained model with the record and the tables of a training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = UnfoldingModel(SIZES, view)
    record = {"events": 10, "stores": ["events.parquet"], "validation": -1.5, "epochs": {"joint": 2}}
    Unfolder(model, SchemaRecord.of(PROCESS), record).save(folder)
    for phases in (folder / "phases" / "joint", folder.parent / "phases" / "provenance"):
        phases.mkdir(parents=True, exist_ok=True)
        (phases / "epochs.csv").write_text(TABLE)
    return folder


@pytest.mark.slow
def test_page_shows_both_views(tmp_path: Path) -> None:
    store = write_store(tmp_path / "simulate" / "events.parquet", 100)
    models = [write_model(tmp_path / "train" / view.name, view) for view in (HARD, WITH_ISR)]
    config = ReportConfig(formats=(), sections=("summary", *SECTIONS), unfolding=FEW)
    page = build_report(store, tmp_path / "report", config, models=models)
    found = Page(page.read_text())
    sections = json.loads((tmp_path / "report" / "report.json").read_text())["sections"]
    assert tuple(sections) == (*SECTIONS, "summary")
    assert set(SECTIONS) <= set(found.anchors)
    # 8 of regression, 8 of samples, 4 of calibration and one phase for each view; provenance: its phase and efficiency.
    assert len(found.sources) == 2 * 21 + 2
    for view in ("hard", "with_isr"):
        calibration = sections["unfolding_calibration"]["results"][view]
        assert calibration["events"] == 60
        assert len(calibration["ranks"]) == {"hard": 18, "with_isr": 21}[view]
    # The model lies in the same analysis, and was trained on a store of this name.
    assert any("was trained on events of this very analysis" in text for text in sections[SECTIONS[3]]["missing"])
    right = sections["unfolding_training"]["results"]["provenance"]["baseline"][0]["right"]
    assert right["H"]["total"] == 60


def test_history_is_read_by_phase_in_the_order_of_training(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "hard"
    for phases in (folder / "phases" / "joint", folder / "phases" / "regression", folder.parent / "phases/provenance"):
        phases.mkdir(parents=True)
        (phases / "epochs.csv").write_text(TABLE)
    history = training_history(folder)
    assert list(history) == ["provenance", "regression", "joint"]
    assert history["joint"]["validation"].tolist() == [2.1, 1.2]
    np.testing.assert_array_equal(history["joint"]["sample_mmd"], [np.nan, 0.01])
    assert training_history(tmp_path / "nothing") == {}
    (folder / "phases" / "joint" / "epochs.csv").write_text("epoch,loss\n1,abc\n")
    with pytest.raises(EventFileError, match=r"epochs\.csv is not a table of a training"):
        training_history(folder)


def test_without_models_the_sections_are_not_there(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 20)
    config = ReportConfig(formats=(), sections=("summary",))
    page = build_report(store, tmp_path / "report", config)
    assert "unfolding" not in json.loads((page.parent / "report.json").read_text())["sections"]
    with pytest.raises(ModelError):
        build_report(store, tmp_path / "report", replace_unfolding(config), models=[tmp_path / "no model"])


def replace_unfolding(config: ReportConfig) -> ReportConfig:
    return config.model_copy(update={"unfolding": FEW})


@pytest.mark.parametrize(
    ("name", "label"),
    [("u12", "$u_{12}$"), ("pt H", r"$p_\mathrm{T}$(H)"), ("sqrt_s", r"$\sqrt{\hat{s}}$"), ("other", "other")],
)
def test_variables_have_labels(name: str, label: str) -> None:
    assert unfolded_label(name) == label
