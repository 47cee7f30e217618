"""Which decays may be asked for depends on what the shower decays of the process."""

import pytest
from pydantic import ValidationError

from partonic.config.base import SettingError
from partonic.config.decays import DecayConfig, check_decays

PAIR = ((25,), (6,), (-6,))
SINGLE = ((25,), (6, -6))
W_AND_Z = ((24, -24), (23,))


@pytest.mark.parametrize(
    ("of_shower", "decays"),
    [
        (PAIR, {}),
        (PAIR, {"tops": "all_hadronic", "higgs": "tautau", "w": "inclusive"}),
        (SINGLE, {"tops": "hadronic"}),
        (W_AND_Z, {"w": "leptonic", "z": "hadronic", "leptons": ("mu",)}),
        ((), {"tops": "inclusive", "higgs": "inclusive"}),
        ((), {}),
    ],
)
def test_accepted(of_shower, decays):
    check_decays(DecayConfig(**decays), "any", of_shower)


@pytest.mark.parametrize(
    ("of_shower", "decays", "key", "message"),
    [
        (W_AND_Z, {"higgs": "bb"}, "higgs", r"decays no H of the process 'any': it decays W⁺ or W⁻, Z\."),
        ((), {"tops": "semileptonic"}, "tops", "decays no t or t̄ of the process 'any': it decays nothing"),
        (PAIR, {"z": "leptonic"}, "z", "decays no Z"),
        (((25,),), {"leptons": ("mu",)}, "leptons", "decays no t, W or Z"),
        (SINGLE, {}, "tops", "has one top: expected hadronic, leptonic, inclusive, got semileptonic"),
        (PAIR, {"tops": "leptonic"}, "tops", "has a top pair: expected semileptonic"),
        ((*SINGLE, (24, -24)), {"tops": "hadronic", "w": "hadronic"}, "w", "only be forced together"),
        ((*PAIR, (6,)), {"tops": "dilepton"}, "tops", "has 3 tops: expected inclusive"),
    ],
)
def test_refused(of_shower, decays, key, message):
    with pytest.raises(SettingError, match=message) as caught:
        check_decays(DecayConfig(**decays), "any", of_shower)
    assert caught.value.location == ("simulation", "decays", key)


@pytest.mark.parametrize(("key", "higgs"), [("tops", "WW"), ("w", "inclusive"), ("z", "ZZ")])
def test_bosons_of_the_higgs_cannot_be_forced(key, higgs):
    with pytest.raises(ValidationError, match=f"with higgs: {higgs} use {key}: inclusive"):
        DecayConfig(**{"tops": "inclusive", "higgs": higgs, key: "dilepton" if key == "tops" else "leptonic"})


def test_what_was_not_asked_for_is_not_written():
    asked = DecayConfig(tops="hadronic")
    assert asked.model_dump() == {"tops": "hadronic"}
    assert DecayConfig.model_validate_json(asked.model_dump_json()) == asked


def test_settings_of_before_stay_as_they_were():
    assert list(DecayConfig().settings_in_use()) == ["higgs", "tops", "leptons"]
    assert DecayConfig(z="hadronic").settings_in_use()["z"] == "hadronic"
