"""Observables of photons and several leptons, on events whose values are known."""

import numpy as np
import pytest
from tests.report.conftest import PROCESS

from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.report.observables import reco_observables
from partonic.report.views import BatchObjects

NOTHING = {"jet_pt": [], "jet_eta": [], "jet_phi": [], "jet_mass": [], "jet_tagged": []}


def metadata(leptons=1, *, photons=False):
    config = {"simulation": {"selection": {"leptons": leptons}}}
    return StoreMetadata.for_process(PROCESS, config=config, photons=photons)


def view(facts, **columns):
    import pyarrow as pa

    leptons = columns.pop("leptons", [])
    names = ("pt", "eta", "phi", "pdg")
    columns |= {f"lepton_{name}": [lepton[index] for lepton in leptons] for index, name in enumerate(names)}
    columns["lepton_mass"] = [0.0] * len(leptons)
    row = {"event_id": 0, "weight": 1.0, "coefficients": [1.0] * len(PROCESS.monomials)} | NOTHING | columns
    schema = facts.event_schema
    table = pa.Table.from_pylist([row], pa.schema([schema.arrow().field(name) for name in row]))
    return BatchObjects(EventBatch(schema.conform(table), facts))


def values(facts, seen):
    found = {}
    for observable in reco_observables(facts):
        value, defined = observable.evaluate(seen)
        found[observable.axis.name] = float(value[0]) if defined[0] else None
    return found


def test_only_what_the_store_has():
    usual = {observable.axis.name for observable in reco_observables()}
    assert {observable.axis.name for observable in reco_observables(metadata())} == usual
    assert {o.axis.name for o in reco_observables(metadata(photons=True))} - usual == {
        "photon1_pt", "diphoton_mass", "diphoton_pt", "forward_jet_eta", "delta_eta_forward_diphoton",
    }  # fmt: skip
    assert {o.axis.name for o in reco_observables(metadata(2))} - usual == {"dilepton_mass"}
    assert {o.axis.name for o in reco_observables(metadata(3))} - usual == {
        "z_candidate_mass", "z_candidate_pt", "delta_phi_wz", "w_transverse_mass", "transverse_mass_wz",
    }  # fmt: skip


def test_photons():
    facts = metadata(0, photons=True)
    seen = view(facts, photon_pt=[70.0, 60.0], photon_eta=[0.0, 0.0], photon_phi=[0.0, np.pi])
    found = values(facts, seen)
    assert found["photon1_pt"] == 70.0
    assert found["diphoton_mass"] == pytest.approx(2 * np.sqrt(70.0 * 60.0), rel=1e-6)
    one = values(facts, view(facts, photon_pt=[70.0], photon_eta=[0.0], photon_phi=[0.0]))
    assert one["diphoton_mass"] is None


def test_three_leptons():
    facts = metadata(3)
    # The Z at rest in μ⁻μ⁺; the electron is that of the W, with the missing momentum opposite to it.
    leptons = [(50.0, 0.0, 1.0, 11), (45.0, 0.0, 0.0, 13), (45.0, 0.0, np.pi, -13)]
    found = values(facts, view(facts, leptons=leptons, met_pt=50.0, met_phi=1.0 - np.pi))
    assert found["z_candidate_mass"] == pytest.approx(90.0, rel=1e-6)
    assert found["w_transverse_mass"] == pytest.approx(100.0, rel=1e-6)
    assert found["transverse_mass_wz"] == pytest.approx(190.0, rel=1e-6)  # all balance: the scalar sum
    leptons[2] = (45.0, 0.0, np.pi, 13)
    without = values(facts, view(facts, leptons=leptons, met_pt=50.0, met_phi=0.0))
    assert without["z_candidate_mass"] is None
    assert without["w_transverse_mass"] is None


def test_two_leptons():
    facts = metadata(2)
    found = values(facts, view(facts, leptons=[(40.0, 0.0, 0.0, 11), (40.0, 0.0, np.pi, -13)]))
    assert found["dilepton_mass"] == pytest.approx(80.0, rel=1e-6)
