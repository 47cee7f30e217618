import awkward as ak
import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.events.readers.hard_process import EnergyCheck, check_partons, hard_process_columns, mothers
from partonic.events.readers.notes import Notes
from partonic.events.readers.objects import Objects
from partonic.events.readers.root.batch import Batch


def batch_of(**values):
    arrays = {name.upper(): ak.Array(value) for name, value in values.items()}
    names = {name: name.upper() for name in values}
    return Batch("a.root", names, arrays, np.arange(len(next(iter(values.values())))))


@pytest.mark.parametrize(
    "parton",
    [(500.0, 0.0, 0.0, 500.0), (500.0, 0.0, 0.0, -500.0), (np.nan, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), (1, 0, 0, 2)],
)
def test_partons_at_infinite_rapidity(parton):
    good = (200.0, 50.0, 0.0, -80.0)
    momenta = np.array([[*good, *good], [*good, *parton]], dtype=np.float64)
    with pytest.raises(EventFileError, match=r"^event 1: the parton t has \(E, px, py, pz\) = .*infinite rapidity"):
        check_partons(momenta, ("H", "t"), lambda row: f"event {row}")
    check_partons(momenta[:1], ("H", "t"), str)
    check_partons(np.zeros((3, 0)), (), str)
    check_partons(np.array([[173.0, 0.0, 0.0, 30.0]]), ("t",), str)  # massive and along the beam: finite


def test_unknown_values_become_null():
    notes = Notes()
    batch = batch_of(x1=[0.1, 0.0], scale=[-1.0, 91.0], initial_pdg_1=[21, 0], initial_pdg_2=[1, 0])
    columns = hard_process_columns(batch, notes)
    assert columns["x1"].to_pylist() == [0.1, None]
    assert columns["scale"].to_pylist() == [None, 91.0]
    assert columns["initial_pdg"].to_pylist() == [[21, 1], None]
    assert len(notes.warnings) == 3
    assert notes.warnings[0].startswith("a.root: branch X1 is 0 or negative in some events")
    known = hard_process_columns(batch_of(x1=[0.1, 0.2], initial_pdg_1=[21, 1], initial_pdg_2=[1, -1]), notes)
    assert known["initial_pdg"].to_pylist() == [[21, 1], [1, -1]]
    assert len(notes.warnings) == 3


def test_momentum_fractions_above_one():
    with pytest.raises(EventFileError, match=r"event 1 .* branch X2 holds 6500, but a momentum fraction is at most 1"):
        hard_process_columns(batch_of(x2=[0.1, 6500.0]), Notes())


def test_mothers_that_are_no_particle():
    particles = Objects(np.array([2, 1]), {"mother": np.array([-5, 0, 1], np.int16)})
    batch = batch_of(generator_mother=[[0], [0]])
    with pytest.raises(EventFileError, match=r"event 1 .* GENERATOR_MOTHER: particle 1 is a mother, but there are 1"):
        mothers(batch, particles)
    good = Objects(np.array([2, 1]), {"mother": np.array([-5, 0, -1], np.int16)})
    assert mothers(batch, good).tolist() == [-1, 0, -1]


def checked(energy, real_energy, rng, more=None):
    """Events at √S = `real_energy`, of a pair of partons that carries the share 1/`more` of the invariant mass²."""
    check, notes = EnergyCheck(energy), Notes()
    x1, x2 = rng.uniform(0.01, 0.2, (2, 400))
    mass = np.sqrt(x1 * x2 / (1.0 if more is None else more)) * real_energy
    along = rng.normal(0.0, 300.0, 400)
    partons = np.zeros((400, 8))
    partons[:, [0, 4]] = np.hypot(mass, along)[:, None] / 2
    partons[:, [3, 7]] = along[:, None] / 2
    columns = hard_process_columns(batch_of(x1=x1, x2=x2), Notes())
    check.add(columns, partons)
    check.finish(notes)
    return notes.warnings


def test_collider_energy(rng):
    assert checked(13_000.0, 13_000.0, rng) == []
    assert "√S is nearer to 13600 GeV than to the 13000 GeV" in checked(13_000.0, 13_600.0, rng)[0]
    assert "√S is nearer to 8000 GeV" in checked(13_000.0, 8_000.0, rng)[0]
    assert checked(13_000.0, 13_000.0, rng, more=rng.uniform(1.0, 1.4, 400)) == []  # with radiation beside the partons
    assert len(checked(8_000.0, 13_000.0, rng, more=rng.uniform(1.0, 1.4, 400))) == 1


def test_collider_energy_without_what_it_needs():
    check, notes = EnergyCheck(13_000.0), Notes()
    check.add({}, np.ones((3, 4)))
    check.add(hard_process_columns(batch_of(x1=[0.1, 0.1], x2=[0.1, 0.1]), notes), np.zeros((2, 0)))
    check.finish(notes)
    assert notes.warnings == []
