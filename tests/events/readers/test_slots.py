"""Which particles of an event of others are the partons of the process."""

import pytest

from partonic.events.readers.slots import assign_slots, candidates_of, has_one_final_state
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import DecayTree, Resonance

TREE = DecayTree((Resonance("W", (24, -24), (0, 1), "matrix element"), Resonance("Z", (23,), (2, 3), "matrix element")))
STATES = ((-11, 12, 13, -13), (11, -12, 13, -13), (-11, 12, 11, -11), (11, -12, 11, -11))
WZ = ProcessInfo("wz", ("l", "nu", "lm", "lp"), STATES[0], Monomials.constant(), 13e3, STATES, TREE)
WITHOUT = [2, -1]
"""Incoming partons, before the rest."""


def assigned(*pdg, mother=None, process=WZ):
    ids = [*WITHOUT, *pdg]
    mothers = [-1, -1, *(mother or [0] * len(pdg))]
    outgoing = [row for row, one in enumerate(ids) if row > 1 and abs(one) not in (23, 24)]
    momenta = [(50.0, 0.0, 0.0, 0.0)] * len(ids)
    return assign_slots(candidates_of(ids, mothers, momenta, outgoing), process)


def test_final_state_is_found_whatever_the_order():
    assert assigned(13, -11, -13, 12) == (STATES[0], (3, 5, 2, 4))
    assert assigned(-12, 11, 13, -13, 21) == (STATES[1], (3, 2, 4, 5))


def test_missing_particle_is_no_final_state():
    assert assigned(13, -13, -11) is None
    assert assigned(13, -13, -15, 16) is None


def test_equal_leptons_are_told_apart_by_their_resonances():
    # W+ Z e+(Z) e-(Z) e+(W) nu
    found = assigned(24, 23, -11, 11, -11, 12, mother=[0, 0, 3, 3, 2, 2])
    assert found == (STATES[2], (6, 7, 5, 4))
    radiating = assigned(24, 23, -11, -11, 11, -11, 12, mother=[0, 0, 3, 4, 3, 2, 2])
    assert radiating == (STATES[2], (7, 8, 6, 4))


def test_equal_leptons_of_equal_masses_stand_in_the_order_of_the_file():
    assert assigned(-11, 11, -11, 12) == (STATES[2], (2, 5, 3, 4))


def test_hard_process_comes_before_radiation():
    # e+ nu mu- mu+, and then an electron with its neutrino from elsewhere
    assert assigned(-11, 12, 13, -13, 11, -12) == (STATES[0], (2, 3, 4, 5))


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        (WZ, False),
        (ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.constant(), 13e3), True),
        (ProcessInfo("e", ("e", "nu"), (11, -12), Monomials.constant(), 13e3, ((-11, 12),)), False),
    ],
)
def test_simple_processes(process, expected):
    assert has_one_final_state(process) is expected
