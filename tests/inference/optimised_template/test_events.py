"""Events of a template: what is read, scaled and refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import plane
from tests.report.limit_files import LUMINOSITY, estimated, toy_store, write

from partonic.config.inference import InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.store import EventStore, EventWriter
from partonic.inference.optimised_template.backgrounds import check_simulation
from partonic.inference.optimised_template.events import TemplateEvents, template_events
from partonic.inference.samples import Files, load
from partonic.polynomial import Monomials


@pytest.fixture
def signal(tmp_path: Path) -> EventStore:
    return EventStore.open(toy_store(tmp_path, 1000))


@pytest.fixture
def background(tmp_path: Path) -> EventStore:
    (tmp_path / "other").mkdir()
    return EventStore.open(toy_store(tmp_path / "other", 500))


def read(signal: EventStore, background: EventStore | None, **changes: object) -> TemplateEvents:
    """Read signal and background; `changes` of the section of the background, or `models`, `coefficients`."""
    folder = signal.path.parent
    models = changes.pop("models", "m")
    ours = write(folder / "signal.parquet", estimated(signal), signal, models="m")
    regions = changes.pop("regions", {"low": {"where": {"missing_pt": [None, 60.0]}},
                                      "high": {"where": {"missing_pt": [60.0, None]}, "bins": 1}})  # fmt: skip
    backgrounds = {}
    if background is not None:
        theirs = changes.pop("coefficients", None) or estimated(background)
        path = write(folder / "background.parquet", theirs, models=models)
        backgrounds["other"] = {"store": background.path, "coefficients": path, **changes}
    config = InferenceConfig.model_validate(
        {"luminosity": LUMINOSITY, "template": {"theta_star": {}, "regions": regions, "backgrounds": backgrounds}}
    )
    assert config.template is not None
    return template_events(load(Files(signal.path, ours), config, 1), config, config.template, ours)


def test_weights_are_those_of_the_stores(signal: EventStore, background: EventStore) -> None:
    found = read(signal, background, scale=2.0, uncertainty=0.1)
    weights = signal.read(["coefficients"], selected_only=True).coefficients
    np.testing.assert_allclose(found.weights.sum(axis=0), weights.sum(axis=0), rtol=1e-9, atol=1e-12)
    of_background = background.read(["coefficients"], selected_only=True).coefficients
    assert found.backgrounds[0].weights.sum() == pytest.approx(2.0 * of_background[:, 0].sum())
    assert found.backgrounds[0].uncertainty == 0.1
    assert set(found.region) == {0, 1}


def test_parts_have_the_whole_cross_section(rng: np.random.Generator) -> None:
    events = plane(2_000, rng, background=0.3)
    first, second = events.parted(0.3, rng)
    assert len(first) + len(second) == 2_000
    assert len(first) == pytest.approx(600, abs=5 * np.sqrt(420))
    for part in (first, second):
        assert part.weights[:, 0].sum() == pytest.approx(events.weights[:, 0].sum())
        assert part.backgrounds[0].weights.sum() == pytest.approx(0.3)
    assert not {*first.ratios[:, 1]} & {*second.ratios[:, 1]}


def test_copies_of_a_parton_event_are_in_one_part(rng: np.random.Generator) -> None:
    events = plane(3_000, rng, background=0.3)
    number = np.arange(3_000) // 4
    other = replace(events.backgrounds[0], parton_event=np.arange(1_500) // 3)
    parts = replace(events, parton_event=number, backgrounds=(other,)).parted(0.4, rng)
    for one, two in (parts, tuple(each.backgrounds[0] for each in parts)):
        assert one.parton_event is not None
        assert two.parton_event is not None
        assert not {*one.parton_event.tolist()} & {*two.parton_event.tolist()}
    assert len(parts[0]) + len(parts[1]) == 3_000
    assert len(parts[0]) == pytest.approx(1_200, abs=5 * 4 * np.sqrt(750 * 0.24))
    left = replace(events, parton_event=number, backgrounds=(other,)).without(3, 10)
    assert not np.isin(left.parton_event, np.arange(3, 750, 10)).any()
    assert not np.isin(left.backgrounds[0].parton_event, np.arange(3, 500, 10)).any()
    assert left.weights[:, 0].sum() == pytest.approx(events.weights[:, 0].sum())


def test_without_copies_the_parts_are_those_of_single_events() -> None:
    events = plane(1_000, np.random.default_rng(1), background=0.3)
    number = np.arange(1_000)
    one, _ = events.parted(0.5, np.random.default_rng(2))
    other, _ = replace(events, parton_event=number).parted(0.5, np.random.default_rng(2))
    np.testing.assert_array_equal(one.ratios, other.ratios)


def test_a_part_without_events(rng: np.random.Generator) -> None:
    events = plane(100, rng, background=0.3)
    alone = events.backgrounds[0].select(np.arange(50) == 0)
    with pytest.raises(InferenceError, match=r"events of 'other' .* has 0 events, whose weights do not sum"):
        replace(events, backgrounds=(alone,)).parted(0.5, rng)


def test_events_without_coefficients_have_no_ratio(signal: EventStore) -> None:
    path = write(signal.path.parent / "lost.parquet", estimated(signal, lost=(0, 5)), signal)
    config = InferenceConfig.model_validate({"luminosity": LUMINOSITY, "template": {"theta_star": {}}})
    assert config.template is not None
    found = template_events(load(Files(signal.path, path), config, 1), config, config.template)
    assert np.flatnonzero(np.isnan(found.ratios).any(axis=1)).tolist() == [0, 5]


def test_a_background_that_is_not_there(signal: EventStore, background: EventStore, tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match=r"`inference\.template\.backgrounds\.other\.store`: there is no file"):
        read(signal, background, store=tmp_path / "missing.parquet")


@pytest.mark.parametrize(
    ("part", "ours", "theirs", "message"),
    [
        ("selection", {"leptons": 1, "jets_min": 4}, {"leptons": 2, "jets_min": 4}, "leptons: expected 1, got 2"),
        ("jets", {"radius": 0.4}, {"radius": 0.8}, "radius: expected 0.4, got 0.8"),
        ("detector", None, {"isolation_radius": 0.5}, "expected None"),
    ],
)
def test_a_background_of_another_selection(
    part: str, ours: object, theirs: object, message: str, signal: EventStore, tmp_path: Path
) -> None:
    def stored(name: str, value: object) -> EventStore:
        facts = signal.metadata.with_facts(config={"simulation": {part: value}})
        names = [column.name for column in facts.event_schema.columns]
        with EventWriter(tmp_path / name, facts) as writer:
            writer.write(signal.read(names).table)
        return EventStore.open(tmp_path / name)

    one, other = stored("one.parquet", ours), stored("other.parquet", theirs)
    with pytest.raises(InferenceError, match=rf"`key.store`: .* another `simulation\.{part}` than .*: {message}"):
        check_simulation(other, one, "key")
    check_simulation(one, one, "key")


def test_coefficients_that_do_not_fit(signal: EventStore, background: EventStore) -> None:
    of_background = estimated(background)
    with pytest.raises(InferenceError, match=r"expected all .* selected ones of .*: make the coefficients again"):
        read(signal, background, coefficients=of_background.select(np.arange(len(of_background)) > 3))
    with pytest.raises(InferenceError, match=r"made by another trained model than the coefficients of the signal"):
        read(signal, background, models="n")
    constant = replace(
        of_background, monomials=Monomials.constant(), ratios=of_background.ratios[:, :1],
        covariance=of_background.covariance[:, :1, :1],
    )  # fmt: skip
    with pytest.raises(InferenceError, match=r"those of the signal .*: make both with one model"):
        read(signal, background, coefficients=constant)
    with pytest.raises(InferenceError, match=r"`inference.source` is 'mem', but .* says that 'sbi' made it"):
        read(signal, background, coefficients=replace(of_background, source="sbi"))


def test_regions_without_events(signal: EventStore, background: EventStore) -> None:
    nowhere = {"none": {"where": {"missing_pt": [1e5, None]}}}
    with pytest.raises(InferenceError, match=r"none of .* events of .* is in the regions none"):
        read(signal, background, regions=nowhere)


def test_real_data_have_no_template(signal: EventStore) -> None:
    path = write(signal.path.parent / "signal.parquet", estimated(signal), signal)
    allowed = InferenceConfig.model_validate(
        {"luminosity": LUMINOSITY, "data": "pseudo", "template": {"theta_star": {}}}
    )
    config = allowed.model_copy(update={"data": "events"})  # which a file cannot say
    assert config.template is not None
    loaded = replace(load(Files(signal.path, path), config, 1), samples=())
    with pytest.raises(InferenceError, match=r"is filled with simulated events of the signal"):
        template_events(loaded, config, config.template)
