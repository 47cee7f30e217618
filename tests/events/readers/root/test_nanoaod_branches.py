import importlib.util

from tests.events.readers.root_files import nanoaod_branches

from partonic.config.importing import ImportConfig
from partonic.events.readers.root.nanoaod_branches import NEEDED, WEIGHTS, nanoaod_quantities


def quantities(**settings):
    basic = {"btag": {"working_point": 0.3}, "cross_section": 0.5}
    return nanoaod_quantities(ImportConfig(format="nanoaod", files=("a.root",), **(basic | settings)))


def test_what_is_not_asked_for_is_not_looked_for():
    leptons = {"electron_identification": 0, "muon_identification": "none"}
    lax = quantities(jet_identification=0, leptons=leptons, photons={"identification": "none"})
    assert not {name for name in (*lax.needed, *lax.optional) if "identification" in name}
    assert "jet_muon" not in lax.optional
    assert quantities(leptons={"muon_identification": "loose"}).needed["muon_identification"] == ("Muon_looseId",)
    assert not set(quantities(theta_independent=True, extra_weights=[]).optional) & set(WEIGHTS)
    assert set(quantities(extra_weights=[]).optional) & set(WEIGHTS) == {"theta_weights"}
    assert "lhe_pt" not in {**quantities().needed, **quantities().optional}
    assert "lhe_pt" in quantities(parton_source="LHEPart").needed


def test_collision_data_have_no_generator():
    data = quantities(data=True, theta_independent=True, cross_section=None)
    assert set(data.needed) == set(NEEDED)
    assert not [name for name in data.optional if name.startswith(("generator", "true_jet", "lhe"))]


def test_names_of_the_builder_of_tests_are_known():
    names = {name for candidates in quantities().needed.values() for name in candidates}
    assert {name for name in nanoaod_branches() if name.startswith(("Muon", "Electron", "MET"))} <= names


def test_page_is_written(repository):
    script = repository / "docs" / "write_branches.py"
    spec = importlib.util.spec_from_file_location("write_branches", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (repository / "docs" / "reference" / "branches.md").read_text(encoding="utf-8")
    assert module.page(text) == text, "run python docs/write_branches.py"
