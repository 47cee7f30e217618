"""Reading events for the training."""

import numpy as np
import pytest

from partonic.errors import ConfigError, SchemaError
from partonic.sbi.data import read_events
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy


@pytest.fixture
def stores(tmp_path):
    toy = GaussianToy()
    for number in range(2):
        toy.write(tmp_path / f"{number}.parquet", toy.draw(300, [0.0], np.random.default_rng(number)))
    return tmp_path / "0.parquet", tmp_path / "1.parquet"


def test_events_of_several_stores_are_of_different_groups(stores):
    events, metadata = read_events(stores, [FEATURE], "event_id")
    assert len(events) == 600
    assert events.names == (FEATURE,)
    assert len(set(events.group.tolist())) == 600
    assert events.coefficients.sum(axis=0)[0] == pytest.approx(2.0)
    assert metadata.process == "gaussian_toy"


def test_a_group_is_a_column_of_whole_numbers(stores):
    events, _ = read_events(stores[:1], [FEATURE], "event_id")
    np.testing.assert_array_equal(events.group, np.arange(300))
    for name in ("met_pt", "parton_event"):
        with pytest.raises(ConfigError, match=f"no column '{name}' of whole numbers; there are: event_id"):
            read_events(stores[:1], [FEATURE], name)


def test_stores_of_different_processes_are_not_mixed(stores, tmp_path):
    from tests.inference.line_toy import write_store

    write_store(tmp_path / "other.parquet", np.linspace(0.1, 0.9, 20))
    with pytest.raises(SchemaError, match=r"other\.parquet has another process"):
        read_events((stores[0], tmp_path / "other.parquet"), [FEATURE], "event_id")
