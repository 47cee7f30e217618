import pyarrow as pa

from partonic.events.duplicates import Duplicates


def events(table, ids, **columns):
    taken = table.take(pa.array(ids))
    for name, values in columns.items():
        taken = taken.append_column(name, pa.array(values))
    return taken


def numbered(table, first):
    return table.set_column(0, "event_id", pa.array(range(first, first + len(table))))


def test_the_content_tells(make_table):
    table = make_table(10)
    found = Duplicates(data=False)
    found.add(numbered(events(table, [0, 1, 2, 3, 4, 5]), 0))
    found.add(numbered(events(table, [6, 2, 7, 2, 5]), 6))
    assert found.found() == {7: 2, 9: 2, 10: 5}


def test_weights_and_numbers_are_no_content(make_table):
    table = make_table(3)
    other = table.set_column(table.column_names.index("weight"), "weight", pa.array([7.0, 8.0, 9.0]))
    found = Duplicates(data=False)
    found.add(numbered(events(table, [0, 1, 2], event_number=[1, 2, 3]), 0))
    found.add(numbered(events(other, [1], event_number=[9]), 3))
    assert found.found() == {3: 1}


def test_simulated_events_of_equal_number_differ(make_table):
    found = Duplicates(data=False)
    found.add(numbered(events(make_table(4), range(4), event_number=[1, 2, 1, 2]), 0))
    assert found.found() == {}
    assert found.same_numbers() == 2


def test_data_are_known_by_their_numbers(make_table):
    found = Duplicates(data=True)
    names = {"run": [1, 1, 2, 1], "luminosity_block": [1, 1, 1, 1], "event_number": [5, 6, 5, 5]}
    found.add(numbered(events(make_table(4), range(4), **names), 0))
    assert found.found() == {3: 0}


def test_events_that_hold_nothing_are_not_compared():
    bare = pa.table({"event_id": [0, 1, 2], "weight": [1.0, 1.0, 1.0], "met_pt": pa.array([None] * 3, pa.float32())})
    found = Duplicates(data=False)
    found.add(bare)
    assert found.found() == {}


def test_events_that_hold_little_are_compared_with_their_numbers():
    little = pa.table({"event_id": [0, 1, 2], "x1": [0.5, 0.5, 0.5], "event_number": [1, 2, 1]})
    found = Duplicates(data=False)
    found.add(little)
    assert found.found() == {2: 0}
    unnumbered = Duplicates(data=False)
    unnumbered.add(little.drop_columns("event_number"))
    assert unnumbered.found() == {}


def test_no_events():
    assert Duplicates(data=True).found() == {}
