"""What networks are given of events."""

from pathlib import Path

import numpy as np

from partonic.events.store import EventStore
from partonic.features.event_inputs import EventInputs, columns_of_inputs, inputs_of
from partonic.features.event_objects import slots_of
from partonic.features.named import NamedFeatures

STORE = EventStore.open(Path(__file__).parents[1] / "reference" / "tth_selected.parquet")


def test_named_features_alone_or_with_objects():
    features = NamedFeatures(["met_pt"], STORE.metadata)
    slots = slots_of(STORE.metadata, 4)
    assert columns_of_inputs(features, None, STORE.metadata) == ("met_pt",)
    columns = columns_of_inputs(features, slots, STORE.metadata)
    assert columns[0] == "met_pt"
    assert len(set(columns)) == len(columns)
    batch = STORE.read(columns, accepted_only=True)
    alone, both = inputs_of(batch, features, None), inputs_of(batch, features, slots)
    assert alone.objects is None
    np.testing.assert_array_equal(alone.features, both.features)
    assert both.objects.shape == (len(batch), len(slots), 9)


def test_some_of_the_events():
    inputs = EventInputs(np.arange(6.0)[:, None], np.arange(6 * 2 * 9, dtype=np.float32).reshape(6, 2, 9))
    for rows in (slice(1, 3), np.array([1, 2]), np.arange(6) // 1 == np.array([9, 1, 2, 9, 9, 9])):
        part = inputs[rows]
        assert len(part) == 2
        assert part.features[:, 0].tolist() == [1.0, 2.0]
        np.testing.assert_array_equal(part.objects, inputs.objects[1:3])
    assert EventInputs(inputs.features)[1:3].objects is None
