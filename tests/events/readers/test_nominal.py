import pytest

from partonic.errors import EventFileError
from partonic.events.readers.nominal import nominal_position


@pytest.mark.parametrize(
    ("names", "position", "said"),
    [
        (["Default", "muR_2"], 0, "'Default', by its name"),
        (["muR_2", "Weight", "muF"], 1, "'Weight', by its name"),
        (["MUR0.5", " nominal ", "x"], 1, "by its name"),
        (["a", "", "b"], 1, "'', by its name"),
        (["0", "1", "2"], 0, "'0', by its name"),
        (["rwgt_1", "rwgt_2"], 0, "'rwgt_1', the first of 2, none of which has a name of nominal weights"),
    ],
)
def test_by_name_then_by_position(names, position, said):
    found, how = nominal_position(names, None, "file")
    assert found == position
    assert said in how


def test_by_configuration():
    assert nominal_position(["Default", "Weight", "x"], "x", "file") == (2, "'x', as configured")
    with pytest.raises(EventFileError, match=r"file: 0 weights have the name 'y' .* the file has: 'Default', 'x'"):
        nominal_position(["Default", "x"], "y", "file")
    with pytest.raises(EventFileError, match="2 weights have the name 'x'"):
        nominal_position(["x", "x"], "x", "file")


def test_several_candidates_are_listed():
    with pytest.raises(EventFileError, match="file: the weights 'Default', 'nominal' could each be the nominal one"):
        nominal_position(["Default", "muR", "nominal"], None, "file")
