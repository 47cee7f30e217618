import numpy as np
import pyarrow as pa
import pytest
import torch

from partonic.errors import SchemaError
from partonic.events.batch import EventBatch
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials
from partonic.unfolding.provenance.truth import AssignmentTruth, assignment_truth

PDG = [5, -5, 5, -1, 2, -5, 13, -14]
ORIGIN = [25, 25, 6, 6, 6, -6, -6, -6]
FROM = {25: 1, 6: 2, -6: 3}


def batch(events):
    """Events given as (match of each jet, provenance of each jet, pdg, origin)."""
    metadata = StoreMetadata.for_process(
        ProcessInfo(
            name="tth",
            parton_names=("H", "t", "tbar"),
            parton_pdg=(25, 6, -6),
            monomials=Monomials.up_to_degree(("a",), 2),
            collider_energy=13_000.0,
        ),
        weight_names=(),
        theta={"a": 0.0},
        seed=3,
        config={},
    )
    match, provenance, pdg, origin = zip(*events, strict=True)
    small = pa.list_(pa.int8())
    table = pa.table(
        {
            "jet_match": pa.array(match, small),
            "jet_provenance": pa.array(provenance, small),
            "decay_pdg": pa.array(pdg, pa.list_(pa.int32())),
            "decay_origin": pa.array(origin, small),
        }
    )
    return EventBatch(table, metadata)


def usual(match, pdg=PDG):
    """An event in which t decays to quarks and t̄ does not."""
    return match, [0 if quark < 0 else FROM[ORIGIN[quark]] for quark in match], pdg, ORIGIN


def one(event, **kwargs):
    return assignment_truth(batch([event]), **kwargs).assignment[0].tolist()


def test_all_quarks_matched():
    assert one(usual([4, 1, -1, 2, 5, 0, 3])) == [1, 5, 3, 0, 6, 4]


def test_charge_conjugate():
    pdg, origin = [-5, 5, -5, 3, -4, 5, -11, 12], [25, 25, -6, -6, -6, 6, 6, 6]
    match = [3, 4, 0, 2, 5, 1]
    assert one((match, [2, 2, 1, 2, 3, 1], pdg, origin)) == [2, 5, 3, 0, 1, 4]


def test_b_quark_of_a_w_is_not_that_of_the_top():
    """W⁺ → c b̄ has a b̄, not a b."""
    assert one(usual([0, 1, 3, 2, 4, 5], pdg=[5, -5, 5, -5, 4, -5, 13, -14])) == [0, 1, 3, 2, 4, 5]


def test_top_to_another_down_quark():
    assert one(usual([0, 1, 2, 3, 4, 5], pdg=[5, -5, 3, -1, 2, -5, 13, -14])) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ([0, 2, 3, 4, 5], [-1, -1, 1, 2, 3, 4]),
        ([0, 1, 3, 4, 5], [0, 1, -1, -1, -1, 4]),
        ([0, 1, 2, 4, 5], [0, 1, -1, -1, -1, 4]),
        ([0, 1, 2, 3, 4, -1], [0, 1, 2, 3, 4, -1]),
        ([-1, -1, -1], [-1] * 6),
        ([], [-1] * 6),
    ],
)
def test_lost_quark_leaves_the_target_incomplete(match, expected):
    assert one(usual(match)) == expected


def test_tops_that_decay_alike_are_incomplete():
    both_leptonic = ([0, 1, 2, 5], [1, 1, 3, 3], [5, -5, 5, -13, 14, -5, 13, -14], ORIGIN)
    assert one(both_leptonic) == [0, 1, -1, -1, -1, -1]
    both_hadronic = ([0, 1, 2, 3, 4, 5, 6, 7], [1, 1, 2, 2, 2, 2, 2, 2], [5, -5, 5, -1, 2, -5, 1, -2], ORIGIN)
    assert one(both_hadronic) == [0, 1, -1, -1, -1, -1]


def test_other_decays_of_the_higgs_are_incomplete():
    event = ([0, 1, 2, 3], [1, 1, 1, 1], [1, -2, 3, -4], [25] * 4)
    assert one(event) == [-1] * 6


def test_provenance_is_padded():
    truth = assignment_truth(batch([usual([4, 1, -1]), usual([0, 5, 2, 3, 1])]), max_jets=4)
    assert truth.provenance.tolist() == [[2, 1, 0, 0], [1, 3, 2, 2]]
    assert truth.assignment.tolist() == [[-1] * 6, [-1, -1, -1, -1, -1, 1]]


def test_complete_and_limited(torch_rng):
    truth = assignment_truth(batch([usual([4, 1, -1, 2, 5, 0, 3]), usual([0, 1, 2, 3, 4, 5])]))
    assert truth.complete.all()
    limited = truth.limited_to(6)
    assert limited.provenance.shape == (2, 6)
    assert limited.assignment.tolist() == [[1, 5, -1, -1, -1, 4], [0, 1, 2, 3, 4, 5]]
    assert limited.complete.tolist() == [[True, False, True], [True, True, True]]
    assert len(truth.rows(torch.tensor([1, 0, 1]))) == 3
    assert torch.equal(truth.rows(torch.tensor([1])).assignment, truth.assignment[1:])


def test_complete_targets_never_share_a_jet(rng):
    match = [rng.permutation(np.arange(-3, 6)).clip(-1)[: rng.integers(3, 10)].tolist() for _ in range(200)]
    truth = assignment_truth(batch([usual(jets) for jets in match]))
    for row, provenance in zip(truth.assignment.tolist(), truth.provenance.tolist(), strict=True):
        real = [jet for jet in row if jet >= 0]
        assert len(real) == len(set(real))
        for jet, origin in zip(row, (1, 1, 2, 2, 2, 3), strict=True):
            assert jet < 0 or provenance[jet] == origin
    assert 0 < int(truth.complete.sum()) < 600


def test_source_without_decays_is_refused():
    events = batch([usual([0, 1])])
    gone = EventBatch(events.table.set_column(0, "jet_match", pa.array([None], pa.list_(pa.int8()))), events.metadata)
    with pytest.raises(SchemaError, match="needs the column 'jet_match' for every event"):
        assignment_truth(gone)
    with pytest.raises(SchemaError, match="decay_origin"):
        assignment_truth(EventBatch(events.table.drop_columns(["decay_origin"]), events.metadata))


def test_no_events():
    truth = assignment_truth(EventBatch(batch([usual([0])]).table.slice(0, 0), batch([usual([0])]).metadata))
    assert isinstance(truth, AssignmentTruth)
    assert len(truth) == 0
