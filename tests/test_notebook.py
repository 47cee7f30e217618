"""The front door: a fit in a notebook gives the numbers of the command."""

import json

import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, coefficients, draw, grid, rate, write_store

import partonic as pt
from partonic.config.inference import InferenceConfig
from partonic.errors import ParameterError, ProcessError
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, write_coefficients
from partonic.inference.infer import infer
from partonic.inference.samples import Files

SETTINGS = {"luminosity": 30.0, "data": "pseudo", "truth": {"a": 0.2, "b": 0.9}, "expected": []}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    write_store(folder / "events.parquet", grid(1500))
    facts = CoefficientsMetadata(
        parameters=MONOMIALS.parameters, exponents=MONOMIALS.exponents, source="mem", cross_section=rate(0.02).record()
    )
    write_coefficients(folder / "signal.parquet", coefficients(grid(1500)), facts)
    return folder / "events.parquet", folder / "signal.parquet"


@pytest.fixture(scope="module")
def found(files):
    return pt.fit(files[1], store=files[0], seed=5, **SETTINGS)


def test_the_numbers_are_those_of_the_command(files, found, tmp_path):
    config = InferenceConfig.model_validate(SETTINGS)
    infer(Files(files[0], files[1]), config, 5, tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    for name in ("a", "b"):
        assert found.values[name] == result["best_fit"][name]["value"]
        assert found.errors[name] == result["best_fit"][name]["total"]
        told = [each["segments"] for each in result["intervals"][name] if each["kind"] == "total"]
        assert [[list(segment) for segment in each.segments] for each in found.intervals[name]] == told
    assert found.truth == result["data"]["truth"]


def test_coefficients_in_memory_and_parton_truth(files, found):
    read = pt.read_coefficients(files[1])
    again = pt.fit(read, store=files[0], seed=5, **SETTINGS)
    assert again.values == found.values
    bare = pt.fit(read[0], rate=rate(0.02), store=files[0], seed=5, **SETTINGS)
    assert bare.values == found.values
    truth = pt.fit(store=files[0], seed=5, **SETTINGS)
    assert truth.values["a"] == pytest.approx(found.values["a"], abs=1e-6)


def test_data_without_a_store(rng):
    result = pt.fit(
        coefficients(draw(rng, 800, 0.2, 0.9)), rate=rate(), luminosity=100.0, shape_only=True, data="events"
    )
    assert abs(result.values["a"] - 0.2) < 5 * result.errors["a"]
    assert result.truth is None


def test_scans_and_contours(found):
    curve = found.scan("a")
    assert curve.profiled.min() == pytest.approx(0.0, abs=1e-6)
    own = found.scan("a", (-0.5, 0.5), 5)
    np.testing.assert_allclose(own.values, [-0.5, -0.25, 0.0, 0.25, 0.5])
    region = found.contour("a", "b", points=7)
    assert region.profiled.shape == (7, 7)
    assert region.profiled.min() > -1e-3


def test_tables_and_figures(found):
    shown = found._repr_html_()
    assert shown.count("<tr>") == 3
    assert f"{found.values['a']:.4g} ± " in shown
    assert "not what the interval says" in str(found)  # b has two signs
    assert len(found.plot().axes) == 1
    assert len(found.plot("a", "b").axes) >= 1


def test_what_cannot_be_asked(files, found):
    for call, message in (
        (lambda: found.scan("c"), "'c' was not fitted; fitted are a, b"),
        (lambda: found.plot("a", "b", "a"), "one parameter or two"),
        (pt.fit, "needs coefficients of events, or the event store"),
        (lambda: pt.fit(files[1], lumi=3.0), "the setting 'lumi' of a fit is not valid"),
        (lambda: pt.fit(files[1], luminosity=-1.0), "the setting 'luminosity' of a fit is not valid"),
        (lambda: pt.load_process("tth", collider_energy=-5.0), "the setting 'collider_energy' of the process 'tth'"),
    ):
        with pytest.raises(ParameterError, match=message):
            call()
    with pytest.raises(ProcessError, match="there is no process 'nothing'"):
        pt.load_process("nothing")


def test_stores_and_processes(files):
    assert pt.open_store(files[0]).num_events == 1500
    assert pt.load_process("tth").monomials.parameters == ("delta_kappa_t", "kappa_tilde_t", "c_tG")
    assert set(pt.__all__) <= set(dir(pt))


def test_angle_along_a_curve_has_its_unit(files):
    curve = {"kind": "circle", "cosine": {"a": 0.5}, "sine": {"b": 0.5}, "centre": {"a": -0.5}, "unit": "radians"}
    settings = {**SETTINGS, "curves": {"alpha": curve}, "truth": {"alpha": 1.0}}
    result = pt.fit(files[1], store=files[0], seed=5, **settings)
    assert str(result).splitlines()[1].startswith("  alpha [rad], ")
    assert result.plot("alpha").axes[0].get_xlabel() == r"$\alpha$ [rad]"
