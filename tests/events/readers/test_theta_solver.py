from pathlib import Path

import numpy as np
import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials, morphing_basis

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
INFO = ProcessInfo("toy", (), (), MONOMIALS, 13e3)
POINTS = morphing_basis(MONOMIALS)
EVENTS = 40


def config(points=POINTS, **settings):
    given = {f"w{index}": {"a": float(a), "b": float(b)} for index, (a, b) in enumerate(points)}
    return ImportConfig(**({"format": "lhe", "files": ["x.lhe"], "weight_points": given} | settings))


def solver_of(config_, points=POINTS, *, relative=False, events=EVENTS):
    texts = {f"w{index}": "" for index in range(len(points))}
    numbering = Numbering((Path("x.lhe"),), (events,))
    return CoefficientSolver.of(config_, INFO, texts, "x.lhe", numbering=numbering, notes=Notes(), relative=relative)


@pytest.fixture
def truth(rng):
    """Coefficients of events: positive weights with interference; σ of each event differs."""
    amplitudes = rng.normal(size=(EVENTS, 3, 3))
    amplitudes[:, 0] += 2.0
    table = []
    for first, second, third in amplitudes:
        terms = {(0, 0): first @ first, (1, 0): 2 * first @ second, (0, 1): 2 * first @ third,
                 (2, 0): second @ second, (1, 1): 2 * second @ third, (0, 2): third @ third}  # fmt: skip
        table.append([terms[tuple(powers)] for powers in MONOMIALS.exponents])
    return np.array(table)


def weights(truth, theta=(0.0, 0.0), points=POINTS):
    return truth @ MONOMIALS.evaluate(np.array(theta)), truth @ MONOMIALS.evaluate(points).T


IDS = np.arange(EVENTS)


def test_without_theta(process_info):
    constant = config(points=[], theta_independent=True)
    found = solver_of(constant, []).solve(np.array([2.0, -1.0]), np.zeros((2, 0)), 1.0, IDS[:2])
    assert found.tolist() == [[2.0, 0, 0, 0, 0, 0], [-1.0, 0, 0, 0, 0, 0]]
    odd = ProcessInfo("odd", (), (), Monomials(("a",), ((1,), (2,))), 13e3)
    with pytest.raises(EventFileError, match="need the constant monomial"):
        CoefficientSolver.of(constant, odd, {}, "file", numbering=Numbering((Path("x"),), (1,)))


@pytest.mark.parametrize("theta", [(0.0, 0.0), (0.7, -0.3)])
def test_weights_in_the_units_of_the_nominal_one(truth, theta):
    nominal, raw = weights(truth, theta)
    solver = solver_of(config(theta={"a": theta[0], "b": theta[1]}))
    assert np.allclose(solver.solve(0.1 * nominal, raw, 0.1, IDS), 0.1 * truth)
    solver.finish()
    assert solver.notes.facts["theta_weight_unit"] == 1.0
    assert not solver.notes.warnings


@pytest.mark.parametrize("factor", [20.0, 1.0 / 831.8, 0.98])
def test_one_factor_in_all_events_is_taken_out_and_stated(truth, factor):
    nominal, raw = weights(truth)
    solver = solver_of(config())
    found = [solver.solve(nominal[part], raw[part] / factor, 1.0, IDS[part]) for part in (slice(0, 9), slice(9, None))]
    assert np.allclose(np.concatenate(found), truth)
    assert solver.notes.facts["theta_weight_unit"] == pytest.approx(factor)
    assert f"multiplied by {factor:.6g}" in solver.notes.warnings[0]


def test_a_factor_of_each_process_is_no_common_one(truth):
    nominal, raw = weights(truth)
    factors = np.where(IDS % 2, 3.0, 5.0)
    with pytest.raises(
        EventFileError, match=r"x\.lhe: event 0 .*the other events have no common factor \(from 3 to 5\)"
    ):
        solver_of(config()).solve(nominal, raw / factors[:, None], 1.0, IDS)


