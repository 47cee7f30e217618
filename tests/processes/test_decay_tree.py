"""What follows from the resonances of a process."""

import pytest

from partonic.errors import ProcessError
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


@pytest.mark.parametrize(
    ("final", "expected"), [((5, -11, 12), 6), ((-5, 11, -12), -6), ((5, 2, -1), 6), ((-5, 1, -2), -6)]
)
def test_charge_of_the_products_decides(final, expected):
    assert Resonance("t", (6, -6), (0, 1, 2), "matrix element").pdg_among(final) == expected


def test_products_of_another_charge():
    with pytest.raises(ProcessError, match=r"'Z' of the decay tree is one of \[23\].* \[-11, 12\] have the charge 3/3"):
        Resonance("Z", (23,), (0, 1), "matrix element").pdg_among((-11, 12))
