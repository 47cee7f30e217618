"""From files to a likelihood."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.inference.likelihood.test_event_terms import background
from tests.inference.line_toy import MONOMIALS, SIGMA, coefficients, grid, rate, without, write_store

from partonic.config.inference import BackgroundConfig, BackgroundEventsConfig, ConstraintConfig, InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, write_coefficients
from partonic.inference.data import ensemble_members, make_data
from partonic.inference.samples import Files, load

CONFIG = InferenceConfig(luminosity=100.0)


def write(path: Path, events, section=None, **more) -> Path:
    monomials = events.monomials
    metadata = CoefficientsMetadata(
        parameters=monomials.parameters, exponents=monomials.exponents, source=events.source, cross_section=section,
        **more,
    )  # fmt: skip
    write_coefficients(path, events, metadata)
    return path


@pytest.fixture
def x():
    return grid(200)


@pytest.fixture
def files(tmp_path, x):
    """A store of 200 events generated at b = 0.5, and their coefficients; three have none."""
    write_store(tmp_path / "events.parquet", x, theta={"b": 0.5})
    write(tmp_path / "signal.parquet", without(coefficients(x), np.arange(200) < 3), rate().record())
    return Files(tmp_path / "events.parquet", tmp_path / "signal.parquet", {})


def with_background(files: Files, x) -> tuple[Files, InferenceConfig]:
    """Add a background with 100 simulated events of its own."""
    folder = files.store.parent
    y = grid(100) * 0.9
    section = {"other": BackgroundConfig(
        uncertainty=0.1, cross_section=0.004,
        events=BackgroundEventsConfig(
            store=write_store(folder / "other.parquet", y).path,
            coefficients={
                "signal": write(folder / "other-signal.parquet", coefficients(y)),
                "other": write(folder / "other-other.parquet", background(y)),
            },
        ),
    )}  # fmt: skip
    own = write(folder / "b.parquet", background(x))
    return replace(files, backgrounds={"other": own}), CONFIG.model_copy(update={"backgrounds": section})


def test_pseudo_data_are_drawn_where_the_events_were_generated(files):
    loaded = load(files, CONFIG, seed=3)
    assert loaded.status_counts() == {"ok": 197, "all weights are zero": 3}
    data = make_data(loaded, CONFIG)
    assert (data.kind, data.truth) == ("pseudo", {"b": 0.5})
    expected = 1000 * (1 + 0.25 * 8 / 15)
    assert abs(data.likelihood.total - expected) < 4 * np.sqrt(expected)
    assert data.likelihood.without_coefficients > 0
    again = make_data(load(files, CONFIG, seed=3), CONFIG)
    np.testing.assert_array_equal(again.likelihood.weights, data.likelihood.weights)
    other = make_data(load(files, CONFIG, seed=4), CONFIG)
    assert other.likelihood.total != data.likelihood.total


def test_asimov_and_real_data(files):
    config = CONFIG.model_copy(update={"data": "asimov", "truth": {"a": 0.5}})
    data = make_data(load(files, config, seed=3), config)
    assert data.likelihood.total == pytest.approx(1000 * (1 + 0.25 / 3))
    config = CONFIG.model_copy(update={"data": "events"})
    data = make_data(load(files, config, seed=3), config)
    assert (data.likelihood.total, data.likelihood.without_coefficients) == (200.0, 3.0)
    assert data.truth == {"b": 0.5}  # simulated events of equal weights: the figures may show where they are from
    bare = make_data(load(replace(files, store=None), config, seed=3), config)
    np.testing.assert_array_equal(bare.likelihood.weights, np.ones(197))
    assert bare.truth is None


def test_parton_truth(files):
    config = CONFIG.model_copy(update={"source": "truth"})
    loaded = load(replace(files, signal=None), config, seed=3)
    assert loaded.signal.source == "truth"
    np.testing.assert_allclose(loaded.setup.mixture.signal.coefficients[0], SIGMA)
    assert loaded.pool is not None


def test_backgrounds_come_with_their_own_events(files, x):
    files, config = with_background(files, x)
    loaded = load(files, config, seed=3)
    assert loaded.setup.mixture.names[3] == "other_normalisation"
    data = make_data(loaded, config.model_copy(update={"data": "asimov", "truth": {}}))
    assert data.likelihood.total == pytest.approx(1400.0)
    assert len(loaded.pool) == 297
    record = {"other": BackgroundConfig()}
    write(files.backgrounds["other"], background(x), rate().record().model_copy(
        update={"coefficients": (0.003,), "covariance": ((1e-8,),)}))  # fmt: skip
    only = config.model_copy(update={"backgrounds": record, "data": "events"})
    found = load(files, only, seed=3).setup.mixture.backgrounds[0]
    assert (found.cross_section, found.error) == (0.003, pytest.approx(1e-4))


def test_settings_reach_the_mixture(files):
    config = InferenceConfig(
        luminosity=30.0, luminosity_uncertainty=0.02, fixed={"a": 0.1}, signal_strength="free",
        constraints={"b": ConstraintConfig(centre=0.2, width=0.3)}, normalisation="mean_ratios",
    )  # fmt: skip
    setup = load(files, config, seed=3).setup
    assert setup.interest == ("b",)
    assert setup.mixture.free.tolist() == [False, True, True, True]
    assert setup.mixture.point()[0] == 0.1
    assert setup.mixture.constraints[:, 1].tolist() == [0.2, 0.3]
    used = grid(200)[3:]
    np.testing.assert_allclose(setup.shape_norm[3], SIGMA * (used**2).mean())


def test_members_of_an_ensemble(files, x):
    path = write(files.signal.with_name("member.parquet"), coefficients(x * 0.99))
    config = CONFIG.model_copy(update={"ensemble": (path,)})
    for kind in ("pseudo", "events"):
        chosen = config.model_copy(update={"data": kind})
        loaded = load(files, chosen, seed=3)
        data = make_data(loaded, chosen)
        (member,) = ensemble_members(data, loaded, chosen)
        np.testing.assert_allclose(member.events.rows[:, 1], data.likelihood.events.rows[:, 1] * 0.99)


def expect(files, config, error, message):
    with pytest.raises(error, match=message):
        make_data(load(files, config, seed=3), config)


def test_files_that_do_not_fit(files, x, tmp_path):
    other = write_store(tmp_path / "few.parquet", x[:50]).path
    expect(replace(files, store=other), CONFIG, EventFileError, "does not have all events")
    monomials = replace(MONOMIALS, parameters=("a", "c"))
    foreign = write(tmp_path / "foreign.parquet", replace(coefficients(x), monomials=monomials), rate().record())
    expect(replace(files, signal=foreign), CONFIG, EventFileError, "has the monomials 1, a, b")
    bare = write(tmp_path / "bare.parquet", replace(coefficients(x), monomials=monomials))
    expect(replace(files, signal=bare), CONFIG, EventFileError, "has other monomials of θ")
    mixed, config = with_background(files, x)
    write(mixed.backgrounds["other"], background(x[:-1]))
    expect(mixed, config, EventFileError, "has other events than .*same events in the same order")
    member = write(tmp_path / "member.parquet", coefficients(x[:-1]))
    config = CONFIG.model_copy(update={"ensemble": (member,)})
    loaded = load(files, config, seed=3)
    with pytest.raises(EventFileError, match="has other events than the coefficients of the signal"):
        ensemble_members(make_data(loaded, config), loaded, config)
    write(member, without(coefficients(x), x > 0))
    with pytest.raises(InferenceError, match="has no coefficients of"):
        ensemble_members(make_data(loaded, config), loaded, config)


def test_what_is_missing(files, x, tmp_path):
    expect(replace(files, store=None, signal=None), CONFIG, InferenceError, "parton truth needs an event store")
    expect(replace(files, store=None), CONFIG, InferenceError, "needs simulated events with their weights")
    bare = write(tmp_path / "bare.parquet", coefficients(x))
    expect(replace(files, store=None, signal=bare), CONFIG, InferenceError, "carry no fiducial cross section")
    mean = CONFIG.model_copy(update={"normalisation": "mean_ratios"})
    expect(replace(files, store=None), mean, InferenceError, "`normalisation: mean_ratios` needs simulated events")
    none = write(tmp_path / "none.parquet", coefficients(x[:0]), rate().record())
    expect(replace(files, signal=none), CONFIG, InferenceError, "has no events: expected a sample")
    dim = CONFIG.model_copy(update={"luminosity": 1e-9})
    expect(files, dim, InferenceError, "the pseudo-data have no event at .*raise `inference.luminosity`")
    real = CONFIG.model_copy(update={"data": "events"})
    part = write(tmp_path / "part.parquet", coefficients(x[:150]), rate().record())
    expect(replace(files, signal=part), real, InferenceError, "coefficients of 150 events, but 200 are selected")


def test_what_is_missing_of_a_background(files, x):
    mixed, config = with_background(files, x)
    section = config.backgrounds["other"]

    def changed(**changes):
        return config.model_copy(update={"backgrounds": {"other": section.model_copy(update=changes)}})

    expect(
        mixed, changed(cross_section=None), InferenceError, "the cross section of the background 'other' is not known"
    )
    expect(mixed, changed(events=None), InferenceError, "pseudo-data need simulated events of 'other'")
    lacking = section.events.model_copy(update={"coefficients": {"signal": section.events.coefficients["signal"]}})
    expect(mixed, changed(events=lacking), InferenceError, "events.coefficients` lacks other: expected a file")
    member = config.model_copy(update={"ensemble": (files.signal,)})
    loaded = load(mixed, member, seed=3)
    with pytest.raises(InferenceError, match="only supported without simulated events of backgrounds"):
        ensemble_members(make_data(loaded, member), loaded, member)
