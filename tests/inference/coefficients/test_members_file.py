"""Ratios of the members of an ensemble, found again by event."""

import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.inference.coefficients.members_file import read_members, write_members


def test_events_are_found_in_any_order(tmp_path):
    ratios = np.random.default_rng(1).normal(size=(3, 5, 2))
    ratios[:, 1] = np.nan
    event_id = np.array([9, 4, 7, 1, 2])
    write_members(tmp_path / "members.safetensors", event_id, ratios)
    found = read_members(tmp_path / "members.safetensors", np.array([2, 9, 4]))
    np.testing.assert_array_equal(found, ratios[:, [4, 0, 1]])
    assert read_members(tmp_path / "members.safetensors", np.zeros(0, dtype=np.int64)).shape == (3, 0, 2)


def test_what_is_not_there_is_told(tmp_path):
    write_members(tmp_path / "members.safetensors", np.array([1, 2]), np.zeros((2, 2, 2)))
    with pytest.raises(EventFileError, match="lacks events of the coefficients beside it"):
        read_members(tmp_path / "members.safetensors", np.array([3]))
    with pytest.raises(EventFileError, match="cannot read the members"):
        read_members(tmp_path / "nowhere.safetensors", np.array([3]))
    (tmp_path / "damaged.safetensors").write_bytes(b"no such file")
    with pytest.raises(EventFileError, match="cannot read the members"):
        read_members(tmp_path / "damaged.safetensors", np.array([3]))
