import numpy as np
import pytest

from partonic.config.simulation import JetConfig, SelectionConfig
from partonic.events.cut_flow import CutFlow, cut_names


def test_names_state_the_cuts():
    names = cut_names(SelectionConfig(), JetConfig())
    assert names[0] == "1 isolated e, μ with pT > 29 GeV"
    assert names[3] == "≥ 3 b tags"
    assert cut_names(None, JetConfig()) == ()


def test_names_of_the_lepton_cut():
    dilepton = SelectionConfig(
        leptons=2, lepton_pt_min=15.0, leading_lepton_pt_min=25.0, veto_pt_min=15.0, opposite_charges=True
    )
    expected = "2 isolated e, μ with pT > 15 GeV, the hardest > 25 GeV, of opposite charges"
    assert cut_names(dilepton, JetConfig())[0] == expected


def test_events_and_weights_after_each_cut():
    flow = CutFlow(("all", "first", "second"))
    flow.add(np.array([-1, 0, 1], np.int8), np.array([1.0, 2.0, -3.0]))
    flow.add(np.array([-1], np.int8), np.array([-0.5]))
    steps = flow.steps()
    assert [step.name for step in steps] == ["all", "first", "second"]
    assert [step.events for step in steps] == [4, 3, 2]
    assert [step.weight for step in steps] == [-0.5, -2.5, 0.5]
    assert [step.weight_error for step in steps] == pytest.approx(np.sqrt([14.25, 10.25, 1.25]))
