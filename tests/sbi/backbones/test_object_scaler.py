"""Scales of objects."""

import numpy as np
import pytest
import torch
from tests.sbi.backbones.object_events import LAYOUT, SLOTS, named, objects, scaler

from partonic.errors import NonFiniteError, TrainingError
from partonic.sbi.backbones.layout import NUMBERS
from partonic.sbi.backbones.object_scaler import ObjectScaler


def test_the_unit_is_the_mean_pt_or_the_given_one():
    table = objects(500, 9)
    mean = table[..., 1][table[..., 0] > 0].mean(dtype=np.float64)
    assert float(scaler().unit) == pytest.approx(mean, rel=1e-6)
    given = ObjectScaler(SLOTS)
    given.fit(torch.from_numpy(table), 20.0)
    assert float(given.unit) == 20.0


def test_each_kind_is_standardised_by_itself_and_tags_stay():
    table = objects(500, 9)
    parts = LAYOUT.split(scaler()(named(500), torch.from_numpy(table)))
    for _, place in SLOTS.kinds():
        real = parts.real[:, place]
        log_pt = parts.numbers[:, place, NUMBERS.index("log_pt")][real]
        assert float(log_pt.mean()) == pytest.approx(0.0, abs=1e-4)
        assert float(log_pt.std(correction=0)) == pytest.approx(1.0, abs=1e-4)
        assert not parts.numbers[:, place][~real].any()
    tags = parts.numbers[..., NUMBERS.index("tagged")]
    torch.testing.assert_close(tags, torch.from_numpy(table[..., 6]))


def test_a_kind_that_no_event_of_the_training_has_is_left_as_it_is():
    table = objects(100)
    table[:, 8:10] = 0.0
    found = ObjectScaler(SLOTS)
    found.fit(torch.from_numpy(table))
    assert torch.isfinite(found(named(100), torch.from_numpy(objects(100)))).all()


def test_objects_that_cannot_be_learned_from():
    with pytest.raises(TrainingError, match="no event of the training has a reconstructed object"):
        ObjectScaler(SLOTS).fit(torch.zeros(5, len(SLOTS), 9))
    broken = torch.from_numpy(objects(5))
    broken[0, 0, 1] = torch.nan
    with pytest.raises(NonFiniteError, match="1 events have objects"):
        ObjectScaler(SLOTS).fit(broken)
