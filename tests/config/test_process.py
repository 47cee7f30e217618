"""The section `process`: each process has settings of its own."""

from pathlib import Path

import pytest

from partonic.config import AnalysisConfig, load_analysis
from partonic.config.process import default_settings, parameter_names, settings_models
from partonic.errors import ConfigError
from partonic.events.schema import ProcessInfo
from partonic.process_registry import find_process, process_names
from partonic.processes.ttbb.settings import TtbbConfig
from partonic.processes.tth.settings import TthConfig


def written(path: Path, process: str) -> Path:
    path.write_text(f"name: a\nprocess: {process}\n", encoding="utf-8")
    return path


def test_settings_are_those_of_the_process_that_is_named(tmp_path: Path) -> None:
    config = load_analysis(written(tmp_path / "a.yaml", "{name: ttbb, bottom_mass: 4.9}"))
    assert config.process == TtbbConfig(bottom_mass=4.9)
    assert config.model_dump(mode="json")["process"]["bottom_mass"] == 4.9
    assert AnalysisConfig.model_validate(config.model_dump(mode="json", by_alias=True)) == config


def test_without_a_name_it_is_the_default(tmp_path: Path) -> None:
    assert load_analysis(written(tmp_path / "a.yaml", "{top_mass: 173.0}")).process == TthConfig(top_mass=173.0)
    assert AnalysisConfig(name="a").process == default_settings() == TthConfig()


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ("{name: ttbB}", r"a.yaml:2: process.name: there is no process 'ttbB'; did you mean 'ttbb'\? Known: .*tth"),
        ("{name: tth, bottom_mass: 4.9}", r"a.yaml:2: process.bottom_mass: unknown key 'bottom_mass'.*higgs_mass"),
        ("{name: ttbb, top_mass: -1}", r"a.yaml:2: process.top_mass: input should be greater than 0, got -1"),
        ("tth", r"a.yaml:2: process: .*got 'tth'"),
    ],
)
def test_what_the_process_does_not_have_is_refused(tmp_path: Path, process: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_analysis(written(tmp_path / "a.yaml", process))


def test_parameter_of_another_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a\nprocess: {name: ttbb}\ngeneration: {theta: {c_tG: 1.0}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the process 'ttbb' has no theory parameter 'c_tG'"):
        load_analysis(path)


def test_ttbb_has_no_parameters_and_four_partons() -> None:
    assert parameter_names(TtbbConfig()) == ()
    info = ProcessInfo.of_config(TtbbConfig())
    assert info.parton_names == ("t", "tbar", "b", "bbar")
    assert info.parton_pdg == (6, -6, 5, -5)
    assert info.monomials.names == ("1",)


def test_schema_of_editors_knows_the_settings_of_all() -> None:
    schema = AnalysisConfig.model_json_schema(by_alias=True)
    options = {option["title"]: option["properties"] for option in schema["properties"]["process"]["anyOf"]}
    assert list(options) == [model.__name__ for model in settings_models()]
    assert len(options) == len(process_names())
    assert "bottom_mass" in options[find_process("ttbb").settings.__name__]
