"""`partonic reweight`: options and settings file, consent, what it prints and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.reweighting.conftest import MODEL_NAMES, own_table, write_store, write_ufo_model

from partonic.cli import main
from partonic.cli import reweight as command
from partonic.config.reweighting import ReweightConfig
from partonic.events.store import EventStore


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_ufo_model(tmp_path_factory.mktemp("ufo") / "TopHiggs_UFO")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "events.parquet", own_table([(2, -2)], 4), parameters=())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["reweight", *map(str, arguments)])


def options(store, model, output):
    parameters = [f"--parameter={theta}={name}" for theta, name in MODEL_NAMES.items()]
    return [store, "--engine", "ufoamp", "--model", model, *parameters, "--order", "NP=1", "--workers", 1, "-o", output]


def test_by_options(tmp_path, store, model):
    output = tmp_path / "out.parquet"
    found = run(*options(store, model, output), "--trust", "--theta", "c_tG=0.5", "--json")
    assert found.exit_code == 0, found.output
    (step,) = json.loads(found.stdout)["steps"]
    assert "4 events reweighted by ufoamp 1.0.0, 1 subprocesses at 10 θ points, residual at others" in step["summary"]
    metadata = EventStore.open(output).metadata
    assert metadata.theta == {"c_tG": 0.5}
    assert metadata.parameters == tuple(MODEL_NAMES)


def test_by_a_settings_file_that_options_replace(tmp_path, store, model):
    settings = tmp_path / "reweight.yaml"
    settings.write_text(
        f"engine: madgraph\nmodel: {model}\nparameters: {{k: {{name: dkt, factor: 2}}}}\norders: {{NP: 1}}\n"
        "values: {ktt: 0, ctG: 0}\ntrust_model: true\nworkers: 1\n"
    )
    found = run(store, "--settings", settings, "--engine", "ufoamp", "-o", tmp_path / "out.parquet")
    assert found.exit_code == 0, found.output
    coefficients = EventStore.open(tmp_path / "out.parquet").read(["coefficients", "weight"])
    ratios = coefficients.coefficients / coefficients.weight[:, None]
    assert ratios == pytest.approx(np.tile([1.0, 4.0, 4.0], (4, 1)))  # (1 + 2k)²


def test_consent_is_needed(tmp_path, store, model):
    found = run(*options(store, model, tmp_path / "out.parquet"))
    assert found.exit_code == 1
    assert "runs with your rights" in found.stderr
    assert "--trust" in found.stderr
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(("answer", "trusted"), [(True, True), (False, False)])
def test_at_a_terminal_it_is_asked_for(model, monkeypatch, answer, trusted):
    asked = []
    monkeypatch.setattr(command, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(command.click, "confirm", lambda text, **_: asked.append(text) or answer)
    section = {"engine": "ufoamp", "model": model, "parameters": {"a": "dkt"}}
    assert command.asked(ReweightConfig.model_validate(section)).trust_model is trusted
    assert len(asked) == 1
    command.asked(ReweightConfig.model_validate(section | {"trust_model": True}))
    command.asked(ReweightConfig.model_validate(section | {"engine": "pyamplicol", "model": "model.json"}))
    assert len(asked) == 1


def test_an_analysis_asks_too(tmp_path, model, monkeypatch):
    monkeypatch.setattr(command, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(command.click, "confirm", lambda text, **_: True)
    path = tmp_path / "analysis.yaml"
    path.write_text(
        f"name: toy\noutput: {tmp_path / 'out'}\nimport:\n  format: lhe\n  files: [absent.lhe]\n"
        f"  reweight: {{engine: ufoamp, model: {model}, parameters: {{c_tG: ctG}}}}\n"
    )
    found = CliRunner().invoke(main, ["import", str(path)])
    assert found.exit_code == 1
    assert "absent.lhe" in found.stderr
    assert "It runs with your rights on this machine" in found.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--parameter", "c_tG"], "--parameter takes NAME=VALUE"),
        (["--value", "MT=heavy"], "--value takes NAME=NUMBER with a finite number, got 'MT=heavy'"),
        (["--theta", "c=inf"], "--theta takes NAME=NUMBER with a finite number"),
        (["--value", "MT=1", "--value", "MT=2"], "each name once"),
        (["--parameter", "x=dkt"], "the parameter 'dkt' of the model follows two θ"),
        (["--order", "QCD=0.5"], "orders.QCD"),
    ],
)
def test_wrong_options(tmp_path, store, model, more, message):
    found = run(*options(store, model, tmp_path / "out.parquet"), *more)
    assert found.exit_code in (1, 2)
    assert message in found.stderr


def test_what_is_missing(tmp_path, store):
    found = run(store, "-o", tmp_path / "out.parquet")
    assert found.exit_code == 1
    assert "engine: this key is missing" in found.stderr
