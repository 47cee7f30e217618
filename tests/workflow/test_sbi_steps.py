"""The steps of simulation-based inference, from an imported sample to a fit, with the example of the package."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from tests.sbi.background.toy_background import write_background

from partonic.cli.group import main
from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi.variants import SbiSection
from partonic.errors import ConfigError, ModelError, SchemaError, WorkflowError
from partonic.events.store import EventWriter
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.progress import SILENT
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.workflow import run_analysis
from partonic.workflow.check import sbi_is_ready
from partonic.workflow.inference_steps import InferStep
from partonic.workflow.places import estimates_file
from partonic.workflow.sbi_steps import SbiStep, SbiTrainStep, is_calibrated
from partonic.workflow.step import steps_of
from partonic.workflow.steps import STEPS

EXAMPLES = Path(__file__).parents[2] / "examples"


def analysis(tmp_path: Path, **sections) -> AnalysisConfig:
    content = yaml.safe_load((EXAMPLES / "gaussian_toy.yaml").read_text(encoding="utf-8"))
    content["import"]["files"] = [str(tmp_path / "toy.lhe")]
    content["output"] = str(tmp_path / "out")
    content["sbi"] |= {"preset": "tiny"}
    content |= {name: {**content.get(name, {}), **section} for name, section in sections.items()}
    return AnalysisConfig.model_validate(content)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, AnalysisConfig]:
    folder = tmp_path_factory.mktemp("toy")
    arguments, sys.argv = sys.argv, ["make_gaussian_toy.py", str(folder / "toy.lhe"), "4000"]
    try:
        runpy.run_path(str(EXAMPLES / "make_gaussian_toy.py"), run_name="__main__")
    finally:
        sys.argv = arguments
    config = analysis(folder, inference={"compare": False})
    run_analysis(config, steps=["import", "train_sbi", "sbi", "infer"], progress=SILENT)
    return folder, config


def test_order_of_the_steps():
    names = [step.name for step in STEPS]
    assert names.index("train_sbi") < names.index("sbi") < names.index("infer")


def test_the_fit_is_calibrated_on_events_that_are_neither_trained_on_nor_fitted(finished):
    folder, _ = finished
    result = json.loads((folder / "out" / "infer" / "result.json").read_text(encoding="utf-8"))
    assert result["settings"]["calibration"] == str(folder / "out" / "sbi" / "calibration.json")
    assert result["source"] == "sbi"
    fitted, metadata = read_coefficients(folder / "out" / "sbi" / "external.parquet")
    assert 1400 < len(fitted) < 1800
    assert metadata.facts["features"] == ["partons[7]"]
    best = result["best_fit"]["theta"]
    assert 0.0 < best["total"] < 0.2
    assert abs(abs(best["value"]) - 0.6) < 4.0 * best["total"], "the sign of θ cannot be known"


def test_nothing_is_done_twice(finished):
    folder, config = finished
    outcomes = run_analysis(config, steps=["train_sbi", "sbi", "infer"], progress=SILENT)
    assert not any(outcome.ran for outcome in outcomes)
    other = analysis(folder, sbi={"method": "morphing", "features": ["partons[7]"], "preset": "tiny"})
    assert SbiTrainStep().settings(other) != SbiTrainStep().settings(config)
    faster = analysis(folder, sbi={"features": ["partons[7]"], "preset": "tiny", "workers": 2, "batch_events": 10})
    assert SbiTrainStep().settings(faster) == SbiTrainStep().settings(analysis(folder, sbi={
        "features": ["partons[7]"], "preset": "tiny"}))  # fmt: skip


def test_without_a_share_there_is_no_calibration(tmp_path):
    config = analysis(tmp_path, sbi={"features": ["partons[7]"], "shares": {"calibration": 0.0}})
    assert not is_calibrated(config)
    assert [path.name for path in SbiStep().outputs(config)] == ["external.parquet", "members.safetensors"]
    assert is_calibrated(analysis(tmp_path))
    away = {"name": "external", "parameters": {"theta": {"standard_model": 1.0}}, "partons": {"z": 23, "x": 22}}
    assert is_calibrated(analysis(tmp_path, process=away)), "the reference is the Standard Model, wherever it is"


def test_unknown_parameters_are_found_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="no theory parameter 'thetta'"):
        analysis(tmp_path, sbi={"reference": [{"thetta": 1.0}]})


def test_without_the_section_there_is_no_step(tmp_path):
    content = analysis(tmp_path).model_dump(by_alias=True, exclude={"sbi"})
    config = AnalysisConfig.model_validate(content)
    assert not SbiTrainStep().applies(config)
    with pytest.raises(ConfigError, match="has no section `sbi`"):
        SbiStep().settings(config)


def test_the_command_takes_any_store_and_model(finished, tmp_path):
    folder, _ = finished
    store, model = folder / "out" / "import" / "events.parquet", folder / "out" / "train_sbi"
    output = tmp_path / "found.parquet"
    arguments = ["sbi", "--store", str(store), "--model", str(model), "--output", str(output), "--max-events", "50"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    found, _ = read_coefficients(output)
    fitted, _ = read_coefficients(folder / "out" / "sbi" / "external.parquet")
    unseen = [event for event in fitted.event_id.tolist() if event < 50]
    assert found.event_id.tolist() == unseen
    assert "learned from or calibrated with are left out" in done.output.replace("\n", " ")
    wrong = CliRunner().invoke(main, [*arguments, "--coefficients", "mem"])
    assert wrong.exit_code == 2
    assert "expected NAME=FILE" in wrong.output
    incomplete = CliRunner().invoke(main, ["sbi", "--store", str(store)])
    assert incomplete.exit_code == 2
    assert "--model with a model" in incomplete.output


def test_events_that_are_fitted_are_not_trained_on_by_another_name(finished, tmp_path):
    folder, _ = finished
    linked = tmp_path / "linked"
    linked.symlink_to(folder / "out")
    for store in (folder / "out" / "import" / "events.parquet", linked / "import" / "events.parquet"):
        config = analysis(folder, sbi={"features": ["partons[7]"], "preset": "tiny", "stores": [str(store)]})
        with pytest.raises(ConfigError, match=r"sbi\.stores: .* holds the events of this analysis"):
            run_analysis(config, steps=["train_sbi"], progress=SILENT)


def test_a_store_of_another_process_is_refused_before_the_training(finished, tmp_path):
    folder, _ = finished
    store = folder / "out" / "import" / "events.parquet"
    config = AnalysisConfig.model_validate({"name": "other", "output": tmp_path / "out", "sbi": {"stores": [store]}})
    with pytest.raises(SchemaError, match=r"holds events of 'external', but the analysis is of 'tth': .*sbi\.stores"):
        SbiTrainStep().run(config, SILENT)
    assert not (tmp_path / "out").exists()


def test_a_training_may_leave_nothing_for_the_fit_but_a_run_is_refused_before_it(finished, tmp_path):
    folder, _ = finished
    shares = {"fit": 0.0, "calibration": 0.0}
    config = analysis(folder, sbi={"features": ["partons[7]"], "preset": "tiny", "shares": shares})
    config = config.model_copy(update={"output": tmp_path / "alone"})
    with pytest.raises(ConfigError, match=r"sbi\.shares\.fit: no event is left"):
        run_analysis(config, progress=SILENT)
    assert not (tmp_path / "alone").exists()
    run_analysis(config, steps=["import", "train_sbi"], progress=SILENT)
    assert (tmp_path / "alone" / "train_sbi" / "model.json").is_file()


def with_background(folder: Path, **inference) -> AnalysisConfig:
    """An analysis of the toy with its background, whose event stores are there."""
    return analysis(
        folder,
        sbi={
            "features": ["met_px"], "preset": "tiny", "shares": {"fit": 0.4, "calibration": 0.2},
            "backgrounds": {"bkg": {"store": str(folder / "bkg.parquet")}},
        },
        inference={"compare": False, "backgrounds": {"bkg": {"uncertainty": None}}, **inference},
    )  # fmt: skip


def test_backgrounds_are_learned_and_fitted(tmp_path):
    config = with_background(tmp_path)
    toy = GaussianToy(1.5)
    (tmp_path / "out" / "import").mkdir(parents=True)
    toy.write(tmp_path / "plain.parquet", toy.draw(6_000, [0.0], np.random.default_rng(1)))
    metadata = toy.metadata().with_facts(process="external")
    with EventWriter(tmp_path / "out" / "import" / "events.parquet", metadata) as writer:
        writer.write(pq.read_table(tmp_path / "plain.parquet"))
    write_background(tmp_path / "bkg.parquet", 4_000, 2)
    for step in (SbiTrainStep(), SbiStep(), InferStep()):
        missing = [path for path in step.inputs(config) if not path.is_file()]
        assert not missing, step.name
        step.run(config, SILENT)
        assert all(path.is_file() for path in step.outputs(config)), step.name
    result = json.loads((tmp_path / "out" / "infer" / "result.json").read_text(encoding="utf-8"))
    found = result["best_fit"]["bkg_normalisation"]
    assert abs(found["value"] - 1.0) < 4 * found["total"] < 1.0
    assert sbi_is_ready(config)


def test_a_background_that_nobody_learned_is_told(tmp_path):
    config = with_background(tmp_path, backgrounds={"other": {}})
    with pytest.raises(ConfigError, match=r"inference\.backgrounds\.other: nothing says how likely"):
        InferStep().inputs(config)
    own = with_background(tmp_path, backgrounds={"other": {"coefficients": str(tmp_path / "p.parquet")}})
    assert tmp_path / "p.parquet" in InferStep().inputs(own)
    with pytest.raises(ValueError, match="gives no densities of further processes"):
        with_background(tmp_path, components={"thq": {}})


def test_coefficients_that_are_features_are_inputs(tmp_path):
    config = analysis(
        tmp_path, sbi={"features": ["partons[7]", "other:ratios"], "coefficients": {"other": ["a.parquet"]}}
    )
    assert Path("a.parquet") in SbiTrainStep().inputs(config)
    assert Path("a.parquet") in SbiStep().inputs(config)
    here = analysis(tmp_path, sbi={"features": ["mem:ratios"]})
    assert estimates_file(here, "mem") in SbiTrainStep().inputs(here)
    with pytest.raises(WorkflowError, match=r"add `mem: \{\}`"):
        sbi_is_ready(here)
    with pytest.raises(ConfigError, match="are the coefficients that are learned here"):
        SbiTrainStep().inputs(analysis(tmp_path, sbi={"features": ["sbi:ratios"]}))


@pytest.fixture(scope="module")
def several(finished) -> tuple[Path, AnalysisConfig, list]:
    """The same analysis with two variants: trees, and the model that the section has trained, taken as ready."""
    folder, _ = finished
    also = {"trees": {"method": "trees"}, "ready": {"model": str(folder / "out" / "train_sbi")}}
    section = {"features": ["partons[7]"], "preset": "tiny", "also": also}
    coverage = {"experiments": 10}
    config = analysis(folder, sbi=section, inference={"source": "sbi.trees", "compare": True, "coverage": coverage})
    return folder, config, run_analysis(config, steps=["import", "train_sbi", "sbi", "infer"], progress=SILENT)


def test_each_variant_is_a_unit_of_its_own(several):
    folder, config, outcomes = several
    ran = {outcome.step: outcome.ran for outcome in outcomes}
    assert list(ran) == ["import", "train_sbi", "train_sbi.trees", "sbi", "sbi.trees", "sbi.ready", "infer"]
    assert not any(ran[step] for step in ("import", "train_sbi", "sbi")), "what was there is not done again"
    assert all(ran[step] for step in ("train_sbi.trees", "sbi.trees", "sbi.ready", "infer"))
    assert (folder / "out" / "train_sbi.trees" / "model.json").is_file()
    _, metadata = read_coefficients(folder / "out" / "sbi.trees" / "external.parquet")
    assert metadata.facts["method"] == "trees"
    result = json.loads((folder / "out" / "infer" / "result.json").read_text(encoding="utf-8"))
    assert result["source"] == "sbi.trees"
    assert result["coverage"][0]["parameters"][0]["name"] == "theta"
    compared = result["comparison"]["curves"]["theta"]["methods"]
    assert list(compared) == ["parton truth", "sbi.trees", "sbi", "sbi.ready", "rate only"]
    assert compared["sbi"]["ensemble"] is not None
    calibrated = json.loads((folder / "out" / "sbi" / "calibration.json").read_text(encoding="utf-8")).get("kind")
    same = compared["sbi"]["q"] == compared["sbi.ready"]["q"]
    assert same == (calibrated == "none"), "the ready model has no calibration"
    assert result["settings"]["calibration"] == str(folder / "out" / "sbi.trees" / "calibration.json")
    other = config.model_copy(
        update={"sbi": config.sbi.model_copy(update={"also": {**config.sbi.also, "trees": config.sbi.also["trees"]
        .model_copy(update={"group": "event_id"})}})}
    )  # fmt: skip
    changed = {step.name for step in steps_of(other, STEPS) if step.settings(other) != dict(
        {each.name: each.settings(config) for each in steps_of(config, STEPS)}[step.name])}  # fmt: skip
    assert changed == {"train_sbi.trees"}


def test_a_ready_model_fits_all_events_and_brings_its_calibration(several, tmp_path):
    folder, config, _ = several
    of_model, _ = read_coefficients(folder / "out" / "sbi.ready" / "external.parquet")
    unseen, _ = read_coefficients(folder / "out" / "sbi" / "external.parquet")
    assert of_model.event_id.tolist() == unseen.event_id.tolist(), "it was trained on the others"
    assert not is_calibrated(config, "ready")
    model = tmp_path / "model"
    shutil.copytree(folder / "out" / "train_sbi", model)
    shutil.copy(folder / "out" / "sbi" / "calibration.json", model)
    section = {"model": str(model)}
    content = yaml.safe_load((EXAMPLES / "gaussian_toy.yaml").read_text(encoding="utf-8"))
    content |= {"sbi": section, "output": str(tmp_path / "out"), "inference": {"data": "pseudo", "source": "sbi"}}
    content["import"]["files"] = [str(folder / "toy.lhe")]
    with_calibration = AnalysisConfig.model_validate(content)
    assert [step.name for step in steps_of(with_calibration, STEPS)] == ["import", "sbi", "infer", "report"]
    run_analysis(with_calibration, steps=["import", "sbi", "infer"], progress=SILENT)
    result = json.loads((tmp_path / "out" / "infer" / "result.json").read_text(encoding="utf-8"))
    assert result["settings"]["calibration"] == str(model / "calibration.json")


def test_a_model_that_is_not_there_is_told_before_any_work(tmp_path):
    config = AnalysisConfig.model_validate({"name": "x", "sbi": {"model": "no/where"}})
    with pytest.raises(ModelError, match="no/where holds no model of simulation-based inference"):
        SbiStep().inputs(config)
    shipped = AnalysisConfig.model_validate({"name": "x", "process": {"name": "wh"}, "sbi": {"model": "pretrained"}})
    with pytest.raises(ModelError, match="no pretrained model of simulation-based inference of 'wh' ships"):
        SbiStep().inputs(shipped)


def test_a_ready_model_that_was_stacked_is_handed_what_it_was_stacked_on(finished, tmp_path):
    folder, config = finished
    shutil.copytree(config.output / "train_sbi", tmp_path / "stacked")
    record = tmp_path / "stacked" / "model.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    content["record"]["features"] = ["x", "mem:R[theta^2]"]
    record.write_text(json.dumps(content), encoding="utf-8")
    ready = config.model_copy(update={"sbi": SbiSection(model=str(tmp_path / "stacked"))})
    assert estimates_file(ready, "mem") in SbiStep().inputs(ready)
    given = SbiSection(model=str(tmp_path / "stacked"), coefficients={"mem": [str(folder / "mine.parquet")]})
    named = SbiStep().inputs(config.model_copy(update={"sbi": given}))
    assert folder / "mine.parquet" in named
    assert estimates_file(ready, "mem") not in named
