"""The estimator: ratios with covariance, cross section, and the events that it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.sbi.toy_events import train

from partonic.config.sbi import SbiConfig
from partonic.errors import SchemaError
from partonic.estimators.estimator import Estimator
from partonic.event_status import OK
from partonic.events.store import EventStore
from partonic.features.event_inputs import EventInputs, inputs_of
from partonic.features.named import NamedFeatures
from partonic.sbi.estimator import NO_DENSITY, NOT_FINITE, SbiEstimator, sbi_job
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.train import train_sbi

TOY = GaussianToy(1.5)
POINTS = (-1.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "toy.parquet"
    TOY.write(path, TOY.draw(3_000, POINTS, np.random.default_rng(7)), POINTS)
    return EventStore.open(path)


def made(folder, **changes):
    network = {"hidden": [16, 16], "members": 3}
    training = {"epochs": 4, "batch_size": 256, "learning_rate": 1e-2}
    model = train(TOY, 6_000, POINTS, folder, network=network, training=training, **changes).model
    return SbiEstimator(model, NamedFeatures([FEATURE], TOY.metadata()))


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    return made(tmp_path_factory.mktemp("model"), reference=[{"theta": 0.5}])


def test_ratios_are_to_the_standard_model_wherever_it_was_learned(estimator, store):
    assert isinstance(estimator, Estimator)
    batch = store.read(("event_id", *estimator.columns))
    found = estimator.estimate(batch)
    good = found.usable()
    assert good.mean() > 0.99
    assert (found.ratios[good, 0] == 1.0).all()
    truth = TOY.ratios(NamedFeatures([FEATURE], store.metadata).of(batch)[:, 0])
    row = TOY.monomials.evaluate([0.6])
    logs = np.log(found.ratios[good] @ row), np.log(truth[good] @ row)
    assert np.corrcoef(*logs)[0, 1] > 0.9
    assert np.square(logs[0] - logs[1]).mean() < 0.25 * np.square(logs[1]).mean()
    assert set(found.diagnostics.columns) == {"outside"}
    assert set(estimator.figures(found)) == {"outside", "mean_spread"}
    assert estimator.quality(found) == {"outside": f"{(found.diagnostics.columns['outside'] > 0).mean():.1%}"}


def test_covariance_is_the_scatter_of_the_members(tmp_path, store):
    estimator = made(tmp_path)
    batch = store.read(("event_id", *estimator.columns))
    found = estimator.estimate(batch)
    targets = estimator.model.targets(estimator.features.of(batch))
    np.testing.assert_allclose(found.covariance[:, 2, 2], targets[..., 2].var(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(found.ratios[:, 2], targets[..., 2].mean(axis=0))
    assert not found.covariance[:, 0].any()
    members = estimator.members(batch)
    assert members.shape == (3, *found.ratios.shape)
    shift = members - members.mean(axis=0)
    np.testing.assert_allclose(np.einsum("mna,mnb->nab", shift, shift) / 2, found.covariance, atol=1e-12)


def test_mean_spread_is_a_number_where_rounding_makes_a_variance_negative(estimator, store):
    found = estimator.estimate(store.read(("event_id", *estimator.columns)))
    covariance = found.covariance.copy()
    covariance[:, 1, 1] = -1e-17
    assert estimator.figures(replace(found, covariance=covariance))["mean_spread"][found.monomials.names[1]] == 0.0


def test_cross_section_is_learned_or_true(estimator, tmp_path):
    true = np.array(estimator.model.record.cross_section.coefficients)
    learned = np.array(estimator.cross_section().coefficients)
    assert learned[0] == pytest.approx(true[0], abs=0.1)
    assert (learned != true).any()
    reference = TOY.monomials.evaluate([0.5])
    assert learned @ reference == pytest.approx(true @ reference), "the reference has the true one"
    exact = made(tmp_path, normalisation="true").cross_section()
    assert exact.coefficients[0] == pytest.approx(1.0, abs=0.05)
    assert exact == made(tmp_path, normalisation="true").model.record.cross_section


def test_events_that_networks_cannot_take_have_a_status(estimator, store):
    batch = store.read(("event_id", *estimator.columns)).filter(np.arange(store.num_events) < 4)

    class Broken(NamedFeatures):
        def of(self, batch):
            return np.array([[0.0], [1e300], [1.0], [1.5]])

    first = SbiEstimator(estimator.model, Broken([FEATURE], store.metadata)).estimate(batch)
    assert first.status[1] in (NOT_FINITE, NO_DENSITY)
    assert np.isnan(first.ratios[1]).all()
    assert first.status[0] == OK
    assert first.diagnostics.columns["outside"][1] > 1e6


def test_events_of_others_are_refused(estimator, store):
    estimator.check(store.metadata, "here")
    with pytest.raises(SchemaError, match="here holds events of 'other'"):
        estimator.check(store.metadata.with_facts(process="other"), "here")
    with pytest.raises(SchemaError, match="√S = 8000 GeV"):
        estimator.check(store.metadata.with_facts(collider_energy=8000.0), "here")


def test_a_background_may_be_of_any_process(estimator, store):
    independent = {**store.metadata.config, "import": {"theta_independent": True}}
    other = store.metadata.with_facts(process="other", config=independent)
    estimator.check(other, "here")
    with pytest.raises(SchemaError, match="√S = 8000 GeV"):
        estimator.check(other.with_facts(collider_energy=8000.0), "here")


def test_facts_say_what_it_is(estimator):
    facts = estimator.facts()
    assert facts["method"] == "derivatives"
    assert facts["members"] == 3
    low, high = facts["trained_range"]["theta"]
    assert low < 0.5 < high


def test_networks_over_objects_read_them_from_a_store(tmp_path):
    """Real events: trained, read again in batches of any size, the same in any order of the objects of a kind."""
    path = Path(__file__).parents[1] / "reference" / "tth_selected.parquet"
    network = {"backbone": "set_transformer", "max_jets": 5}
    settings = SbiConfig.model_validate(
        {"preset": "tiny", "features": ["met_pt"], "network": network, "shares": {"fit": 0.0, "calibration": 0.0}}
    )
    train_sbi([path], settings, 3, tmp_path)
    job = sbi_job(tmp_path, path)
    assert job.reads_objects
    estimator = job.load("cpu")
    store = EventStore.open(path)
    estimator.check(store.metadata, "here")
    batch = store.read(("event_id", *estimator.columns), accepted_only=True)
    found = estimator.estimate(batch)
    assert found.usable().all()
    assert estimator.facts()["backbone"] == "set_transformer"
    half = estimator.estimate(batch.filter(np.arange(len(batch)) < 150))
    np.testing.assert_allclose(half.ratios, found.ratios[:150], rtol=1e-4, atol=1e-5)
    inputs = inputs_of(batch, estimator.features, estimator.model.record.slots)
    turned = EventInputs(inputs.features, inputs.objects.copy())
    turned.objects[:, :5] = inputs.objects[:, 4::-1]
    np.testing.assert_allclose(estimator.model.targets(turned), estimator.model.targets(inputs), rtol=1e-4, atol=1e-5)
    shift = estimator.members(batch) - found.ratios
    np.testing.assert_allclose(np.einsum("mna,mnb->nab", shift, shift), found.covariance, rtol=1e-3, atol=1e-6)
    assert (estimator._pairing == np.arange(2)[:, None]).all(), "targets of a member share its network over objects"
