"""Rows of the store: null where nothing was drawn, leptons of both flavours in descending pT."""

import numpy as np
import pyarrow as pa
import torch
from tests.surrogate.toys import LAYOUTS, toy_events

from partonic.rng import torch_generator
from partonic.surrogate.columns import object_columns


def test_rejected_events_have_no_objects() -> None:
    reco, _ = toy_events(LAYOUTS["photons"], 5)
    selected = np.array([True, False, True, True, False, True, True])
    table = pa.table(object_columns(reco, selected, ("e", "mu"), torch_generator(1, "flavours")))
    for name in ("jet_pt", "photon_pt", "met_pt", "lepton_pt", "jet_tagged"):
        np.testing.assert_array_equal(table.column(name).is_valid().to_numpy(zero_copy_only=False), selected)
    assert [len(row) for row in table.column("jet_pt").to_pylist() if row is not None] == (
        reco.jet_mask.sum(dim=1).tolist()
    )
    assert table.column("cut").to_pylist() == [-1, 0, -1, -1, 0, -1, -1]
    assert table.column("photon_pt").to_pylist()[0] == reco.photons[0, :2, 0].tolist()


def test_without_selected_events_only_the_selection_is_told() -> None:
    columns = object_columns(None, np.zeros(3, dtype=bool), ("e",), torch_generator(1, "flavours"))
    assert set(columns) == {"selected", "cut"}


def test_leptons_have_both_charges_and_the_flavours_of_the_decays() -> None:
    reco, _ = toy_events(LAYOUTS["dilepton"], 400)
    everything = np.ones(400, dtype=bool)
    table = pa.table(object_columns(reco, everything, ("e", "mu", "tau"), torch_generator(1, "flavours")))
    pdg = np.array(table.column("lepton_pdg").to_pylist())
    assert (np.sign(pdg).sum(axis=1) == 0).all()
    muons = (np.abs(pdg) == 13).mean()
    assert set(np.abs(pdg).ravel()) == {11, 13}
    assert abs(muons - 0.5) < 4 * 0.5 / np.sqrt(800)
    assert (np.diff(np.array(table.column("lepton_pt").to_pylist()), axis=1) <= 0).all()
    only = object_columns(reco, everything, ("mu",), torch_generator(1, "flavours"))
    assert set(np.abs(np.array(pa.table(only).column("lepton_pdg").to_pylist())).ravel()) == {13}


def test_each_lepton_keeps_its_charge() -> None:
    """The positive lepton is the first that was drawn, whichever is harder."""
    reco, _ = toy_events(LAYOUTS["dilepton"], 50)
    table = pa.table(object_columns(reco, np.ones(50, dtype=bool), ("e",), torch_generator(1, "flavours")))
    positive = torch.tensor(
        [
            row[ids.index(-11)]
            for row, ids in zip(
                table.column("lepton_pt").to_pylist(), table.column("lepton_pdg").to_pylist(), strict=True
            )
        ]
    )
    torch.testing.assert_close(positive, reco.leptons[:, 0, 0])
