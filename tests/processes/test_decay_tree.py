"""What follows from the resonances of a process."""

import pytest

from partonic.processes.decay_tree import DecayTree, Resonance

PAIR = DecayTree((Resonance("H", (25,), (0,)), Resonance("t", (6,), (1,)), Resonance("tbar", (-6,), (2,))))
NESTED = DecayTree(
    (
        Resonance("H", (25,), (0,)),
        Resonance("t", (6, -6), (1, 2, 3), "matrix element"),
        Resonance("W", (24, -24), (2, 3), "matrix element"),
    )
)


def test_nested_decays():
    higgs, top, boson = NESTED.resonances
    assert [NESTED.mother_of(one) for one in NESTED.resonances] == [None, None, top]
    assert [NESTED.mother_of_slot(slot) for slot in range(5)] == [None, top, boson, boson, None]
    assert NESTED.outermost == (higgs, top)
    assert NESTED.origins == (25, 6, -6)
    assert NESTED.pdg_ids == (25, 6, -6, 24, -24)


def test_provenances():
    assert PAIR.provenances == ("H", "t_had", "t_lep")
    assert PAIR.provenance_of(25) == 1
    assert NESTED.provenances == ("H", "t")
    assert [NESTED.provenance_of(origin) for origin in (25, 6, -6, 24, 0)] == [1, 2, 2, 0, 0]


def test_tree_of_a_final_state():
    assert DecayTree.of_partons(("H", "t", "tbar"), (25, 6, -6)) == PAIR
    assert DecayTree.of_partons(("e", "b"), (11, 5)) == DecayTree()


@pytest.mark.parametrize(("partons", "slots"), [((6, -6, 5), [(), (0,), (1,)]), ((), [(), (), ()])])
def test_other_partons(partons, slots):
    moved = PAIR.of_other_partons(partons)
    assert [one.slots for one in moved.resonances] == slots
    assert moved.origins == PAIR.origins
