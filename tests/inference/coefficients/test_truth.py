import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, SIGMA, draw, grid, ratios, write_store

from partonic.errors import EventFileError
from partonic.inference.coefficients.truth import truth_coefficients


def test_ratios_are_those_of_the_weights(tmp_path, rng):
    x = draw(rng, 50)
    selected = np.arange(50) % 3 > 0
    events = truth_coefficients(write_store(tmp_path / "e.parquet", x, selected=selected))
    assert events.event_id.tolist() == np.flatnonzero(selected).tolist()
    np.testing.assert_allclose(events.ratios, ratios(x[selected]), rtol=1e-12)
    np.testing.assert_allclose(events.log_reference, np.log(SIGMA / 50))
    assert events.monomials == MONOMIALS
    assert not events.covariance.any()
    assert events.source == "truth"


def test_nothing_selected(tmp_path):
    store = write_store(tmp_path / "e.parquet", grid(5), selected=np.zeros(5, dtype=bool))
    with pytest.raises(EventFileError, match="has no selected event"):
        truth_coefficients(store)
