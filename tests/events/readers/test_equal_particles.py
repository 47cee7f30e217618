"""Equal leptons of several resonances: by mothers, by masses, identical resonances by transverse momentum."""

import itertools

import numpy as np
import pytest

from partonic.config.importing import ImportConfig
from partonic.events.readers.equal_particles import RULE, is_ambiguous
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.slots import assign_slots, candidates_of, has_one_final_state
from partonic.events.readers.source import source_metadata
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import DecayTree, Resonance

WZ_TREE = DecayTree(
    (Resonance("W", (24, -24), (0, 1), "matrix element"), Resonance("Z", (23,), (2, 3), "matrix element"))
)
ZZ_TREE = DecayTree(
    (Resonance("Z1", (23,), (0, 1), "matrix element"), Resonance("Z2", (23,), (2, 3), "matrix element"))
)


def process(state: tuple[int, ...], tree: DecayTree, *others: tuple[int, ...]) -> ProcessInfo:
    names = tuple(f"p{slot}" for slot in range(len(state)))
    return ProcessInfo("toy", names, state, Monomials.constant(), 13e3, (state, *others), tree)


WZ = process((-13, 14, 13, -13), WZ_TREE)
ZZ = process((13, -13, 13, -13), ZZ_TREE)


def pair(mass: float, px: float, angle: float) -> list[tuple[float, ...]]:
    """Return two massless particles of an invariant mass, whose sum has the momentum px along x, GeV."""
    half = mass / 2
    along = half * np.array([1.0, np.cos(angle), np.sin(angle), 0.0])
    other = along * [1, -1, -1, -1]
    gamma, boost = np.hypot(mass, px) / mass, px / mass

    def boosted(p: np.ndarray) -> tuple[float, ...]:
        return (gamma * p[0] + boost * p[1], gamma * p[1] + boost * p[0], p[2], p[3])

    return [boosted(along), boosted(other)]


def assigned(
    process_: ProcessInfo, pdg: list[int], momenta: list[tuple[float, ...]], mother: list[int] | None = None
) -> tuple[int, ...]:
    outgoing = [row for row, each in enumerate(pdg) if each != 23 and abs(each) != 24]
    found = assign_slots(candidates_of(pdg, mother or [-1] * len(pdg), momenta, outgoing), process_)
    assert found is not None
    return found.rows


def test_masses_tell_what_the_order_of_the_record_does_not() -> None:
    """Three muons of a W and a Z in any order: always the same ones, whose pairs have the masses of W and Z."""
    antimuon, neutrino = pair(80.0, 120.0, 0.4)
    minus, plus = pair(91.5, -110.0, 1.3)
    particles = [(-13, antimuon), (14, neutrino), (13, minus), (-13, plus)]
    for order in itertools.permutations(range(4)):
        listed = [particles[place] for place in order]
        rows = assigned(WZ, [pdg for pdg, _ in listed], [momentum for _, momentum in listed])
        assert [order[row] for row in rows] == [0, 1, 2, 3]


def test_a_mother_in_the_record_comes_before_any_mass() -> None:
    """The pairs of the mothers have other masses than W and Z: the record knows better."""
    antimuon, neutrino = pair(80.0, 120.0, 0.4)
    minus, plus = pair(91.5, -110.0, 1.3)
    zero = (0.0, 0.0, 0.0, 0.0)
    pdg, momenta = [24, 23, -13, 14, 13, -13], [zero, zero, antimuon, neutrino, minus, plus]
    assert assigned(WZ, pdg, momenta, [-1, -1, 0, 0, 1, 1]) == (2, 3, 4, 5)
    assert assigned(WZ, pdg, momenta, [-1, -1, 1, 0, 1, 0]) == (5, 3, 4, 2)


