import pytest
from pydantic import ValidationError

from partonic.config.detector import DetectorConfig
from partonic.config.simulation import DecayConfig, SelectionConfig, SimulationConfig


def test_branching_fractions():
    assert DecayConfig().top_pair_fraction == pytest.approx(2 * 2 * 0.1086 * 0.6741)
    assert DecayConfig(leptons=("e", "mu", "tau")).top_pair_fraction == pytest.approx(2 * 3 * 0.1086 * 0.6741)
    assert DecayConfig(tops="dilepton").top_pair_fraction == pytest.approx((2 * 0.1086) ** 2)
    every = ("e", "mu", "tau")
    channels = [DecayConfig(tops=tops, leptons=every) for tops in ("semileptonic", "dilepton", "all_hadronic")]
    assert sum(channel.top_pair_fraction for channel in channels) == pytest.approx(1.0, abs=3e-4)
    assert DecayConfig().higgs_fraction == 0.5824


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (DecayConfig, {"higgs": "inclusive"}, "use tops: inclusive"),
        (DecayConfig, {"leptons": ["e", "e"]}, "listed twice"),
        (SelectionConfig, {"veto_pt_min": 40}, "must not exceed lepton_pt_min"),
        (SelectionConfig, {"opposite_charges": True}, "can be asked of 2 leptons, got leptons: 1"),
        (SimulationConfig, {"mpi": True}, "Extra inputs"),
        (DetectorConfig, {"hadronic": []}, "must ascend in eta_max"),
        (
            DetectorConfig,
            {"hadronic": [{"eta_max": 3, "linear": 0.1, "stochastic_squared": 1}] * 2},
            "must ascend",
        ),
        (
            DetectorConfig,
            {"muons": {"resolution": [], "efficiency": [{"eta_max": 2, "pt_above": [5, 1], "efficiency": [1, 1]}]}},
            "pt_above must ascend",
        ),
    ],
)  # fmt: skip
def test_refused(model, values, message):
    with pytest.raises(ValidationError, match=message):
        model.model_validate(values)


def test_workers_are_no_physics():
    assert SimulationConfig(workers=3, scheduler="tcp://x:1").physics() == SimulationConfig().physics()
    assert SimulationConfig(chunk_events=3).physics() != SimulationConfig().physics()


def test_cuts_that_ask_for_nothing_do_not_make_events_of_before_unknown():
    assert "opposite_charges" not in SimulationConfig().physics()["selection"]
    dilepton = SelectionConfig(leptons=2, leading_lepton_pt_min=40.0, opposite_charges=True)
    found = SimulationConfig(selection=dilepton).physics()["selection"]
    assert (found["leading_lepton_pt_min"], found["opposite_charges"]) == (40.0, True)


def test_events_that_stay_partons_depend_on_nothing_else():
    partons = SimulationConfig(level="partons", workers=2)
    with pytest.raises(ValueError, match="has no meaning with `level: partons`"):
        SimulationConfig(level="partons", multiparton_interactions=True)
    assert partons.physics() == {"level": "partons"}
    assert "level" not in SimulationConfig().physics()  # stores from before there was a level are known again


def test_the_rule_of_copies_is_part_of_the_events():
    settings = SimulationConfig.model_validate({"fractional_smearing": {}}).physics()
    assert settings["fractional_smearing"]["rule"] == 2, "stores by the rule of before are made again"
    assert "fractional_smearing" not in SimulationConfig().physics()
