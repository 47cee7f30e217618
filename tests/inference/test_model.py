import numpy as np
import pytest
from tests.inference.circle_toy import MONOMIALS, SIGMA, STANDARD, densities, write_store
from tests.inference.line_toy import grid

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError, ParameterError
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.data import make_data
from partonic.inference.infer import infer
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.intervals import asymptotic_intervals
from partonic.inference.model import curve_of, mixture_of, truth_on_curves
from partonic.inference.record import read_result
from partonic.inference.samples import Files, load

CIRCLE = {"kind": "circle", "cosine": {"a": 1.0}, "sine": {"b": 1.0}}


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path / "events.parquet", grid(2000), {"a": 1.0}).path


def config(**changes):
    settings = {"source": "truth", "data": "asimov", "luminosity": 30.0, "standard_model": STANDARD, "expected": ()}
    return InferenceConfig.model_validate(settings | changes)


def fitted(store, settings):
    loaded = load(Files(store, None), settings, 1)
    data = make_data(loaded, settings)
    return loaded, data.likelihood, fit(data.likelihood)


def test_a_fit_without_curves_begins_at_the_standard_model(store):
    loaded, likelihood, best = fitted(store, config(truth={"b": 0.3}))
    np.testing.assert_allclose(loaded.setup.mixture.point()[:2], [1.0, 0.0])
    np.testing.assert_allclose(best.phi[:2], [1.0, 0.3], atol=1e-3)
    expected = 30.0 * 1000 * SIGMA * densities(grid(2000)).mean(axis=0) @ MONOMIALS.evaluate([1.0, 0.3])
    assert likelihood.total == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("alpha", [40.0, -120.0, 170.0])
def test_the_place_on_a_circle_is_found(store, alpha):
    """The Asimov sample of α has its maximum at α, with the error that a and b have along the circle."""
    loaded, likelihood, best = fitted(store, config(curves={"alpha": CIRCLE}, truth={"alpha": alpha}))
    assert loaded.setup.interest == ("alpha",)
    assert best.phi[0] == pytest.approx(alpha, abs=1e-3)
    theta = {"a": np.cos(np.radians(alpha)), "b": np.sin(np.radians(alpha))}
    _, two, of_two = fitted(store, config(truth=theta))
    along = np.radians(1.0) * np.array([-np.sin(np.radians(alpha)), np.cos(np.radians(alpha))])
    information = along @ np.linalg.inv(of_two.covariance[:2, :2]) @ along
    assert best.errors[0] == pytest.approx(information**-0.5, rel=1e-3)
    assert float(likelihood(best.phi)) == pytest.approx(float(two(of_two.phi)), abs=1e-6)


def test_an_interval_wraps_around(store):
    """Of α = 179° the 95% interval crosses the seam at 180° and is cut there."""
    _, likelihood, best = fitted(store, config(curves={"alpha": CIRCLE}, truth={"alpha": 179.0}))
    interval = asymptotic_intervals(likelihood, best, "alpha")[1][1]
    assert (interval.segments[0][0], interval.segments[-1][1]) == (-180.0, 180.0)
    assert not interval.open_below
    assert not interval.open_above
    for inside in (179.0, -179.9, 180.0, -180.0, 539.0):
        assert inside in interval
    assert 0.0 not in interval
    low, high = interval.segments[-1][0], interval.segments[0][1] + 360
    for edge in (low, high):
        profile = 2 * (best.log_likelihood - float(likelihood(np.array([edge, *best.phi[1:]]))))
        assert profile == pytest.approx(3.841, abs=0.01)


def test_nothing_measured_gives_the_whole_circle(store):
    _, likelihood, best = fitted(store, config(curves={"alpha": CIRCLE}, truth={"alpha": 10.0}, luminosity=0.01))
    interval = asymptotic_intervals(likelihood, best, "alpha")[1][1]
    assert interval.segments == ((-180.0, 180.0),)
    assert not interval.open_below


