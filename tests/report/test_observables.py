"""Observables of configurations whose values are known."""

import numpy as np
import pyarrow as pa
import pytest

from partonic.events.batch import EventBatch
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials
from partonic.report.observables import parton_groups, parton_observables, reco_observables
from partonic.report.views import BatchObjects, BatchPartons

METADATA = StoreMetadata.for_process(
    ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.constant(), 13000.0), n_generated=1
)


def batch(**columns: object) -> EventBatch:
    """A batch of one event; columns that are not given are null."""
    schema = METADATA.event_schema.arrow()
    names = {name: columns.get(name) for name in schema.names}
    arrays = {name: pa.array([value], type=schema.field(name).type) for name, value in names.items()}
    return EventBatch(pa.table(arrays), METADATA)


@pytest.fixture
def partons() -> BatchPartons:
    # H at rest; t and tbar back to back in the (x, z) plane with p = 300 (3, 0, 4)/5.
    energy = float(np.hypot(172.5, 300.0))
    return BatchPartons(batch(partons=[125.0, 0, 0, 0, energy, 180, 0, 240, energy, -180, 0, -240], x1=0.1, x2=0.1))


def test_parton_observables(partons: BatchPartons) -> None:
    energy = np.hypot(172.5, 300.0)
    rapidity = np.arctanh(240 / energy)
    expected = {
        "pt_H": 0.0, "pt_t": 180.0, "parton_mass": 125 + 2 * energy, "mass_ttbar": 2 * energy, "delta_phi_ttbar": np.pi,
        "delta_y_ttbar": 2 * rapidity, "b4_ttbar": -(0.8**2),
    }  # fmt: skip
    found = {o.axis.name: o.evaluate(partons) for o in parton_observables(METADATA)}
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx([value], abs=1e-9), name
        assert found[name][1].all()


def test_groups_have_a_curve_for_each_particle_and_pair(partons: BatchPartons) -> None:
    groups = {group.axis.name: dict(group.members) for group in parton_groups(METADATA)}
    assert [len(groups[name]) for name in ("parton_pt", "parton_eta", "parton_rapidity", "parton_pair_mass")] == [3] * 4
    etas = [observable.evaluate(partons)[0][0] for observable in groups["parton_eta"].values()]
    assert etas == pytest.approx([0.0, np.arcsinh(240 / 180), -np.arcsinh(240 / 180)])
    (rapidity,) = groups["parton_system_rapidity"].values()
    assert rapidity.evaluate(partons)[0] == pytest.approx([0.0], abs=1e-12)


def test_reconstructed_observables() -> None:
    event = batch(
        jet_pt=[100.0, 80.0, 60.0, 40.0], jet_eta=[0.0] * 4, jet_phi=[0.0, 3.1, -3.1, 1.5], jet_mass=[0.0] * 4,
        jet_tagged=[True, True, True, False], lepton_pt=[50.0], lepton_eta=[1.0], lepton_phi=[0.0], met_pt=30.0,
        met_phi=float(np.float32(np.pi)),
    )  # fmt: skip
    view = BatchObjects(event)
    found = {o.axis.name: o.evaluate(view)[0][0] for o in reco_observables()}
    assert found["jet_multiplicity"] == 4
    assert found["tag_multiplicity"] == 3
    assert found["jet1_pt"] == 100.0
    assert found["jet4_pt"] == 40.0
    assert found["ht"] == 280.0
    assert found["met"] == 30.0
    assert found["lepton_eta"] == 1.0
    assert found["transverse_mass"] == pytest.approx(2 * np.sqrt(50.0 * 30.0))
    # The second and third jets are the closest pair, across the cut of the azimuth.
    distance = 2 * np.pi - 6.2
    assert found["closest_pair_mass"] == pytest.approx(np.sqrt(2 * 80 * 60 * (1 - np.cos(distance))), rel=1e-4)


def test_what_an_event_does_not_have_is_undefined() -> None:
    view = BatchObjects(batch(jet_pt=[40.0], jet_eta=[0.0], jet_phi=[0.0], jet_mass=[5.0]))
    defined = {o.axis.name: bool(o.evaluate(view)[1][0]) for o in reco_observables()}
    assert defined == {
        "jet_multiplicity": True, "tag_multiplicity": True, "jet1_pt": True, "jet4_pt": False, "ht": True,
        "lepton_pt": False, "lepton_eta": False, "met": False, "transverse_mass": False, "closest_pair_mass": False,
    }  # fmt: skip


def test_events_without_partons_or_jets_are_left_out() -> None:
    assert len(BatchPartons(batch())) == 0
    assert len(BatchObjects(batch())) == 0
