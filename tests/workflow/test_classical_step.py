"""The step of the classical method: what it depends on, what it refuses, and that a fit follows from it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mem.classical.toys import transfer

from partonic.config import AnalysisConfig
from partonic.errors import ConfigError, ModelError, SchemaError
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.mem.classical.transfer import TransferFunctions
from partonic.progress import SILENT
from partonic.workflow import run_analysis
from partonic.workflow.check import classical_is_ready
from partonic.workflow.classical_step import ClassicalStep
from partonic.workflow.limit_files import limit_files
from partonic.workflow.places import event_store
from partonic.workflow.step import Step
from partonic.workflow.workload import workload

TINY = {
    "points": 100, "adaptation_points": 10, "adaptation_iterations": 1, "pilot_points": 10, "max_assignments": 1,
    "max_events": 4, "workers": 1,
}  # fmt: skip
STORE = Path(__file__).parents[1] / "reference" / "tth_selected.parquet"


def analysis(folder: Path, classical: dict[str, object] | None = None, **sections: object) -> AnalysisConfig:
    return AnalysisConfig(name="toy", output=folder / "out", seed=3, classical=classical, **sections)


def test_step_applies_with_its_section_only(tmp_path: Path) -> None:
    assert isinstance(ClassicalStep(), Step)
    assert ClassicalStep().applies(analysis(tmp_path, {}))
    assert not ClassicalStep().applies(analysis(tmp_path))
    with pytest.raises(ConfigError, match="'toy' has no section `classical`"):
        ClassicalStep().settings(analysis(tmp_path))


def test_how_the_work_is_shared_out_changes_nothing(tmp_path: Path) -> None:
    step = ClassicalStep()
    first = step.settings(analysis(tmp_path, {"workers": 1, "batch_events": 3}))
    assert first == step.settings(analysis(tmp_path, {"workers": 7}))
    assert first != step.settings(analysis(tmp_path, {"points": 300}))
    assert first != step.settings(analysis(tmp_path, {"max_events": 5}))
    assert workload("classical", analysis(tmp_path, {"points": 300, "max_events": 5})) == {
        "classical.points": 300.0, "classical.max_events": 5.0,
    }  # fmt: skip


def test_inputs_and_outputs(tmp_path: Path) -> None:
    shipped = analysis(tmp_path, {})
    assert [path.name for path in ClassicalStep().inputs(shipped)] == ["events.parquet", "classical.json"]
    assert ClassicalStep().outputs(shipped) == (tmp_path / "out" / "classical" / "tth.parquet",)
    fitted = analysis(tmp_path, {"transfer": {"fit_to": tmp_path / "mc.parquet"}, "store": tmp_path / "x.parquet"})
    assert ClassicalStep().inputs(fitted) == (tmp_path / "x.parquet", tmp_path / "mc.parquet")
    assert ClassicalStep().outputs(fitted)[1] == tmp_path / "out" / "classical" / "transfer.json"
    assert event_store(shipped) in ClassicalStep().inputs(shipped)


def test_process_without_transfer_functions(tmp_path: Path) -> None:
    other = analysis(tmp_path, {}, process={"name": "ttbb"})
    with pytest.raises(
        ModelError, match=r"no classical transfer functions of 'ttbb' ship .*classical\.transfer\.fit_to"
    ):
        classical_is_ready(other)


def test_other_decays_are_refused(tmp_path: Path) -> None:
    config = analysis(tmp_path, {}, simulation={"decays": {"tops": "dilepton"}})
    with pytest.raises(ConfigError, match=r"`simulation\.decays\.tops: semileptonic`, and .* has 'dilepton'"):
        ClassicalStep().run(config, SILENT)


def test_cross_section_is_of_the_process(tmp_path: Path) -> None:
    functions = tmp_path / "transfer.json"
    transfer().save(functions)
    section = {**TINY, "store": STORE, "normalisation_store": STORE, "transfer": {"file": functions}}
    with pytest.raises(SchemaError, match="holds events of 'tth', but the cross section of 'ttbb' is asked for"):
        ClassicalStep().run(analysis(tmp_path, section, process={"name": "ttbb"}), SILENT)


def test_analysis_goes_to_the_fit(tmp_path: Path) -> None:
    """Integrals, then a likelihood of them; a constraint makes its maximum known whatever the few events say."""
    inference = {
        "source": "classical", "data": "events", "shape_only": True, "parameters": ["kappa_tilde_t"], "expected": [],
        "constraints": {"kappa_tilde_t": {"centre": 0.0, "width": 0.1}},
    }  # fmt: skip
    config = analysis(tmp_path, {**TINY, "store": STORE}, inference=inference)
    run_analysis(config, steps=["classical", "infer"])
    found, metadata = read_coefficients(tmp_path / "out" / "classical" / "tth.parquet")
    assert (len(found), metadata.source, metadata.seed) == (4, "classical", 3)
    assert found.usable().any()
    assert metadata.cross_section is not None
    assert np.isfinite(found.ratios[found.usable()]).all()
    result = json.loads((tmp_path / "out" / "infer" / "result.json").read_text())
    assert (result["source"], result["files"]["store"]) == ("classical", str(STORE))
    assert 0.0 < result["best_fit"]["kappa_tilde_t"]["statistical"] <= 0.1 * 1.05
    files = limit_files(config)
    assert files is not None
    assert (files.store, list(files.coefficients)) == (STORE, ["tth"])
    assert [outcome.ran for outcome in run_analysis(config, steps=["classical", "infer"])] == [False, False]


def test_other_transfer_functions_give_other_integrals(tmp_path: Path) -> None:
    functions = TransferFunctions.pretrained("tth")
    replace(functions, missing=replace(functions.missing)).save(tmp_path / "same.json")
    transfer().save(tmp_path / "other.json")
    found = {}
    for name in ("same", "other"):
        section = {**TINY, "store": STORE, "transfer": {"file": tmp_path / f"{name}.json"}}
        ClassicalStep().run(analysis(tmp_path / name, section), SILENT)
        found[name] = read_coefficients(tmp_path / name / "out" / "classical" / "tth.parquet")[0]
    ClassicalStep().run(analysis(tmp_path, {**TINY, "store": STORE}), SILENT)
    shipped = read_coefficients(tmp_path / "out" / "classical" / "tth.parquet")[0]
    np.testing.assert_array_equal(found["same"].ratios, shipped.ratios)
    assert not np.allclose(found["other"].ratios, shipped.ratios, equal_nan=True)


def test_transfer_functions_are_fitted_to_the_store_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store, cuts and number of events of the settings reach the fit, and its functions the integrals."""
    asked = []

    def fit(store: object, *settings: object) -> TransferFunctions:
        asked.append((store.path, *settings))
        return transfer()

    monkeypatch.setattr("partonic.mem.classical.fit.fit_transfer_functions", fit)
    section = {**TINY, "store": STORE, "transfer": {"fit_to": STORE, "events": 500}}
    config = analysis(tmp_path, section, simulation={"selection": {"jets_min": 5}})
    ClassicalStep().run(config, SILENT)
    assert asked == [(STORE, config.simulation.selection, config.simulation.jets, 500)]
    assert TransferFunctions.load(tmp_path / "out" / "classical" / "transfer.json").facts == transfer().facts
    stricter = analysis(tmp_path, section, simulation={"selection": {"jets_min": 6}})
    assert ClassicalStep().settings(stricter) != ClassicalStep().settings(config)
