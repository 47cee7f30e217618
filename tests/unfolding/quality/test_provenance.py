from pathlib import Path

from tests.unfolding.toys import write_store

from partonic.events.batch import MAX_JETS
from partonic.events.store import EventStore
from partonic.unfolding.data import COLUMNS
from partonic.unfolding.provenance.truth import assignment_truth
from partonic.unfolding.quality.provenance import evaluate_provenance


class Oracle:
    """Knows the truth, and gives none of it for the first `blind` events."""

    def __init__(self, store: EventStore, blind: int) -> None:
        self.truth = assignment_truth(store.read(list(COLUMNS), selected_only=True), MAX_JETS).assignment.clone()
        self.truth[:blind] = -1
        self.seen = 0

    def assign(self, tokens, as_many_as_possible=False):
        self.seen += len(tokens)
        return self.truth[self.seen - len(tokens) : self.seen]


def test_efficiency_is_that_of_the_assigner(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 150))
    found = evaluate_provenance(Oracle(store, 30), store, 10_000)
    whole = found.network[0]
    assert whole.jets == "all"
    assert whole.events == 120
    assert {name: (part.passed, part.total) for name, part in whole.right.items()} == dict.fromkeys(
        ("H", "t_had", "t_lep", "event"), (90, 120)
    )
    assert found.baseline[0].right["H"].total == 120
    assert found.record()["network"][0]["right"]["H"]["value"] == 0.75
    oracle = Oracle(store, 0)
    assert evaluate_provenance(oracle, store, 50).network[0].events == 50
    assert oracle.seen == 50