def test_the_wrong_theta_of_the_generation_is_no_common_factor(truth):
    nominal, raw = weights(truth, (1.0, 0.5))
    with pytest.raises(EventFileError, match=r"no common factor .*Check import\.theta"):
        solver_of(config()).solve(nominal, raw, 1.0, IDS)


def test_weights_relative_to_the_nominal_one(truth):
    nominal, raw = weights(truth)
    relative = raw / nominal[:, None]
    with pytest.raises(EventFileError, match=r"seem to be relative .* set import\.theta_weight_kind to relative"):
        solver_of(config()).solve(nominal, relative, 1.0, IDS)
    for solver in (solver_of(config(theta_weight_kind="relative")), solver_of(config(), relative=True)):
        assert np.allclose(solver.solve(nominal, relative, 1.0, IDS), truth)
    assert np.allclose(
        solver_of(config(theta_weight_kind="absolute"), relative=True).solve(2 * nominal, raw, 2.0, IDS), 2 * truth
    )


def test_weights_that_vanish_at_the_generation(truth):
    nominal, raw = weights(truth)
    with pytest.raises(
        EventFileError, match=r"event 0 .*give 0 pb at the θ of the generation.*Expected weights in units"
    ):
        solver_of(config()).solve(nominal, 0 * raw, 1.0, IDS)


def test_events_that_do_not_fit_are_wild(truth):
    nominal, raw = weights(truth)
    raw[7], raw[30, 2] = 0.0, np.nan
    with pytest.raises(EventFileError, match=r"event 30 \(the first is 0\): a weight at a θ point is NaN"):
        solver_of(config()).solve(nominal, raw, 1.0, IDS)
    with pytest.raises(EventFileError, match=r"event 7 \(the first is 0\): its weights at the θ points give 0 pb"):
        solver_of(config()).solve(nominal[:20], raw[:20], 1.0, IDS[:20])
    solver = solver_of(config(wild_weights="drop"))
    found = solver.solve(nominal, raw, 1.0, IDS)
    good = ~np.isin(IDS, [7, 30])
    assert np.allclose(found[good], truth[good])
    assert set(solver.wild.reasons) == {7, 30}
    solver.finish()
    with pytest.raises(EventFileError, match="NaN or infinite and cannot be kept"):
        solver_of(config(wild_weights="keep")).solve(nominal, raw, 1.0, IDS)


def test_one_wild_weight_of_many_does_not_hide_itself(truth):
    points = np.concatenate([POINTS, [[2.0, -1.0]]])
    nominal, raw = weights(truth, points=points)
    raw[11, 6] *= 1e8
    solver = solver_of(config(points, wild_weights="keep"), points)
    solver.solve(nominal, raw, 1.0, IDS)
    assert set(solver.wild.reasons) == {11}
    assert "are no polynomial" in solver.wild.reasons[11] or "give" in solver.wild.reasons[11]


def test_rounding_is_not_wild(truth):
    points = np.concatenate([POINTS, [[20.0, -10.0]]])
    nominal, raw = weights(truth, points=points)
    rounded = np.array([[float(f"{value:.6e}") for value in row] for row in raw])
    solver = solver_of(config(points), points)
    assert np.allclose(solver.solve(nominal, rounded, 1.0, IDS), truth, rtol=1e-3, atol=1e-3)
    truncated = (raw / nominal[:, None]).astype(np.float32).view(np.uint32) & np.uint32(0xFFFFFE00)  # 14 bits
    solver = solver_of(config(points), points, relative=True)
    solver.solve(nominal, truncated.view(np.float32).astype(np.float64), 1.0, IDS)
    assert not solver.wild.reasons


def test_points_close_together(truth):
    points = 1.0 + 1e-5 * np.random.default_rng(3).normal(size=(6, 2))
    with pytest.raises(EventFileError, match=r"the condition number of the system is \d.*e\+\d+, allowed 1e\+06"):
        solver_of(config(points), points)


