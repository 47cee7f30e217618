import numpy as np
import pyarrow as pa
import pytest
import torch

from partonic.errors import SchemaError
from partonic.events.batch import EventBatch, padded_lists


@pytest.fixture
def table(make_table):
    return make_table(30)


@pytest.fixture
def batch(table, metadata):
    return EventBatch(table, metadata)


@pytest.fixture
def selected(batch):
    return batch.filter(batch.column("selected").astype(bool))


def test_columns_of_fixed_shape(batch, table):
    assert batch.coefficients.shape == (30, 6)
    assert batch.coefficients.tolist() == table.column("coefficients").to_pylist()
    assert batch.weight.tolist() == table.column("weight").to_pylist()
    assert (batch.weight < 0).any()


def test_partons(batch, table):
    events = batch.partons()
    assert events.momenta.shape == (30, 3, 4)
    assert events.momenta.dtype == torch.float64
    assert events.momenta.reshape(30, 12).tolist() == table.column("partons").to_pylist()
    assert events.x1.tolist() == table.column("x1").to_pylist()
    with pytest.raises(SchemaError, match="isr_partons"):
        batch.partons_with_isr()


def test_momentum_fractions_that_were_not_told(table, metadata):
    """HepMC without information on parton densities: x = (E ± p_z)/√S of the final state, others as told."""
    untold = np.arange(30) % 3 == 0
    for name in ("x1", "x2"):
        values = pa.array(table.column(name).to_numpy(), mask=untold)
        table = table.set_column(table.column_names.index(name), name, values)
    events = EventBatch(table, metadata).partons()
    total = events.momenta.sum(dim=1)
    for found, sign, name in ((events.x1, 1, "x1"), (events.x2, -1, "x2")):
        expected = (total[:, 0] + sign * total[:, 3]) / metadata.collider_energy
        np.testing.assert_allclose(found[untold], expected[untold], rtol=1e-12)
        assert found[~untold].tolist() == table.column(name).drop_null().to_pylist()


def test_slices_of_a_table(table, metadata):
    batch = EventBatch(table.slice(7, 5), metadata)
    assert batch.coefficients.tolist() == table.column("coefficients").to_pylist()[7:12]
    lists = [row or [] for row in table.column("jet_pt").to_pylist()[7:12]]
    assert batch.counts("jet_pt").tolist() == [len(row) for row in lists]
    assert batch.flat("jet_pt").tolist() == [value for row in lists for value in row]


def test_reconstructed_objects_are_padded(selected):
    reco = selected.reco(max_jets=6)
    assert len(reco) == 20
    rows = selected.table.column("jet_eta").to_pylist()
    tags = selected.table.column("jet_tagged").to_pylist()
    leptons = selected.table.column("lepton_pt").to_pylist()
    for event in range(20):
        kept = rows[event][:6]
        assert reco.jet_mask[event].tolist() == [True] * len(kept) + [False] * (6 - len(kept))
        assert reco.jets[event, :, 1].tolist() == kept + [0.0] * (6 - len(kept))
        assert reco.jet_tagged[event, : len(kept)].tolist() == tags[event][:6]
        assert reco.leptons[event, : len(leptons[event]), 0].tolist() == leptons[event]
        assert reco.lepton_mask[event].sum() == len(leptons[event])
    assert reco.lepton_pdg[reco.lepton_mask].unique().tolist() == [-13]
    assert reco.jets.dtype == torch.float32
    assert reco.met[:, 0].tolist() == selected.table.column("met_pt").to_pylist()
    assert selected.reco().jets.shape[1] == 16


def test_rejected_events_have_no_objects(batch):
    with pytest.raises(SchemaError, match="10 of 30 events have no 'jet_pt'"):
        batch.reco()
    assert batch.counts("jet_pt")[::3].tolist() == [0] * 10
    assert batch.valid("jet_pt").sum() == 20
    assert not batch.has("met_pt")
    assert batch.has("x1")


def test_wrong_ways_to_read(batch):
    with pytest.raises(SchemaError, match="null for 10 of 30"):
        batch.column("met_pt")
    with pytest.raises(SchemaError, match="varying length"):
        batch.filter(batch.valid("jet_pt")).column("jet_pt")
    with pytest.raises(SchemaError, match="use column"):
        batch.flat("weight")
    with pytest.raises(SchemaError, match="was not read"):
        batch.column("channel")


def test_padding_of_no_and_empty_lists():
    values, mask = padded_lists(pa.array([], pa.list_(pa.float32())), 3)
    assert values.shape == mask.shape == (0, 3)
    values, mask = padded_lists(pa.array([[], None, [1.0, 2.0, 3.0, 4.0]], pa.list_(pa.float32())), 3)
    assert values.tolist() == [[0, 0, 0], [0, 0, 0], [1, 2, 3]]
    assert np.array_equal(mask.sum(axis=1), [0, 0, 3])
