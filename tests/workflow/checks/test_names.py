import pytest

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError
from partonic.workflow.check import check_analysis, packages_are_installed
from partonic.workflow.checks.names import check_calibrations, check_features, check_observables


def analysis(tmp_path, **sections):
    return AnalysisConfig.model_validate({"name": "a", "output": str(tmp_path / "out"), **sections})


def test_features_are_names(tmp_path):
    config = analysis(tmp_path, sbi={"features": ["met_pt"], "also": {"other": {"features": ["met_ptt"]}}})
    check_features(config, config.sbi.estimators[""], "sbi")
    with pytest.raises(ConfigError, match=r"sbi\.also\.other\.features: there is no feature 'met_ptt'"):
        check_features(config, config.sbi.estimators["other"], "sbi.also.other")
    found = {each.subject: each for each in check_analysis(config) if each.subject == "sbi"}
    assert not found["sbi"].passed
    assert "sbi.also.other.features" in found["sbi"].detail


def test_calibrations_are_of_estimators_of_the_analysis(tmp_path):
    sbi = {"features": ["met_pt"], "also": {"trees": {"method": "trees"}}}
    config = analysis(tmp_path, sbi=sbi, inference={"source": "sbi", "calibrations": {"sbi.tree": "c.json"}})
    with pytest.raises(ConfigError, match=r"inference\.calibrations\.sbi\.tree: .*did you mean 'sbi\.trees'"):
        check_calibrations(config)


def test_real_events_fill_no_template(tmp_path):
    with pytest.raises(ValueError, match="set `data: pseudo`, or leave out `template`"):
        analysis(tmp_path, sbi={}, inference={"source": "sbi", "data": "events", "template": {}})


def test_partons_need_neither_pythia_nor_fastjet(tmp_path):
    process = {"name": "wz", "decays": "none"}
    told = packages_are_installed(analysis(tmp_path, process=process, simulation={"level": "partons"}))
    assert "pythia8mc" not in told
    assert "fastjet" not in told
    assert "pythia8mc" in packages_are_installed(analysis(tmp_path))


@pytest.mark.parametrize(
    ("inference", "message"),
    [
        (
            {"binned": {"h": {"edges": {"higgs_pair_ptt": [100.0]}}}},
            r"inference\.binned\.h\.edges: .*'higgs_pair_ptt'.*did you mean 'higgs_pair_pt'",
        ),
        (
            {"template": {"regions": {"low": {"where": {"mett": [0.0, 100.0]}}}}},
            r"inference\.template\.regions\.low\.where: there is no observable 'mett'",
        ),
    ],
)
def test_observables_are_names(tmp_path, inference, message):
    config = analysis(tmp_path, sbi={}, inference={"source": "sbi", "compare": True, **inference})
    with pytest.raises(ConfigError, match=message):
        check_observables(config)
    found = {each.subject: each for each in check_analysis(config)}
    assert not found["inference"].passed
    check_observables(
        analysis(
            tmp_path, inference={"compare": True, "binned": {"h": {"edges": {"anything": [1.0]}, "of": "partons"}}}
        )
    )
