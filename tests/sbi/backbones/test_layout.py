"""Rows of inputs, and their parts."""

import torch
from tests.sbi.backbones.object_events import LAYOUT, NAMED, SLOTS, inputs, named, objects, rows, scaler

from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.sbi.backbones.layout import NUMBERS


def test_parts_come_back():
    table = objects(40)
    parts = LAYOUT.split(rows(table))
    assert rows(table).shape == (40, LAYOUT.width)
    torch.testing.assert_close(parts.named, named(40))
    torch.testing.assert_close(parts.real, torch.from_numpy(table[..., 0] > 0))
    momenta = from_pt_eta_phi_m(torch.from_numpy(table[..., 1:5]).double()) / scaler().unit
    expected = torch.where(parts.real[..., None], momenta, 0.0).float()
    torch.testing.assert_close(parts.momenta, expected)
    assert parts.kinds.tolist() == [0] * 6 + [1] * 2 + [2] * 2 + [3]


def test_compact_events_hold_the_same_objects():
    parts = inputs(60)
    compact = parts.compact()
    assert compact.real.shape[1] == int(parts.real.sum(dim=1).max()) < len(SLOTS)
    assert (compact.real.long().diff(dim=1) <= 0).all()
    for event in range(60):
        for whole, short in ((parts.momenta, compact.momenta), (parts.numbers, compact.numbers)):
            torch.testing.assert_close(short[event][compact.real[event]], whole[event][parts.real[event]])
        assert compact.kinds[event][compact.real[event]].tolist() == parts.kinds[parts.real[event]].tolist()
    hot = compact.one_hot_kinds()
    assert (hot.argmax(dim=-1) == compact.kinds).all()
    assert hot.shape == (60, compact.real.shape[1], 4)


def test_no_events():
    parts = LAYOUT.split(torch.zeros(0, LAYOUT.width))
    assert len(parts) == 0
    assert parts.compact().momenta.shape == (0, 1, 4)
    assert parts.numbers.shape == (0, len(SLOTS), len(NUMBERS))
    assert parts.named.shape == (0, NAMED)
