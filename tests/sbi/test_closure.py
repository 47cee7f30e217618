"""Reweighting closure: exact for the truth, off by as much as the ratios are."""

import numpy as np
import pytest

from partonic.event_status import OK
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.sbi.closure import reweighting_closure
from partonic.sbi.gaussian_toy import GaussianToy

TOY = GaussianToy(1.5)
THETA = np.array([0.8])


def learned(ratios, status=None):
    count = len(ratios)
    return EventCoefficients(
        monomials=TOY.monomials, event_id=np.arange(count), ratios=ratios, log_reference=np.zeros(count),
        covariance=np.zeros((count, 3, 3)), status=status or (OK,) * count, relative_error=np.zeros(count),
        source="sbi",
    )  # fmt: skip


@pytest.fixture(scope="module")
def events():
    return TOY.draw(40_000, [0.0, 1.0], np.random.default_rng(3))


def test_true_ratios_of_x_close_within_their_errors(events):
    found = reweighting_closure(learned(TOY.ratios(events.observed)), events.coefficients, events.observed, "x", THETA)
    assert len(found.ratio) == 10
    assert found.error.max() < 0.05
    # at low x the true weights scatter by events that are rarer than the sample: a percent is not in the error
    assert (np.abs(found.ratio - 1.0) < 4.5 * found.error + 0.01).all()
    assert found.true.sum() == pytest.approx(float((events.coefficients @ TOY.monomials.evaluate(THETA)).sum()))
    assert found.record()["largest"] == pytest.approx(np.abs(found.ratio - 1.0).max())


def test_wrong_ratios_do_not(events):
    ratios = TOY.ratios(events.observed)
    ratios[:, 2] *= 1.3
    found = reweighting_closure(learned(ratios), events.coefficients, events.observed, "x", THETA)
    assert found.largest > 0.1
    assert ((found.ratio - 1.0) / found.error).max() > 8.0


def test_events_without_a_feature_or_a_ratio_are_left_out(events):
    ratios, values = TOY.ratios(events.observed), events.observed.copy()
    ratios[:100], values[100:300] = np.nan, np.nan
    status = ("lost",) * 100 + (OK,) * (len(values) - 100)
    coefficients = EventCoefficients(
        monomials=TOY.monomials, event_id=np.arange(len(values)), ratios=ratios,
        log_reference=np.where(np.isnan(ratios[:, 0]), np.nan, 0.0), covariance=np.zeros((len(values), 3, 3)),
        status=status, relative_error=np.zeros(len(values)), source="sbi",
    )  # fmt: skip
    found = reweighting_closure(coefficients, events.coefficients, values, "x", THETA)
    kept = events.coefficients[300:] @ TOY.monomials.evaluate(THETA)
    assert found.true.sum() == pytest.approx(kept.sum())
    nothing = reweighting_closure(coefficients, events.coefficients, np.full(len(values), np.nan), "x", THETA)
    assert nothing is None
