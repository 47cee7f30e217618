import numpy as np

from partonic.config.simulation import SelectionConfig
from partonic.events.selection import SELECTED, jet_cut, lepton_cut

CUTS = SelectionConfig()


def test_lepton_cuts():
    pt = np.array([40.0, 40, 16, 40, 14, 28, 35, 33])
    event = np.array([0, 1, 1, 2, 2, 3, 4, 4])
    # one lepton; a second one above 15; a second one below 15; too soft; two hard ones; none at all
    assert lepton_cut(pt, np.full(len(pt), 11), event, 6, CUTS).tolist() == [SELECTED, 1, SELECTED, 0, 0, 0]


def test_jet_cuts():
    assert jet_cut(np.array([3, 4, 4, 9]), np.array([3, 2, 3, 4]), CUTS).tolist() == [2, 3, SELECTED, SELECTED]


def test_other_channels():
    dilepton = SelectionConfig(leptons=2, lepton_pt_min=20.0)
    none = SelectionConfig(leptons=0)
    pt, event = np.array([40.0, 25.0, 40.0]), np.array([0, 0, 1])
    pdg = np.array([11, 13, -11])
    assert lepton_cut(pt, pdg, event, 3, dilepton).tolist() == [SELECTED, 0, 0]
    assert lepton_cut(pt, pdg, event, 3, none).tolist() == [0, 0, SELECTED]


def test_dilepton_cuts():
    cuts = SelectionConfig(
        leptons=2, lepton_pt_min=15.0, leading_lepton_pt_min=25.0, veto_pt_min=10.0, opposite_charges=True
    )
    # good; both below 25; equal charges; a soft third one between veto and cut; only one
    pt = np.array([30.0, 16, 24, 22, 50, 40, 40, 30, 12, 50])
    pdg = np.array([11, -13, 11, -11, 11, 13, -11, 13, 11, 11])
    event = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3, 4])
    assert lepton_cut(pt, pdg, event, 5, cuts).tolist() == [SELECTED, 0, 0, 1, 0]


def test_without_leptons_there_is_no_hardest_one():
    cuts = SelectionConfig(leptons=0, leading_lepton_pt_min=40.0)
    assert lepton_cut(np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int), 2, cuts).tolist() == [SELECTED] * 2
