import numpy as np
import pyarrow as pa
import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.readers.source import fixed_lists, imported_process, kept_weights, stated_points


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
    for text, message in (
        ("- 1\n", "expected a mapping of weight ids to θ points"),
        ("", "got an empty file"),
        ("x: {}\na: 3\n", r"points\.yaml:2: weight 'a': expected a θ point of finite numbers.* got 3"),
        ("a: {b: x}\n", r"points\.yaml:1: weight 'a'.* got {'b': 'x'}"),
        ("a: {b: yes}\n", "expected a θ point"),
        ("a: {b: .nan}\n", "expected a θ point"),
        ("a: [\n", "not valid YAML"),
        ("a: {b: 1}\na: {b: 2}\n", r"points\.yaml:2: key 'a' is given twice \(first on line 1\)"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            stated_points(config(weight_points_file=path))
    with pytest.raises(ConfigError, match="there is no file"):
        stated_points(config(weight_points_file=tmp_path / "no.yaml"))


def test_numbers_of_points_are_those_of_yaml_1_2(tmp_path):
    path = tmp_path / "points.yaml"
    path.write_text("010: {a: 010, b: 1e1}\n0o10: {a: 0x10, b: -.5}\n")
    assert stated_points(config(weight_points_file=path)) == {"10": {"a": 10.0, "b": 10.0}, "8": {"a": 16.0, "b": -0.5}}
    path.write_text("x: {a: 1:30}\n")
    with pytest.raises(ConfigError, match=r"got \{'a': '1:30'\}"):
        stated_points(config(weight_points_file=path))


def test_patterns_of_extra_weights():
    names = ["scale_0", "scale_1", "pdf_0"]
    assert kept_weights(config(), names) == names
    assert kept_weights(config(extra_weights=["pdf*", "scale_?"]), names) == names
    assert kept_weights(config(extra_weights=["*_0"]), names) == ["scale_0", "pdf_0"]


def test_fixed_lists():
    assert fixed_lists(np.arange(6).reshape(3, 2), pa.int32()).to_pylist() == [[0, 1], [2, 3], [4, 5]]
    assert fixed_lists(np.zeros((3, 0)), pa.float64()).type == pa.list_(pa.float64(), 0)


def test_a_weight_given_as_number_and_as_text(tmp_path):
    path = tmp_path / "points.yaml"
    path.write_text('1: {a: 1.0}\n"1": {a: 2.0}\n')
    with pytest.raises(ConfigError, match=r"points\.yaml:2: the weight '1' is given twice"):
        stated_points(config(weight_points_file=path))
