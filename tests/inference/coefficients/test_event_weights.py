import numpy as np
import pytest
from tests.inference.line_toy import SIGMA, grid, ratios, write_store

from partonic.errors import EventFileError
from partonic.inference.coefficients.event_weights import weights_of


def test_events_are_found_by_their_number(tmp_path):
    x = grid(20)
    store = write_store(tmp_path / "e.parquet", x, selected=np.arange(20) != 7)
    wanted = np.array([12, 3, 19])
    np.testing.assert_allclose(weights_of(store, wanted), SIGMA / 20 * ratios(x[wanted]))
    with pytest.raises(EventFileError, match="does not have all events"):
        weights_of(store, np.array([7]))
    with pytest.raises(EventFileError, match="does not have all events"):
        weights_of(store, np.array([21]))
