import numpy as np
import pytest

from partonic.simulation.species import Species, charge_in_thirds, has_heavy_quark, species_of


@pytest.mark.parametrize(
    ("pdg", "species"),
    [
        (-11, Species.ELECTRON), (13, Species.MUON), (22, Species.PHOTON), (-14, Species.INVISIBLE),
        (-211, Species.CHARGED_HADRON), (2212, Species.CHARGED_HADRON), (130, Species.NEUTRAL_HADRON),
        (-2112, Species.NEUTRAL_HADRON), (310, Species.STRANGE_NEUTRAL), (-3122, Species.STRANGE_NEUTRAL),
        (21, Species.NEUTRAL_HADRON), (5, Species.NEUTRAL_HADRON), (1000022, Species.INVISIBLE),
        (1000010020, Species.CHARGED_HADRON), (3112, Species.CHARGED_HADRON), (3322, Species.NEUTRAL_HADRON),
    ],
)  # fmt: skip
def test_species(pdg, species):
    assert species_of(np.array([pdg]))[0] == species


def test_charge_and_flavour_agree_with_pythia_for_all_its_hadrons():
    pythia8mc = pytest.importorskip("pythia8mc")
    data = pythia8mc.Pythia("", False).particleData
    checked, pdg = 0, 1
    while pdg := data.nextId(pdg):
        if 100 < pdg < 1_000_000 and data.isHadron(pdg):
            assert abs(data.chargeType(pdg)) == abs(charge_in_thirds(pdg)), data.name(pdg)
            for quark in (4, 5):
                heavy = bool(has_heavy_quark(np.array([pdg]), quark)[0])
                assert heavy == (abs(data.heaviestQuark(pdg)) == quark), data.name(pdg)
            checked += 1
    assert checked > 250
