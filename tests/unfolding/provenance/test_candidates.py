from math import comb

import pytest
import torch

from partonic.unfolding.provenance.candidates import SLOTS, candidates


@pytest.mark.parametrize("jets", [0, 1, 2, 3, 4, 6, 10, 16])
def test_every_set_of_jets_once(jets):
    table = candidates(jets)
    assert [len(part) for part in table.jets] == [comb(jets, 2), 3 * comb(jets, 3), jets]
    for part in table.jets:
        assert len(torch.unique(part, dim=0)) == len(part)
        assert all(len(set(row)) == len(row) for row in part.tolist())


def test_fewer_jets_are_the_first_candidates():
    large, small = candidates(9), candidates(6)
    for target in range(3):
        part = small.jets[target]
        assert torch.equal(large.jets[target][: len(part)], part)
        assert torch.equal(large.needed(target) <= 6, torch.arange(len(large.jets[target])) < len(part))


def test_lookup_knows_what_is_the_same():
    table = candidates(7)
    pair, triple, single = table.lookup
    assert torch.equal(pair, pair.T)
    assert torch.equal(triple, triple.transpose(1, 2))
    assert triple[0, 1, 2] != triple[1, 0, 2]
    assert (pair.diagonal() == -1).all()
    assert (triple[:, 3, 3] == -1).all()
    assert (triple[2, 2] == -1).all()
    assert torch.equal(single, torch.arange(7))


def test_numbers_and_assignment_are_inverse(torch_rng):
    table = candidates(8)
    sizes = torch.tensor([len(part) for part in table.jets])
    numbers = torch.stack([torch.randint(-1, int(size), (500,), generator=torch_rng) for size in sizes], dim=1)
    assignment = table.assignment(numbers)
    assert torch.equal(table.numbers(assignment), numbers)
    for target, slots in enumerate(SLOTS):
        assert torch.equal((assignment[:, slots] == -1).all(dim=1), numbers[:, target] == -1)


def test_order_of_equal_jets_does_not_matter():
    table = candidates(6)
    first = table.numbers(torch.tensor([[0, 4, 1, 2, 3, 5]]))
    assert torch.equal(first, table.numbers(torch.tensor([[4, 0, 1, 3, 2, 5]])))
    assert not torch.equal(first, table.numbers(torch.tensor([[0, 4, 2, 1, 3, 5]])))


def test_real_candidates_and_membership():
    table = candidates(5)
    mask = torch.tensor([[True, False, True, True, False]])
    for target in range(3):
        expected = [all(mask[0, jet] for jet in row) for row in table.jets[target].tolist()]
        assert table.real(target, mask)[0].tolist() == expected
        membership = table.membership(target)
        assert membership.shape == (len(table.jets[target]), 5)
        for row, jets in zip(membership.tolist(), table.jets[target].tolist(), strict=True):
            assert [jet for jet, inside in enumerate(row) if inside] == sorted(jets)


def test_negative_number_is_refused():
    with pytest.raises(ValueError, match="cannot be negative, got -1"):
        candidates(-1)
