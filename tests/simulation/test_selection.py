import numpy as np

from partonic.config.simulation import SelectionConfig
from partonic.simulation.selection import SELECTED, jet_cut, lepton_cut

CUTS = SelectionConfig()


def test_lepton_cuts():
    pt = np.array([40.0, 40, 16, 40, 14, 28, 35, 33])
    event = np.array([0, 1, 1, 2, 2, 3, 4, 4])
    # one lepton; a second one above 15; a second one below 15; too soft; two hard ones; none at all
    assert lepton_cut(pt, event, 6, CUTS).tolist() == [SELECTED, 1, SELECTED, 0, 0, 0]


def test_jet_cuts():
    assert jet_cut(np.array([3, 4, 4, 9]), np.array([3, 2, 3, 4]), CUTS).tolist() == [2, 3, SELECTED, SELECTED]


def test_other_channels():
    dilepton = SelectionConfig(leptons=2, lepton_pt_min=20.0)
    none = SelectionConfig(leptons=0)
    pt, event = np.array([40.0, 25.0, 40.0]), np.array([0, 0, 1])
    assert lepton_cut(pt, event, 3, dilepton).tolist() == [SELECTED, 0, 0]
    assert lepton_cut(pt, event, 3, none).tolist() == [0, 0, SELECTED]
