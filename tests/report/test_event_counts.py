from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import NonFiniteError
from partonic.events.store import EventStore
from partonic.report.event_counts import EventCounts

Maker = Callable[..., Path]


def counted(store: Path, size: int = 1000) -> EventCounts:
    counts, events = EventCounts(), EventStore.open(store)
    for batch in events.batches(["weight", "selected"], size):
        counts.fill(batch)
    return counts


def test_sums_do_not_depend_on_the_batches(make_store: Maker) -> None:
    def spread(columns: dict[str, object]) -> None:
        columns["weight"] = np.linspace(-0.2, 1.0, 120)

    store = make_store(120, spread)
    whole, parts = counted(store), counted(store, 17)
    np.testing.assert_allclose(whole.sums, parts.sums, rtol=1e-12)
    batch = EventStore.open(store).read(["weight", "selected"])
    weight = batch.weight
    assert (whole.events, whole.selected) == (120, batch.table.column("selected").to_pylist().count(True))
    assert whole.negative[0] == (weight < 0).sum() > 0
    assert whole.largest[0] == 1.0
    assert whole.weight == pytest.approx((weight.sum(), np.sqrt((weight**2).sum())))
    assert whole.effective(selected=False) == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert whole.selected_weight[0] == pytest.approx(weight[batch.table.column("selected").to_numpy()].sum())


def test_events_that_no_selection_was_applied_to(make_store: Maker) -> None:
    assert counted(make_store(30)).judged == 30
    assert counted(make_store(30, lambda columns: columns.pop("selected")), 7).judged == 0


def test_nothing_is_worth_nothing() -> None:
    assert EventCounts().effective(selected=True) == 0.0
    assert EventCounts().events == 0


def test_a_weight_that_is_not_finite_is_refused(make_store: Maker) -> None:
    def spoil(columns: dict[str, object]) -> None:
        columns["weight"][3] = np.inf

    with pytest.raises(NonFiniteError, match="weight"):
        counted(make_store(20, spoil))
