"""Whether objects are looked at, and their scales."""

from dataclasses import replace

import numpy as np
import pytest
from tests.sbi.backbones.object_events import sample
from tests.sbi.toy_events import config

from partonic.errors import TrainingError
from partonic.sbi.backbones.training_scales import object_scaler, sees_objects


def settings(backbone="lgatr", **changes):
    return config(network={"backbone": backbone, **changes.pop("network", {})}, **changes)


def test_only_networks_over_objects_see_them():
    assert sees_objects(settings())
    assert not sees_objects(settings("mlp"))
    assert not sees_objects(settings(method="trees"))
    events = sample(200, settings()).events
    assert object_scaler(events, np.ones(200, dtype=bool), settings("mlp")) is None


def test_scales_are_those_of_the_training_events():
    events, train = sample(200, settings()).events, np.arange(200) < 50
    pt = events.objects[train][..., 1][events.objects[train][..., 0] > 0]
    found = object_scaler(events, train, settings())
    assert float(found.unit) == pytest.approx(pt.mean(dtype=np.float64), rel=1e-6)
    given = object_scaler(events, train, settings(network={"lgatr": {"momentum_unit": 20.0}}))
    assert float(given.unit) == 20.0


def test_events_without_objects():
    events = replace(sample(200, settings()).events, slots=None, objects=None)
    with pytest.raises(TrainingError, match="the backbone lgatr looks at reconstructed objects"):
        object_scaler(events, np.ones(200, dtype=bool), settings())
