"""Which events a learned estimator may be asked about."""

from pathlib import Path

import pytest

from partonic.errors import SchemaError
from partonic.events.store import EventStore
from partonic.trained.learned_events import LearnedEvents


@pytest.fixture(scope="module")
def metadata():
    return EventStore.open(Path(__file__).parents[1] / "reference" / "tth_selected.parquet").metadata


def _with(metadata, section: str, **settings):
    simulation = metadata.config["simulation"]
    changed = {**simulation, section: {**simulation[section], **settings}}
    return metadata.model_copy(update={"config": {"simulation": changed}})


def test_events_of_the_same_settings_are_known(metadata):
    LearnedEvents.of(metadata).check(metadata, "the store")
    LearnedEvents.of(metadata).check(_with(metadata, "detector", jet_scale_slope=0.2), "the store")


@pytest.mark.parametrize(
    ("section", "key", "value"), [("selection", "jets_min", 6), ("decays", "tops", "dilepton"), ("jets", "radius", 0.8)]
)
def test_others_are_refused_with_what_differs(metadata, section, key, value):
    learned = LearnedEvents.of(metadata)
    with pytest.raises(SchemaError, match=rf"the store .*simulation\.{section}\.{key}: .*{value}.*, the model knows"):
        learned.check(_with(metadata, section, **{key: value}), "the store")
    with pytest.raises(SchemaError, match="process 'ttbb', the model knows 'tth'"):
        learned.check(metadata.model_copy(update={"process": "ttbb"}), "the store")


def test_a_background_has_process_and_decays_of_its_own(metadata):
    learned = LearnedEvents.of(metadata)
    other = _with(metadata, "decays", tops="dilepton").model_copy(update={"process": "ttbb"})
    learned.check(other, "the store", any_process=True)
    with pytest.raises(SchemaError, match=r"the store .*simulation\.selection\.jets_min: 6, the model knows"):
        learned.check(_with(other, "selection", jets_min=6), "the store", any_process=True)


def test_events_that_do_not_say_are_taken_as_they_are(metadata):
    """Data of a detector have no section `simulation`."""
    LearnedEvents.of(metadata).check(metadata.model_copy(update={"config": {}}), "data")
    assert LearnedEvents.of(metadata.model_copy(update={"config": {}})).simulation == {}


def test_events_of_a_detector_are_no_partons(metadata):
    detector = metadata.model_copy(update={"config": {"simulation": {"level": "detector"}}})
    partons = metadata.model_copy(update={"config": {"simulation": {"level": "partons"}}})
    LearnedEvents.of(partons).check(partons, "the store")
    with pytest.raises(SchemaError, match=r"simulation\.level: 'detector', the model knows 'partons'"):
        LearnedEvents.of(partons).check(detector, "the store")
    earlier = LearnedEvents.of(partons).model_copy(update={"level": None})
    earlier.check(detector, "the store")  # models of earlier versions do not know
