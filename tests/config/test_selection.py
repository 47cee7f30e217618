import pytest
from pydantic import ValidationError

from partonic.config.selection import SelectionConfig
from partonic.config.simulation import SimulationConfig


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"leptons": 5}, "leptons"),
        ({"leptons": 1, "lepton_flavours": ["e", "mu"]}, "one flavour for each"),
        ({"leptons": 1, "lepton_pair_mass": [76, 106]}, "a pair needs 2 leptons"),
        ({"leptons": 2, "lepton_pair_mass": [106, 76]}, "a lower and a larger upper end"),
        ({"leptons": 2, "lepton_pair_mass": [76, 106], "remaining_lepton_pt_min": 20}, "3 or 4 leptons"),
        ({"leptons": 3, "transverse_mass_min": 20}, "lepton_pair_mass"),
        ({"leptons": 2, "lepton_pair_mass": [76, 106], "transverse_mass_min": 20}, "lepton is left"),
        ({"photons": 1, "photons_min": 1}, "not both"),
        ({"photons": 1, "photon_pair_mass": [100, 180]}, "photons: 2"),
        ({"leading_photon_pt_min": 30}, "photons: 1"),
    ],
)
def test_cuts_that_cannot_be_are_refused(settings, named):
    with pytest.raises(ValidationError, match=named):
        SelectionConfig(**settings)


def test_settings_of_old_stores_do_not_know_later_cuts():
    """What events depend on is what it was before these cuts existed, unless one is made."""
    physics = SimulationConfig().physics()
    assert set(physics["selection"]) == {
        "leptons", "lepton_pt_min", "lepton_eta_max", "veto_pt_min", "jets_min", "b_tags_min",
    }  # fmt: skip
    assert "photons" not in physics
    assert "photon_identification" not in physics["detector"]
    asked = SimulationConfig(selection={"met_min": 30.0, "photons": 0}).physics()
    assert asked["selection"]["met_min"] == 30.0
    assert asked["selection"]["photons"] == 0
    assert asked["photons"] is True
    assert "photon_identification" in asked["detector"]


def test_photons_are_there_where_something_asks_for_them():
    assert not SimulationConfig().with_photons
    assert SimulationConfig(photons=True).with_photons
    assert SimulationConfig(selection={"photons_min": 1}).with_photons