def test_a_curve_in_results(store, tmp_path):
    settings = config(curves={"alpha": CIRCLE}, truth={"alpha": 60.0}, expected=({}, {"alpha": 90.0}))
    found = infer(Files(store, None), settings, 1, tmp_path / "infer")
    record = read_result(tmp_path / "infer" / "result.json")
    assert record.fitted == ("alpha",)
    assert record.truth("alpha") == 60.0
    assert 60.0 in record.intervals("alpha", "total")[0]
    assert found.intervals["alpha"][0].period == 360.0
    first, second = (entry["best_fit"]["alpha"] for entry in record.result["expected"])
    assert (first, second) == (pytest.approx(0.0, abs=1e-2), pytest.approx(90.0, abs=1e-2))


def test_a_polynomial_curve(store):
    line = {"kind": "polynomial", "coefficients": {"a": [1.0, 0.5], "b": [0.0, 0.0, 2.0]}}
    _, _, best = fitted(store, config(curves={"s": line}, truth={"s": 0.4}))
    assert best.phi[0] == pytest.approx(0.4, abs=1e-4)


def test_events_off_the_curve_need_a_truth(tmp_path):
    path = write_store(tmp_path / "off.parquet", grid(200), {"a": 0.4}).path
    settings = config(curves={"alpha": CIRCLE})
    loaded = load(Files(path, None), settings, 1)
    assert loaded.generated_at is None
    with pytest.raises(InferenceError, match=r"with `inference\.truth`"):
        make_data(loaded, settings)
    on_it = truth_on_curves(loaded.setup.mixture, {"a": 1.0})
    assert on_it == {}


def test_radians_and_centres():
    section = config(curves={"beta": {**CIRCLE, "unit": "radians", "centre": {"a": -1.0}}}).curves["beta"]
    curve = curve_of("beta", section)
    assert curve.period == pytest.approx(2 * np.pi)
    rate = FiducialRate(MONOMIALS, np.ones(6), np.zeros((6, 6)))
    mixture = mixture_of(
        config(curves={"beta": {**CIRCLE, "unit": "radians", "centre": {"a": -1.0}}}), rate, [], [], {}
    )
    np.testing.assert_allclose(mixture.theta(mixture.point({"beta": np.pi / 2})), [-1.0, 1.0], atol=1e-12)


def test_what_a_curve_takes_is_no_parameter():
    rate = FiducialRate(MONOMIALS, np.ones(6), np.zeros((6, 6)))
    with pytest.raises(ParameterError, match=r"unknown theory parameter 'a'.*'a' is on the curve 'alpha'"):
        mixture_of(config(curves={"alpha": CIRCLE}, fixed={"a": 1.0}), rate, [], [], {})
    with pytest.raises(ParameterError, match="z: a curve, or the Standard Model, is given for parameters"):
        mixture_of(config(curves={"alpha": {**CIRCLE, "cosine": {"z": 1.0}}}), rate, [], [], {})


def test_components_share_parameters_through_their_maps():
    """κ_e = 1 + δ of the second component: one parameter of the fit, two of the components."""
    other = FiducialRate(MONOMIALS.up_to_degree(("k", "b"), 2), np.arange(6.0), np.zeros((6, 6)))
    facts = CoefficientsMetadata(
        parameters=("k", "b"), exponents=other.monomials.exponents, source="mem", cross_section=other.record()
    )
    rate = FiducialRate(MONOMIALS, np.ones(6), np.zeros((6, 6)))
    settings = config(source="mem", components={"other": {"map": {"k": "1 + a"}, "uncertainty": 0.1}})
    mixture = mixture_of(settings, rate, [facts], [], {})
    assert mixture.names == ("a", "b", "signal_strength", "other_normalisation", "luminosity_scale")
    phi = mixture.point({"a": 0.3, "b": -0.2, "other_normalisation": 1.1})
    first, second = MONOMIALS.evaluate([0.3, -0.2]), other.monomials.evaluate([1.3, -0.2])
    np.testing.assert_allclose(mixture.vector(phi), [*first, *(1.1 * second)])
    with pytest.raises(InferenceError, match="the cross section of the component 'other' is not known"):
        mixture_of(settings, rate, [facts.model_copy(update={"cross_section": None})], [], {})
