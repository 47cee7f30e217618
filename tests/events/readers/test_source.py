import numpy as np
import pyarrow as pa
import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.readers.source import (
    CoefficientSolver,
    expanded_files,
    fixed_lists,
    imported_process,
    kept_weights,
    stated_points,
)
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials


def config(**settings):
    return ImportConfig(**({"format": "lhe", "files": ["x.lhe"]} | settings))


def test_process_of_the_sample(process_info):
    assert imported_process(config(), process_info) == process_info
    other = imported_process(config(sample="ww", partons=[24, -24, -11, 5, -5, 9000001]), process_info)
    assert other.name == "ww"
    assert other.parton_names == ("W+", "W-", "e+", "b", "bbar", "pdg9000001")
    assert other.monomials == process_info.monomials


def test_points_in_a_file(tmp_path):
    path = tmp_path / "points.yaml"
    path.write_text("0: {a: 1}\nrwgt_1: {a: -1.5, b: 2}\n")
    assert stated_points(config(weight_points_file=path)) == {"0": {"a": 1.0}, "rwgt_1": {"a": -1.5, "b": 2.0}}
    for text in ("- 1\n", "a: 3\n", "a: {b: x}\n", "a: [\n", ""):
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"points\.yaml: expected a mapping"):
            stated_points(config(weight_points_file=path))
    with pytest.raises(ConfigError, match="cannot read weight_points_file"):
        stated_points(config(weight_points_file=tmp_path / "no.yaml"))


def test_patterns_of_extra_weights():
    names = ["scale_0", "scale_1", "pdf_0"]
    assert kept_weights(config(), names) == names
    assert kept_weights(config(extra_weights=["pdf*", "scale_?"]), names) == names
    assert kept_weights(config(extra_weights=["*_0"]), names) == ["scale_0", "pdf_0"]


def test_constant_coefficient(process_info):
    solver = CoefficientSolver.of(config(theta_independent=True), process_info, {"a_1": ""}, "file")
    assert solver.names == ()
    found = solver.solve(np.array([2.0, -1.0]), np.zeros((2, 0)), np.arange(2))
    assert found.tolist() == [[2.0, 0, 0, 0, 0, 0], [-1.0, 0, 0, 0, 0, 0]]
    odd = ProcessInfo("odd", (), (), Monomials(("a",), ((1,), (2,))), 13e3)
    with pytest.raises(EventFileError, match="need the constant monomial"):
        CoefficientSolver.of(config(theta_independent=True), odd, {}, "file")


def test_fixed_lists():
    assert fixed_lists(np.arange(6).reshape(3, 2), pa.int32()).to_pylist() == [[0, 1], [2, 3], [4, 5]]
    assert fixed_lists(np.zeros((3, 0)), pa.float64()).type == pa.list_(pa.float64(), 0)


def test_files_must_exist(tmp_path):
    with pytest.raises(EventFileError, match="not found"):
        list(expanded_files(config(files=[tmp_path / "no"])))
