import numpy as np

from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import NO_RESONANCES, DecayTree, Resonance

# Two events of (pdg, mother). The first: ttH with copies, t leptonic, t̄ hadronic, H → bb̄; the second: tt̄, dileptonic.
FIRST = [
    (21, -1), (21, -1), (25, 0), (6, 0), (-6, 0),  # 0-4
    (6, 3), (21, 3), (6, 5), (25, 2),  # 5-8: copies of t and H, a gluon radiated by t
    (24, 7), (5, 7), (24, 9), (-13, 11), (14, 11), (22, 11),  # 9-14
    (-24, 4), (-5, 4), (3, 15), (-4, 15),  # 15-18
    (5, 8), (-5, 8), (5, 19), (21, 19),  # 19-22: a copy of b is no decay product
    (6, 22), (-6, 22),  # 23-24: a second pair of tops from a gluon
]  # fmt: skip
SECOND = [(6, -1), (-6, -1), (24, 0), (5, 0), (-24, 1), (-5, 1), (-11, 2), (12, 2), (15, 4), (-16, 4), (16, 8)]


def record():
    pdg, mother = np.array(FIRST + SECOND).T
    momenta = np.arange(4.0 * len(pdg)).reshape(-1, 4)
    return GeneratorRecord(pdg, mother, momenta, np.array([len(FIRST), len(SECOND)]))


def process(*states, tree=NO_RESONANCES):
    names = tuple(f"p{slot}" for slot in range(len(states[0])))
    return ProcessInfo("toy", names, states[0], Monomials.constant(), 13e3, states, tree)


def test_first_and_last_copies():
    start = len(FIRST)
    assert record().hard_partons((6, -6), "first").tolist() == [[3, 4], [start, start + 1]]
    assert record().hard_partons((25, 6, -6), "last").tolist() == [[8, 7, 4], [-1, start, start + 1]]
    assert record().hard_partons((21, 21), "first")[0].tolist() == [0, 1]


def test_decay_products():
    products = record().decay_products()
    pdg = record().pdg[products.rows]
    assert products.counts.tolist() == [8, 6]
    assert pdg[:8].tolist() == [5, -13, 14, -5, 3, -4, 5, -5]
    assert products.origin[:8].tolist() == [6, 6, 6, -6, -6, -6, 25, 25]
    assert pdg[8:].tolist() == [5, -5, -11, 12, 15, -16]
    assert products.hadronic.tolist() == [[False, True], [False, False]]
    assert products.hadronic_top.tolist() == [-6, 0]


def test_final_state_of_each_event():
    first, second = (24, -24, 25), (-11, 12, 15)
    rows, pdg = record().partons_in_slots(process(first, second), "first")
    start = len(FIRST)
    assert pdg.tolist() == [list(first), list(second)]
    assert rows.tolist() == [[9, 15, 2], [start + 6, start + 7, start + 8]]
    rows, pdg = record().partons_in_slots(process((6, -6), (24, -24)), "last")
    assert pdg.tolist() == [[6, -6], [6, -6]]  # both are there, and the tops come first
    assert rows.tolist() == [[7, 4], [start, start + 1]]
    assert (record().partons_in_slots(process((25,), (13,)), "first")[0] < 0).tolist() == [[False], [True]]


def test_products_of_the_bosons_of_a_process():
    tree = DecayTree((Resonance("W", (24, -24), (0, 1), "matrix element"),))
    products = record().decay_products(tree)
    assert record().pdg[products.rows].tolist() == [-13, 14, 3, -4, -11, 12, 15, -16]
    assert products.origin.tolist() == [24, 24, -24, -24, 24, 24, -24, -24]


def test_products_of_bosons_belong_to_what_the_bosons_come_from():
    tree = DecayTree((Resonance("t", (6, -6), (0,)), Resonance("W", (24, -24), (1,))))
    products = record().decay_products(tree)
    assert set(products.origin.tolist()) == {6, -6}


def test_no_events():
    empty = GeneratorRecord(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)), np.zeros(0, int))
    assert empty.hard_partons((6,), "last").shape == (0, 1)
    assert empty.decay_products().hadronic_top.shape == (0,)
