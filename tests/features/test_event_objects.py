"""Objects of events as a table."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.features.test_named import metadata

from partonic.errors import SchemaError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.events.store import EventStore
from partonic.features.event_objects import (
    OBJECT_NUMBERS,
    ObjectSlots,
    event_objects,
    object_columns,
    objects_of,
    slots_of,
)

STORE = Path(__file__).parents[1] / "reference" / "tth_selected.parquet"
NUMBER = {name: place for place, name in enumerate(OBJECT_NUMBERS)}


def reco(leptons=1, photons=1):
    """One event: two jets, the softer one tagged; a muon of charge −1 at η = −1; a photon; missing momentum."""
    return RecoEvents(
        jets=torch.tensor([[[80.0, 0.5, 1.0, 9.0, 0.1], [40.0, -0.5, 2.0, 5.0, torch.nan], [0.0] * 5]]),
        jet_tagged=torch.tensor([[False, True, False]]),
        jet_mask=torch.tensor([[True, True, False]]),
        leptons=torch.tensor([[[30.0, -1.0, 0.7, 0.1, 0.0], [0.0] * 5]]) if leptons else torch.zeros(1, 2, 5),
        lepton_pdg=torch.tensor([[13, 0]]),
        lepton_mask=torch.tensor([[bool(leptons), False]]),
        met=torch.tensor([[25.0, -0.3]]),
        photons=torch.tensor([[[90.0, 2.0, 0.2, 0.0]]]),
        photon_mask=torch.tensor([[bool(photons)]]),
    )


def test_values_in_the_frame_of_the_lepton():
    """Azimuth 0 and η = 1 for the lepton; with the beams exchanged all signs of η and of azimuths change."""
    found = objects_of(reco())[0]
    assert found.shape == (7, 9)
    expected = {
        0: [1, 80.0, -0.5, -0.3, 9.0, 0.1, 0, 0, 0],
        1: [1, 40.0, 0.5, -1.3, 5.0, 1.0, 1, 0, 0],
        2: [0.0] * 9,
        3: [1, 30.0, 1.0, 0.0, 0.1, 0, 0, -1, 1],
        4: [0.0] * 9,
        5: [1, 90.0, -2.0, 0.5, 0.0, 0, 0, 0, 0],
        6: [1, 25.0, 0.0, 1.0, 0.0, 0, 0, 0, 0],
    }
    for slot, numbers in expected.items():
        torch.testing.assert_close(found[slot], torch.tensor(numbers, dtype=torch.float32), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("leptons", "photons", "slot"), [(1, 1, 3), (0, 1, 5), (0, 0, 0)])
def test_the_frame_is_that_of_the_hardest_lepton_then_photon_then_jet(leptons, photons, slot):
    found = objects_of(reco(leptons, photons))[0, slot]
    assert float(found[NUMBER["phi"]]) == pytest.approx(0.0, abs=1e-6)
    assert float(found[NUMBER["eta"]]) > 0.0


def test_rotations_about_the_beam_and_exchanged_beams_do_not_matter():
    first = objects_of(reco())
    turned = reco()
    for objects in (turned.jets, turned.leptons, turned.photons):
        objects[..., 2] = torch.remainder(-(objects[..., 2] + 2.0) + torch.pi, 2 * torch.pi) - torch.pi
        objects[..., 1] *= -1.0
    turned.met[:, 1] = -(turned.met[:, 1] + 2.0)
    torch.testing.assert_close(objects_of(turned), first, atol=1e-5, rtol=1e-5)


def test_of_a_store():
    store = EventStore.open(STORE)
    slots = slots_of(store.metadata, 5)
    assert slots == ObjectSlots(jets=5, leptons=4, photons=0)
    batch = store.read(object_columns(slots, store.metadata), accepted_only=True)
    found = event_objects(batch, slots)
    seen = batch.reco()
    assert found.shape == (len(batch), len(slots), 9)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:, :5, NUMBER["pt"]], seen.jets[:, :5, 0])
    np.testing.assert_array_equal(found[:, :5, NUMBER["real"]].sum(axis=1), seen.jet_mask.sum(dim=1).clamp(max=5))
    np.testing.assert_array_equal(found[:, 5, NUMBER["charge"]], -seen.lepton_pdg[:, 0].sign())
    np.testing.assert_array_equal(found[:, -1, NUMBER["pt"]], seen.met[:, 0])
    assert event_objects(batch.filter(np.zeros(len(batch), dtype=bool)), slots).shape == (0, len(slots), 9)


def test_events_without_objects_and_stores_without_photons_are_refused():
    facts = metadata()
    batch = EventBatch(pa.table({"jet_pt": pa.array([[50.0], None], pa.list_(pa.float32()))}), facts)
    with pytest.raises(SchemaError, match="1 of 2 events have no reconstructed objects"):
        event_objects(batch, ObjectSlots(jets=2, leptons=1, photons=0))
    with pytest.raises(SchemaError, match="the networks know photons"):
        object_columns(ObjectSlots(jets=2, leptons=1, photons=1), facts)
