from pathlib import Path

import pytest

from partonic.errors import ConfigError, EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.branches import Found, Quantities, found_in, one_schema
from partonic.events.readers.root.file import Tree

QUANTITIES = Quantities(
    needed={"jet_pt": ("Jet_pt",), "jet_btag": ("Jet_new", "Jet_old"), "met_pt": ("MET_pt", "PuppiMET_pt"),
            "generator_weight": ("genWeight",), "generator_pdg": ("GenPart_pdgId",)},
    optional={"jet_flavour": ("Jet_flavour",), "x1": ("Generator_x1",)},
    collections={"jets": "jet_", "met": "met_", "particles": "generator_"},
)  # fmt: skip
ALL = ("Jet_pt", "Jet_new", "Jet_flavour", "MET_pt", "genWeight", "GenPart_pdgId", "nJet")


class Fake(Tree):
    """A tree of which only the names are known."""

    def __init__(self, *branches, file="a.root", entries=3, counters=()):
        self.file, self.entries, self.branches = Path(file), entries, {name: name for name in branches}
        self.counters = dict(counters)

    def counter(self, name):
        return self.counters.get(name)


def test_first_candidate_that_is_there():
    found = found_in(Fake(*ALL, "Jet_old", "PuppiMET_pt"), QUANTITIES)
    assert found.names == {"jet_pt": "Jet_pt", "jet_btag": "Jet_new", "met_pt": "MET_pt", "jet_flavour": "Jet_flavour",
                           "generator_weight": "genWeight", "generator_pdg": "GenPart_pdgId"}  # fmt: skip
    assert found.entries == 3


def test_what_is_missing_is_named_with_what_is_similar():
    like = Found("b.root", {"jet_pt": "Jet_pt"}, 2)
    branches = [name for name in ALL if name != "Jet_pt"] + ["FatJet_pt"]
    message = (
        r"a\.root lacks the branch Jet_pt \(jet_pt\) \(b\.root has Jet_pt\); similar ones there: FatJet_pt.*"
        r"`jet_pt: <branch>`, or its whole collection: `jets: <collection>`"
    )
    with pytest.raises(EventFileError, match=message):
        found_in(Fake(*branches), QUANTITIES, like)


def test_a_collection_is_named_in_one_key():
    changed = QUANTITIES.with_branches({"jets": "FatJet", "met": "PFMET"}, "NanoAOD")
    assert changed.needed["jet_btag"] == ("FatJet_new", "FatJet_old")
    assert changed.optional["jet_flavour"] == ("FatJet_flavour",)
    assert changed.needed["met_pt"] == ("PFMET_pt",)
    assert changed.needed["generator_weight"] == ("genWeight",)
    both = QUANTITIES.with_branches({"jet_btag": "FatJet_mine", "jets": "FatJet"}, "NanoAOD")
    assert both.needed["jet_btag"] == ("FatJet_mine",)
    assert both.needed["jet_pt"] == ("FatJet_pt",)


def test_names_that_are_no_quantity():
    message = r"names colour, but the quantities of NanoAOD are: generator_pdg, .*x1; and its collections: jets, met"
    with pytest.raises(ConfigError, match=message):
        QUANTITIES.with_branches({"colour": "x"}, "NanoAOD")


@pytest.mark.parametrize("changed", [{"jet_pt": "FatJet_pt"}, {"jet_flavour": "FatJet_pt"}, {"jet_btag": "score"}])
def test_branches_of_two_collections(changed):
    quantities = QUANTITIES.with_branches(changed, "NanoAOD")
    with pytest.raises(EventFileError, match=r"a\.root: jet_\w+ would be read from .* two collections.*`jets: <coll"):
        found_in(Fake(*ALL, "FatJet_pt", "score"), quantities)


def test_branches_with_one_counter_are_one_collection():
    quantities = QUANTITIES.with_branches({"jet_btag": "score"}, "NanoAOD")
    counters = {"score": "nJet", "Jet_pt": "nJet", "Jet_flavour": "nJet"}
    assert found_in(Fake(*ALL, "score", counters=counters), quantities).names["jet_btag"] == "score"


def schema(*found, same=frozenset()):
    notes = Notes()
    return one_schema([Found(f"{number}.root", *one) for number, one in enumerate(found)], notes, same), notes.warnings


def test_one_schema():
    names = {"jet_pt": "Jet_pt", "x1": "X1"}
    assert schema((names, 2), (names, 1)) == (names, [])
    common, warnings = schema((names, 2), ({"jet_pt": "Jet_pt", "x2": "X2"}, 1), (names, 1))
    assert common == {"jet_pt": "Jet_pt"}
    assert warnings == [
        "x1 is left out of the sample: 0.root has it (X1), 1.root does not",
        "x2 is left out of the sample: 1.root has it (X2), 0.root does not",
    ]


def test_files_without_events_have_no_say():
    names = {"jet_pt": "Jet_pt"}
    for found in [(({}, 0), (names, 2)), ((names, 2), ({}, 0)), (({}, 0), (names, 1), ({"jet_pt": "other"}, 0))]:
        assert schema(*found) == (names, [])
    with pytest.raises(EventFileError, match=r"0\.root: there is no event in the files"):
        schema(({}, 0), ({}, 0))


def test_files_that_differ():
    first = {"jet_btag": "Jet_old", "met_pt": "MET_pt"}
    with pytest.raises(EventFileError, match=r"0\.root has jet_btag in Jet_old, 1\.root in Jet_new; a working point"):
        schema((first, 1), (first | {"jet_btag": "Jet_new"}, 1))
    with pytest.raises(EventFileError, match=r"1\.root in PFMET_pt; import them as two samples, or .*`met_pt: "):
        schema((first, 1), (first | {"met_pt": "PFMET_pt"}, 1))
    with pytest.raises(EventFileError, match=r"1\.root has Weight \(weights\), 0\.root does not"):
        schema((first, 1), (first | {"weights": "Weight"}, 1), same=frozenset({"weights"}))
