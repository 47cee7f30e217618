import awkward as ak
import numpy as np
import pytest

from partonic.errors import ConfigError
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.jet_identification import COMPONENTS, check_bits, identification, passed

GOOD = {"jet_eta": 0.5, "jet_neutral_hadron": 0.3, "jet_neutral_em": 0.3, "jet_charged_hadron": 0.4,
        "jet_charged_em": 0.1, "jet_muon": 0.0,
        "jet_charged_multiplicity": 5, "jet_neutral_multiplicity": 4}  # fmt: skip
NOTHING, TIGHT, ALL = 0, 3, 7


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, ALL),
        ({"jet_neutral_hadron": 0.995}, NOTHING),
        ({"jet_neutral_em": 0.91}, NOTHING),
        ({"jet_charged_hadron": 0.01}, NOTHING),
        ({"jet_charged_multiplicity": 0}, NOTHING),
        ({"jet_charged_multiplicity": 1, "jet_neutral_multiplicity": 0}, NOTHING),
        ({"jet_charged_multiplicity": 1, "jet_neutral_multiplicity": 1}, ALL),
        ({"jet_muon": 0.81}, TIGHT),
        ({"jet_charged_em": 0.81}, TIGHT),
        ({"jet_eta": -2.65, "jet_charged_multiplicity": 0, "jet_neutral_em": 0.95}, ALL),
        ({"jet_eta": 2.65, "jet_neutral_hadron": 0.91}, NOTHING),
        ({"jet_eta": 2.65, "jet_muon": 0.9}, TIGHT),
        ({"jet_eta": 2.9, "jet_neutral_em": 1.0, "jet_muon": 0.9}, ALL),
        ({"jet_eta": -2.9, "jet_neutral_hadron": 0.995}, NOTHING),
        ({"jet_eta": 4.0, "jet_neutral_hadron": 1.0}, ALL),
        ({"jet_eta": 4.0, "jet_neutral_em": 0.41}, NOTHING),
        ({"jet_eta": 4.0, "jet_neutral_multiplicity": 1}, NOTHING),
        ({"jet_eta": 4.0, "jet_neutral_multiplicity": 2}, ALL),
    ],
)
def test_criteria(changes, bits):
    values = GOOD | changes
    assert set(values) == {"jet_eta", *COMPONENTS}
    # numbers of particles are unsigned bytes in NanoAOD; their sum must not overflow
    kinds = {name: np.uint8 if name.endswith("multiplicity") else np.float32 for name in values}
    arrays = {name: ak.Array(np.array([[value, value]], kinds[name])) for name, value in values.items()}
    batch = Batch("a.root", {name: name for name in values}, arrays, np.arange(1))
    assert identification(batch).tolist() == [bits, bits]


def test_many_particles_do_not_overflow():
    values = GOOD | {"jet_charged_multiplicity": 200, "jet_neutral_multiplicity": 57}
    arrays = {
        name: ak.Array(np.array([[v]], np.uint8 if "multi" in name else np.float32)) for name, v in values.items()
    }
    assert identification(Batch("a.root", {name: name for name in values}, arrays, np.arange(1))).tolist() == [ALL]


def test_bits_of_branches():
    assert passed(np.array([0, 2, 6, 4], np.uint8), 2).tolist() == [False, True, True, False]
    assert passed(np.array([2, 6], np.int32), 6).tolist() == [False, True]
    assert passed(np.array([True, False]), 2).tolist() == [True, False]


def test_bits_that_there_are_not():
    check_bits(6)
    with pytest.raises(ConfigError, match=r"import.jet_identification: 8 has bits that the identification lacks"):
        check_bits(8)
