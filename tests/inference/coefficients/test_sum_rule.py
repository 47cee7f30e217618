"""The sum rule of ratios: of the truth, of estimates, and of what is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.report.limit_files import estimated, toy_store

from partonic.events.store import EventStore
from partonic.inference.coefficients.sum_rule import sum_rule
from partonic.inference.coefficients.truth import truth_coefficients


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("store")))


def test_sum_rule_of_the_truth_is_exact_and_pulls_of_an_estimate_are_small(store: EventStore) -> None:
    truth, weights = truth_coefficients(store), store.read(["coefficients"], selected_only=True).coefficients
    exact = sum_rule(truth, weights, None)
    np.testing.assert_allclose(exact.mean, weights.sum(axis=0) / weights[:, 0].sum(), rtol=1e-12)
    np.testing.assert_allclose(exact.difference, 0.0, atol=1e-12)
    assert np.isnan(exact.difference_pull).all()
    found = sum_rule(estimated(store), weights, None)
    vary = [2, 3, 5]
    assert np.all(found.difference_error[vary] < 0.03)
    assert np.abs(found.difference_pull[vary]).max() < 4
    wrong = estimated(store)
    shifted = replace(wrong, ratios=wrong.ratios + np.array([0, 0, 0, 0.1, 0, 0]))
    assert sum_rule(shifted, weights, None).difference_pull[3] > 4
    record = found.record(store.metadata.monomials.names)
    assert [entry["monomial"] for entry in record][3] == "kappa_tilde_t^2"
    assert record[0]["pull"] is None
    json.dumps(record, allow_nan=False)


def test_error_of_the_ratio_of_cross_sections(store: EventStore) -> None:
    weights = store.read(["coefficients"], selected_only=True).coefficients
    found = sum_rule(estimated(store), weights, None)
    ratio = weights[:, 3].sum() / weights[:, 0].sum()
    error = np.sqrt(np.square(weights[:, 3] - ratio * weights[:, 0]).sum()) / weights[:, 0].sum()
    assert found.expected_error[3] == pytest.approx(error, rel=1e-9)
