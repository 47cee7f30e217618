import pytest
from pydantic import ValidationError

from partonic.config.simulation import DecayConfig, SimulationConfig
from partonic.errors import ConfigError
from partonic.simulation.pipeline import check_simulation
from partonic.simulation.pythia_settings import configured_pythia

pytest.importorskip("pythia8mc")


@pytest.mark.parametrize(
    "setting",
    ["TimeShower:alphaSvalu = 0.13", "TimeShower:alphaSvalue = 99", "StringZ:aLund = x", "HadronLevel:all = maybe",
     "rubbish"],
)  # fmt: skip
def test_rejected_settings_are_named(setting):
    with pytest.raises(ConfigError, match=setting.split("=", maxsplit=1)[0].strip()):
        check_simulation(SimulationConfig(pythia_settings=(setting,)))


def test_rejected_tune():
    with pytest.raises(ConfigError, match="Tune:pp = 999"):
        check_simulation(SimulationConfig(tune=999))


def test_settings_reach_pythia():
    config = SimulationConfig(
        multiparton_interactions=True, tune=21, pythia_settings=("TimeShower:alphaSvalue = 0.12",)
    )
    pythia = configured_pythia(config, 17)
    assert pythia.flag("PartonLevel:MPI")
    assert pythia.mode("Tune:pp") == 21
    assert pythia.parm("TimeShower:alphaSvalue") == 0.12
    assert pythia.mode("Random:seed") == 17


@pytest.mark.parametrize("setting", ["Random:seed = 3", "Beams:LHEF = x.lhe", "24:onMode = off", "25:onIfMatch = 4 -4"])
def test_settings_of_our_own_are_refused(setting):
    with pytest.raises(ValidationError, match=r"set by partonic|use the key decays"):
        SimulationConfig(pythia_settings=(setting,))


@pytest.mark.parametrize(("z", "open_channels"), [("leptonic", {11, 13}), ("hadronic", {1, 2, 3, 4, 5}),
                                                  ("invisible", {12, 14, 16})])  # fmt: skip
def test_decays_of_z(z, open_channels):
    pythia = configured_pythia(SimulationConfig(decays=DecayConfig(z=z)), 1)
    entry = pythia.particleData.findParticle(23)
    channels = [entry.channel(index) for index in range(entry.sizeChannels())]
    assert {abs(channel.product(0)) for channel in channels if channel.onMode()} == open_channels


def test_higgs_to_w_pairs():
    pythia = configured_pythia(SimulationConfig(decays=DecayConfig(higgs="WW", tops="inclusive")), 1)
    entry = pythia.particleData.findParticle(25)
    channels = [entry.channel(index) for index in range(entry.sizeChannels())]
    assert [abs(channel.product(0)) for channel in channels if channel.onMode()] == [24]