@pytest.mark.parametrize("with_mothers", [True, False])
def test_two_identical_resonances_are_exchanged_as_wholes(with_mothers: bool) -> None:
    """The pairs stay together, and the one of the larger transverse momentum is the first."""
    soft, hard = pair(90.0, 30.0, 0.3), pair(92.0, -140.0, 2.0)
    zero = (0.0, 0.0, 0.0, 0.0)
    particles = [(13, soft[0], 0), (-13, soft[1], 0), (13, hard[0], 1), (-13, hard[1], 1)]
    for order in itertools.permutations(range(4)):
        listed = [particles[place] for place in order]
        mother = [-1, -1, *(each[2] if with_mothers else -1 for each in listed)]
        rows = assigned(
            ZZ, [23, 23, *(each[0] for each in listed)], [zero, zero, *(each[1] for each in listed)], mother
        )
        assert [order[row - 2] for row in rows] == [2, 3, 0, 1]


def test_flavours_of_identical_resonances_are_in_the_same_order() -> None:
    states = ((11, -11, 13, -13), (13, -13, 11, -11))
    either = process(states[0], ZZ_TREE, states[1])
    soft, hard = pair(90.0, 30.0, 0.3), pair(92.0, -140.0, 2.0)
    assert assigned(either, [11, -11, 13, -13], [*soft, *hard]) == (2, 3, 0, 1)
    assert assigned(either, [11, -11, 13, -13], [*hard, *soft]) == (0, 1, 2, 3)


def test_resonances_that_the_shower_decays_are_ordered_too() -> None:
    pair_of_z = process((23, 23), DecayTree.of_partons(("Z1", "Z2"), (23, 23)))
    assert not has_one_final_state(pair_of_z)
    momenta = [(100.0, 20.0, 0.0, 0.0), (200.0, -90.0, 0.0, 10.0)]
    found = assign_slots(candidates_of([23, 23], [-1, -1], momenta, [0, 1]), pair_of_z)
    assert found is not None
    assert found.rows == (1, 0)


@pytest.mark.parametrize("copy", ["first", "last"])
def test_generator_records_have_the_same_rule(copy: str) -> None:
    """Without mothers, as in LHEPart; with mothers of the Z and radiating muons; and an event of other flavours."""
    antimuon, neutrino = pair(80.0, 120.0, 0.4)
    minus, plus = pair(91.5, -110.0, 1.3)
    zero = (0.0, 0.0, 0.0, 0.0)
    first = [(-13, -1, plus), (13, -1, minus), (-13, -1, antimuon), (14, -1, neutrino)]
    second = [
        (23, -1, zero), (24, -1, zero), (13, 0, minus), (-13, 0, antimuon), (-13, 1, plus), (14, 1, neutrino),
        (-13, 3, antimuon), (22, 3, zero),
    ]  # fmt: skip
    third = [(-11, -1, antimuon), (12, -1, neutrino), (-13, -1, plus), (13, -1, minus)]
    events = [first, second, third]
    pdg, mother, momenta = zip(*(particle for event in events for particle in event), strict=True)
    record = GeneratorRecord(np.array(pdg), np.array(mother), np.array(momenta), np.array([len(e) for e in events]))
    both = process((-13, 14, 13, -13), WZ_TREE, (-11, 12, 13, -13))
    rows, ids = record.partons_in_slots(both, copy)
    assert ids.tolist() == [[-13, 14, 13, -13], [-13, 14, 13, -13], [-11, 12, 13, -13]]
    antimuon_of_z = {"first": 3, "last": 6}[copy]
    assert rows.tolist() == [[2, 3, 1, 0], [4 + 4, 4 + 5, 4 + 2, 4 + antimuon_of_z], [12, 13, 15, 14]]


def test_store_says_how_it_was_done() -> None:
    config = ImportConfig(format="lhe", files=["x.lhe"])
    assert source_metadata(config, WZ, [], 1, {"a": 1}, files=[]).facts == {"a": 1, "equal_particles": RULE}
    plain = process((-11, 12, 13, -13), WZ_TREE)
    assert not is_ambiguous(plain.parton_pdg, WZ_TREE)
    assert source_metadata(config, plain, [], 1, {}, files=[]).facts == {}


def test_products_of_one_resonance_are_no_question() -> None:
    """Two gluons of H are equal and of the same resonance: nothing depends on which is which."""
    tree = DecayTree((Resonance("H", (25,), (0, 1), "matrix element"),))
    assert not is_ambiguous((21, 21), tree)
    assert is_ambiguous((21, 21, 21), tree)