def test_points_close_to_zero_are_told_from_their_noise(truth):
    points = 1e-4 * POINTS
    nominal, raw = weights(truth, points=points)
    rounded = np.array([[float(f"{value:.5e}") for value in row] for row in raw])
    solver = solver_of(config(points), points)
    solver.solve(nominal, rounded, 1.0, IDS)
    solver.finish()
    assert "rounding decides the coefficients of" in solver.notes.warnings[0]
    exact = solver_of(config())
    exact.solve(*weights(truth), 1.0, IDS)
    exact.finish()
    assert not exact.notes.warnings


def test_a_nominal_weight_that_is_needed_as_a_point_cannot_be_checked(truth):
    nominal, raw = weights(truth)
    few = config(POINTS[1:], nominal_is_point=True)
    solver = solver_of(few, POINTS[1:])
    assert np.allclose(solver.solve(nominal, raw[:, 1:], 1.0, IDS), truth)
    assert "not checked" in solver.notes.facts["theta_weight_unit"]
    checked = solver_of(config(nominal_is_point=True))
    assert np.allclose(checked.solve(nominal, raw / 3.0, 1.0, IDS), truth)
    assert checked.notes.facts["theta_weight_unit"] == pytest.approx(3.0)


def test_too_many_wild_events(truth):
    nominal, raw = weights(truth)
    raw[10:16] = 0.0
    solver = solver_of(config(wild_weights="drop"))
    solver.solve(nominal, raw, 1.0, IDS)
    with pytest.raises(EventFileError, match="6 of 40 events have wild weights, too many"):
        solver.finish()


@pytest.mark.parametrize("policy", ["error", "drop"])
def test_files_with_weights_in_different_units(truth, policy):
    nominal, raw = weights(truth)
    raw[25:] /= 20.0
    message = r"event 25 .* other units than those of .* event 0 .*: times 20 and 1 they .* for 14 events more"
    with pytest.raises(EventFileError, match=message):
        solver_of(config(wild_weights=policy)).solve(nominal, raw, 1.0, IDS)
    solver = solver_of(config(wild_weights=policy))
    solver.solve(nominal[:25], raw[:25], 1.0, IDS[:25])
    with pytest.raises(EventFileError, match=message):
        solver.solve(nominal[25:], raw[25:], 1.0, IDS[25:])


@pytest.mark.parametrize("policy", ["error", "drop", "keep"])
def test_a_wild_event_cannot_tell_the_unit_of_all_others(truth, policy):
    nominal, raw = weights(truth)
    raw[0] *= 7.0
    solver = solver_of(config(wild_weights=policy))
    solver.solve(nominal[:1], raw[:1], 1.0, IDS[:1])
    with pytest.raises(
        EventFileError, match=r"event 1 .*factor 0\.142857 that 1 events before .* event 0 .*batch_size"
    ):
        solver.solve(nominal[1:2], raw[1:2], 1.0, IDS[1:2])


@pytest.mark.parametrize(("unit", "warns"), [(1 / 20, True), (20.0, True), (1.0, False)])
def test_units_that_cannot_be_checked(truth, unit, warns):
    nominal, raw = weights(truth)
    points = POINTS[1:] if not POINTS[0].any() else POINTS
    raw = raw[:, -len(points) :]
    solver = solver_of(config(points, nominal_is_point=True), points)
    solver.solve(nominal, raw * unit, 1.0, IDS)
    solver.finish()
    assert [warning for warning in solver.notes.warnings if "may be in other units" in warning] == (
        [solver.notes.warnings[0]] if warns else []
    )


def test_points_of_the_user_against_what_the_file_says(truth):
    numbering = Numbering((Path("x.lhe"),), (EVENTS,))
    texts = {f"w{index}": f"a={float(a)!r} b={float(b)!r}" for index, (a, b) in enumerate(POINTS)}
    for said, warns in ((texts, False), (texts | {"w1": "a=0.25"}, True), (texts | {"w1": "muR=2"}, False)):
        notes = Notes()
        CoefficientSolver.of(config(), INFO, said, "x.lhe", numbering=numbering, notes=notes)
        found = [warning for warning in notes.warnings if "puts the weight 'w1' at θ = (a = " in warning]
        assert bool(found) == warns == any("the file says of it 'a=0.25'" in warning for warning in found)
