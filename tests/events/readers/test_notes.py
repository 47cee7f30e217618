from partonic.events.readers.notes import Notes


def test_a_warning_is_noted_once_and_travels_with_the_facts():
    notes = Notes()
    assert notes.all_facts() == {}
    notes.facts["unit"] = 2.0
    for sentence in ("b", "a", "b"):
        notes.warn(sentence)
    assert notes.all_facts() == {"unit": 2.0, "warnings": ["b", "a"]}
