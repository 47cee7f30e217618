import pytest
from pydantic import ValidationError

from partonic.config.importing import ImportConfig

NANOAOD = {"format": "nanoaod", "files": ["a.root"], "btag": {"working_point": 0.3}, "cross_section": 0.5}


def test_defaults_are_those_of_the_reference_selection():
    config = ImportConfig(format="lhe", files=["a.lhe"])
    assert (config.jets.pt_min, config.jets.eta_max, config.leptons.pt_min) == (30.0, 2.4, 15.0)
    assert config.selection is None
    assert ImportConfig(**NANOAOD).parton_copy == "first"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "lhe", "files": []}, "at least 1 item"),
        ({"format": "root", "files": ["a"]}, "'lhe', 'nanoaod', 'delphes' or 'hepmc'"),
        ({"format": "lhe", "files": ["a"], "colour": 1}, "Extra inputs"),
        (NANOAOD | {"btag": {}}, "working point"),
        (NANOAOD | {"cross_section": None}, "needs the cross section"),
        (NANOAOD | {"cross_section": None, "data": True}, "no dependence on θ"),
        (NANOAOD | {"cross_section": -1.0}, "greater than 0"),
        (NANOAOD | {"theta_independent": True, "weight_points": {"0": {"a": 1.0}}}, "no weights at θ points"),
        (NANOAOD | {"weight_points": {"0": {"a": 1.0}}, "weight_points_file": "x.yaml"}, "not both"),
        (NANOAOD | {"theta": {"a": float("nan")}}, "finite"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValidationError, match=message):
        ImportConfig(**settings)
