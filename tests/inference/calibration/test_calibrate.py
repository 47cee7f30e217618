from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.inference import line_toy

from partonic.cli import main
from partonic.config.inference import InferenceConfig
from partonic.errors import EventFileError, InferenceError, OutputError, ParameterError
from partonic.events.store import EventStore
from partonic.inference.calibration.calibrate import calibrate
from partonic.inference.calibration.calibration_file import read_calibration
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, write_coefficients
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.data import make_data
from partonic.inference.likelihood.error_budget import error_budget
from partonic.inference.likelihood.fit import fit
from partonic.inference.samples import Files, load
from unfolding.toys import write_store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "events.parquet", 200)


@pytest.fixture
def stretched(tmp_path: Path, store: Path) -> Path:
    """Coefficients that are the truth, its differences from 0.3 stretched by two."""
    truth = truth_coefficients(EventStore.open(store))
    ratios = 0.3 + 2.0 * (truth.ratios - 0.3)
    ratios[:, 0] = 1.0
    facts = CoefficientsMetadata(
        parameters=truth.monomials.parameters, exponents=truth.monomials.exponents, source="mem"
    )
    write_coefficients(tmp_path / "stretched.parquet", replace(truth, ratios=ratios, source="mem"), facts)
    return tmp_path / "stretched.parquet"


def test_command_finds_the_stretch_and_inference_undoes_it(tmp_path: Path, store: Path, stretched: Path) -> None:
    output = tmp_path / "calibration.json"
    result = CliRunner().invoke(
        main, ["calibrate", str(stretched), "--store", str(store), "-o", str(output), "--method", "linear"]
    )
    assert result.exit_code == 0, result.output
    assert "calibrate: 160 events" in result.output
    truth = truth_coefficients(EventStore.open(store))
    mean = np.average(truth.ratios, axis=0, weights=np.exp(truth.log_reference))
    a = truth.monomials.names.index("c_tG")
    said = f"sum rule of c_tG: mean {2.0 * mean[a] - 0.3:.4f}, true {mean[a]:.4f}, difference {mean[a] - 0.3:+.4f} ± "
    assert said in result.output
    found = read_calibration(output)
    np.testing.assert_allclose(found.slope[1:], 0.5, rtol=1e-6)
    loaded = load(Files(store, stretched, {}), InferenceConfig(calibration=output), seed=1)
    np.testing.assert_allclose(loaded.signal.ratios, truth_coefficients(EventStore.open(store)).ratios, rtol=1e-6)


def test_events_that_the_store_lacks_are_an_error(tmp_path: Path, stretched: Path) -> None:
    other = write_store(tmp_path / "other.parquet", 20)
    with pytest.raises(EventFileError, match="does not have all events that the coefficients are of"):
        calibrate(stretched, other, tmp_path / "calibration.json")


def test_inputs_are_not_overwritten(stretched: Path, store: Path) -> None:
    with pytest.raises(OutputError, match="is read: give the calibration a file of its own"):
        calibrate(stretched, store, stretched)


def test_calibration_that_cannot_be_found(tmp_path: Path, store: Path, stretched: Path) -> None:
    with pytest.raises(EventFileError, match="cannot read the calibration"):
        load(Files(store, stretched, {}), InferenceConfig(calibration=tmp_path / "none.json"), seed=1)
    with pytest.raises(InferenceError, match="needs the event store, which names the process"):
        load(Files(None, stretched, {}), InferenceConfig(calibration="pretrained", data="events"), seed=1)


def test_only_the_first_events(tmp_path: Path, store: Path, stretched: Path) -> None:
    assert calibrate(stretched, store, tmp_path / "c.json", max_events=50, method="linear").calibration.events == 50


def test_joint_calibration_and_its_errors_reach_the_likelihood(tmp_path: Path, rng: np.random.Generator) -> None:
    """Exact ratios stay what they are; what is uncertain is the mean of the features."""
    x = rng.uniform(-1, 1, 600)
    line_toy.write_store(tmp_path / "events.parquet", x)
    exact = line_toy.coefficients(x)
    facts = CoefficientsMetadata(parameters=("a", "b"), exponents=line_toy.MONOMIALS.exponents, source="mem")
    write_coefficients(tmp_path / "exact.parquet", exact, facts)
    files = Files(tmp_path / "events.parquet", tmp_path / "exact.parquet", {})
    output = tmp_path / "calibration.json"
    result = CliRunner().invoke(main, ["calibrate", str(files.signal), "--store", str(files.store), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert "calibrate: 600 events" in result.output
    assert "by the likelihood at 33 points of θ" in result.output
    assert "a: slope 1.000 (noise of the integration is 0.0% of the variance; without it 1.000), calibrated 1.0" in (
        result.output
    )
    assert "sum rule" not in result.output, "exact ratios are the true ones"
    loaded = load(files, InferenceConfig(calibration=output, data="asimov", luminosity=100.0), seed=1)
    np.testing.assert_allclose(loaded.signal.ratios, exact.ratios, atol=0.01)
    assert loaded.pool is not None
    data = make_data(loaded, InferenceConfig(data="asimov", truth={"a": 0.3, "b": 0.8}))
    budget = error_budget(data.likelihood, fit(data.likelihood), expected=True)
    assert (budget.calibration[:2] > 0).all()
    assert not budget.integration.any()


def test_too_few_events_for_a_joint_calibration(tmp_path: Path, stretched: Path, store: Path) -> None:
    with pytest.raises(ParameterError, match="calibrate each ratio alone"):
        calibrate(stretched, store, tmp_path / "calibration.json", max_events=20)
