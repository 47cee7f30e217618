from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, coefficients, draw, grid, without

from partonic.errors import NonFiniteError, ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials


def test_density_at_points(rng):
    x = draw(rng, 20)
    events = coefficients(x)
    thetas = rng.normal(size=(3, 4, 2))
    expected = (1 + thetas[..., 0] * x[:, None, None]) ** 2 + (thetas[..., 1] * (1 - x[:, None, None] ** 2)) ** 2
    np.testing.assert_allclose(events.at(thetas), expected, rtol=1e-12)
    assert events.at(np.zeros(2)).shape == (20,)


def test_events_without_coefficients_are_told_apart(rng):
    events = without(coefficients(draw(rng, 10)), np.arange(10) == 4)
    assert events.usable().tolist() == [number != 4 for number in range(10)]
    assert np.isnan(events.at(np.zeros(2))[4])
    chosen = events.select(events.usable())
    assert len(chosen) == 9
    assert chosen.event_id.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_parts_come_back_together(rng):
    events = without(coefficients(draw(rng, 10)), np.arange(10) == 4)
    first = np.arange(10) < 6
    again = EventCoefficients.concatenate([events.select(first), events.select(~first)])
    np.testing.assert_array_equal(again.ratios, events.ratios)
    assert again.status == events.status


def test_mean_ratios_are_the_cross_sections(rng):
    """Σ w R/Σ w is σ_a/σ_0 within its error; the error is that of the mean."""
    x = draw(rng, 4000)
    estimates = coefficients(x).mean_ratios(np.ones(4000))
    for estimate, truth in zip(estimates, [1, 0, 0, 1 / 3, 0, 8 / 15], strict=True):
        assert abs(estimate.value - truth) <= 4 * estimate.error
    np.testing.assert_allclose(estimates[1].error, np.sqrt(4 / 3 / 4000), rtol=0.05)
    assert estimates[1].effective_sample_size == pytest.approx(4000)


def test_mean_ratios_need_weights(rng):
    events = coefficients(grid(4))
    with pytest.raises(ParameterError, match="expected 4 weights"):
        events.mean_ratios(np.ones(3))
    with pytest.raises(ParameterError, match="must sum to more than 0"):
        events.mean_ratios(np.zeros(4))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"ratios": np.ones((4, 5))}, ParameterError, r"`ratios` must have shape \(4, 6\)"),
        ({"covariance": np.zeros((4, 6, 5))}, ParameterError, r"`covariance` must have shape \(4, 6, 6\)"),
        ({"status": ("ok",) * 3}, ParameterError, "`status` must have 4 entries"),
        ({"ratios": np.full((4, 6), np.nan)}, NonFiniteError, "`ratios` of 4 events with status 'ok'"),
        ({"log_reference": np.full(4, np.inf)}, NonFiniteError, "`log_reference` of 4 events"),
        ({"ratios": np.full((4, 6), 2.0)}, ParameterError, "the first ratio P_0/P_0 of event 0 must be 1, got 2"),
        ({"status": ("ok", "bad", "ok", "ok")}, ParameterError, "event 1 has the status 'bad' and ratios"),
    ],
)
def test_what_does_not_fit_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        replace(coefficients(grid(4)), **changes)


def test_only_events_of_one_kind_are_put_together():
    events = coefficients(grid(4))
    with pytest.raises(ParameterError, match="no coefficients to concatenate"):
        EventCoefficients.concatenate([])
    with pytest.raises(ParameterError, match=r"cannot concatenate coefficients of 'toy' in .* with those of 'mem'"):
        EventCoefficients.concatenate([events, replace(events, source="toy")])
    with pytest.raises(ParameterError, match="cannot concatenate"):
        EventCoefficients.concatenate([events, replace(events, monomials=Monomials(("a", "c"), MONOMIALS.exponents))])
    with pytest.raises(ParameterError, match="the mask must have shape"):
        events.select(np.ones(3, dtype=bool))
