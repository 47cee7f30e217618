"""Which candidates a decay tree has, and which reconstructed objects are its decay products."""

import numpy as np
import pyarrow as pa
import pytest
from tests.report.conftest import PROCESS

from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.report.candidates import jet_candidates, matched_objects, pair_candidates

H, T, TBAR = Resonance("H", (25,), (0,)), Resonance("t", (6,), (1,)), Resonance("tbar", (-6,), (2,))
SINGLE_TOP = DecayTree((H, Resonance("top", (6, -6), (1,))))
BOSONS = DecayTree(
    (Resonance("W", (24, -24), (0, 1), "matrix element"), Resonance("Z", (23,), (2, 3), "matrix element"))
)


def test_a_top_pair_has_the_candidates_of_its_provenances():
    found = jet_candidates(DecayTree((H, T, TBAR)))
    assert [(one.name, one.provenance, one.jets) for one in found] == [
        ("H", 1, 2), ("hadronic top", 2, 3), ("leptonic top", 3, 1),
    ]  # fmt: skip
    assert [one.mass and one.mass[1].name for one in found] == ["candidate_higgs_mass", "candidate_top_mass", None]
    assert [one.name for one in jet_candidates(DecayTree((T, TBAR)))] == ["hadronic top", "leptonic top"]


def test_other_resonances_have_the_provenance_of_their_place():
    assert [(one.name, one.provenance, one.jets) for one in jet_candidates(SINGLE_TOP)] == [("H", 1, 2), ("top", 2, 3)]
    assert [(one.name, one.provenance, one.jets) for one in jet_candidates(BOSONS)] == [("W", 1, 2), ("Z", 2, 2)]
    assert jet_candidates(DecayTree()) == ()


def test_pairs_are_those_of_neutral_resonances():
    assert [(one.objects, one.pdg_ids) for one in pair_candidates(BOSONS)] == [("lepton", (23,))]
    assert [(one.objects, one.pdg_ids) for one in pair_candidates(SINGLE_TOP)] == [("photon", (25,))]


@pytest.fixture
def decays():
    """One event with Z → e⁻e⁺ at η = 0, 1, and an electron of a W at η = 2."""
    directions = [(0.0, 0.0), (1.0, 2.0), (2.0, -2.0)]
    momenta = [
        30.0 * part
        for eta, phi in directions
        for part in (np.cosh(eta), np.cos(phi), np.sin(phi), np.sinh(eta))
    ]  # fmt: skip
    metadata = StoreMetadata.for_process(PROCESS)
    columns = {"decay_partons": [momenta], "decay_pdg": [[11, -11, 11]], "decay_origin": [[23, 23, -24]]}
    return EventBatch(pa.table(columns), metadata)


def test_objects_match_products_of_the_same_kind_and_resonance(decays):
    objects = {"eta": np.array([[0.02, 1.0, 2.0, 0.0]]), "phi": np.array([[0.03, 2.0, -2.0, 0.0]])}
    pdg = np.array([[11.0, -11, 11, 0]])
    assert matched_objects(decays, objects, pdg, (23,)).tolist() == [[True, True, False, False]]
    assert matched_objects(decays, objects, pdg, (24, -24)).tolist() == [[False, False, True, False]]
    muons = np.array([[13.0, -13, 13, 0]])
    assert not matched_objects(decays, objects, muons, (23,)).any()
    away = {"eta": objects["eta"] + 0.2, "phi": objects["phi"]}
    assert not matched_objects(decays, away, pdg, (23,)).any()
