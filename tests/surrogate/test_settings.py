"""Settings that a surrogate cannot honour are refused, each by its name."""

import pytest

from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError, ProcessError
from partonic.mem.transfer.layout import TransferLayout
from partonic.surrogate.settings import check_settings, learned_settings

PDG = (25, 6, 1)
BASE: dict[str, dict[str, object]] = {
    "decays": {"higgs": "gammagamma", "tops": "hadronic"},
    "jets": {"pt_min": 25.0, "eta_max": 4.7},
    "selection": {"leptons": 0, "photons": 2, "photon_pt_min": 25.0, "jets_min": 3, "b_tags_min": 1},
}


def simulation(**changes: object) -> SimulationConfig:
    merged = {
        name: {**BASE.get(name, {}), **value} if isinstance(value, dict) else value for name, value in changes.items()
    }
    return SimulationConfig.model_validate({**BASE, "surrogate": {}, **merged})


LAYOUT = TransferLayout.of(simulation(), PDG)
LEARNED = learned_settings(simulation().model_dump(mode="json"))

OTHER_SETTINGS = [
    ({"jets": {"radius": 0.8}}, r"simulation\.jets\.radius: 0\.8, the surrogate knows 0\.4"),
    ({"jets": {"pt_min": 30.0}}, r"jet_pt_min: 30\.0, the surrogate knows 25\.0"),
    ({"jets": {"eta_max": 2.4}}, r"jet_eta_max: 2\.4"),
    ({"selection": {"jets_min": 4}}, r"jets_min: 4, the surrogate knows 3"),
    ({"selection": {"b_tags_min": 2}}, r"b_tags_min: 2"),
    ({"selection": {"photon_pt_min": 30.0}}, r"photon_pt_min: 30\.0"),
    ({"selection": {"met_min": 20.0}}, r"simulation\.selection\.met_min: 20\.0"),
    ({"selection": {"photon_pair_mass": [110.0, 140.0]}}, r"simulation\.selection\.photon_pair_mass"),
    ({"decays": {"higgs": "bb"}, "selection": {"photons": None}}, r"higgs: 'jets', the surrogate knows 'photons'"),
    ({"multiparton_interactions": True}, r"simulation\.multiparton_interactions: True"),
    ({"hadronization": False}, r"simulation\.hadronization: False"),
    ({"tune": 14}, r"simulation\.tune: 14"),
    ({"pythia_settings": ["TimeShower:alphaSvalue = 0.13"]}, r"simulation\.pythia_settings"),
    (
        {"detector": {"isolation_radius": 0.2}},
        r"simulation\.detector\.isolation_radius: 0\.2, the surrogate knows 0\.5",
    ),
]


@pytest.mark.parametrize("learned", [LEARNED, None], ids=["known", "unknown"])
@pytest.mark.parametrize(("changes", "message"), OTHER_SETTINGS, ids=[str(list(each[0])) for each in OTHER_SETTINGS])
def test_other_settings_are_refused(
    changes: dict[str, object], message: str, learned: dict[str, object] | None
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        check_settings(simulation(**changes), LAYOUT, learned, "the/folder")
    assert "the/folder did not learn such events" in str(error.value)
    assert "train one on such events (section `surrogate_training`)" in str(error.value)


@pytest.mark.parametrize("learned", [LEARNED, None], ids=["known", "unknown"])
@pytest.mark.parametrize(
    "changes", [{}, {"chunk_events": 7}, {"workers": 2}, {"fractional_smearing": {}}, {"max_failed_fraction": 0.5}]
)
def test_settings_of_the_run_are_free(changes: dict[str, object], learned: dict[str, object] | None) -> None:
    check_settings(simulation(**changes), LAYOUT, learned, "the/folder")


def test_a_detector_that_was_learned_is_honoured() -> None:
    """What differs from the defaults is right where it is what the surrogate learned, and the defaults are not."""
    other = simulation(jets={"radius": 0.8})
    learned = learned_settings(other.model_dump(mode="json"))
    check_settings(other, LAYOUT, learned, "the/folder")
    with pytest.raises(ConfigError, match=r"simulation\.jets\.radius: 0\.4, the surrogate knows 0\.8"):
        check_settings(simulation(), LAYOUT, learned, "the/folder")


def test_decays_without_a_channel_are_refused() -> None:
    with pytest.raises(ProcessError, match=r"simulation\.decays\.tops"):
        check_settings(simulation(decays={"tops": "inclusive"}), LAYOUT, None, "the/folder")
