from dataclasses import replace

import pytest
import torch

from mem.transfer.toys import LAYOUTS, draw_events, some_partons, tiny_transfer
from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, PHOTON_FEATURES
from partonic.features.known_of_event import described


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_that_the_density_knows_is_lost(name: str) -> None:
    layout = LAYOUTS[name]
    x = draw_events(layout, 50, seed=1).reco
    x.jets[..., JET_FEATURES.index("mass")] = 12.0
    x.jets[..., JET_FEATURES.index("btag")] = 0.4
    if layout.leptons:
        x.leptons[..., LEPTON_FEATURES.index("isolation")] = 0.1
        x = replace(x, lepton_pdg=x.lepton_pdg.sign() * 13)
    if layout.photons:
        x.photons[..., PHOTON_FEATURES.index("isolation")] = 0.1
    less = described(x, layout.decay_channel)
    assert not less.photons[..., PHOTON_FEATURES.index("isolation")].any()
    transfer, z = tiny_transfer(layout), some_partons(50)[:, None]
    assert torch.equal(transfer.log_density(less, z), transfer.log_density(x, z))
    assert not less.jets[..., JET_FEATURES.index("mass")].any()
    assert torch.equal(less.jets[..., JET_FEATURES.index("btag")], x.jet_tagged.float())
    assert not less.leptons[..., LEPTON_FEATURES.index("isolation")].any()
    assert set(less.lepton_pdg.abs().unique().tolist()) <= {11}


def test_charges_stay_where_they_order_partons() -> None:
    for name, kept in (("semileptonic", False), ("dilepton", True)):
        layout = LAYOUTS[name]
        x = draw_events(layout, 20, seed=2).reco
        assert torch.equal(described(x, layout.decay_channel).lepton_pdg.sign(), x.lepton_pdg.sign()) is kept
