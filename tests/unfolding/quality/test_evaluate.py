"""A model with the exact density of toy events passes; events that cannot be used are left out and counted."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.unfolding.toys import HARD, WITH_ISR, write_store

from partonic.errors import EventFileError, NonFiniteError
from partonic.events.store import EventStore
from partonic.features.event_status import event_status
from partonic.unfolding.partons import PartonSamples, RegressedPartons
from partonic.unfolding.quality.classifier import ClassifierSettings
from partonic.unfolding.quality.evaluate import EvaluationSettings, _different, evaluate_unfolding

LOW, HIGH = 0.2, 0.8
"""The toy events fill this part of the unit cube evenly, whatever is reconstructed."""

QUICK = EvaluationSettings(
    events=10_000, samples=30, batch_events=100, single_events=2, single_samples=200,
    classifier=ClassifierSettings(folds=2, epochs=3),
)  # fmt: skip


class UniformModel:
    """Samples uniformly between two numbers, in every dimension."""

    def __init__(self, view=HARD, low=LOW, high=HIGH):
        self.view, self.low, self.high = view, low, high

    def sample(self, reco, samples, generator, precision="float32"):
        shape = (len(reco), samples, self.view.dimensions)
        chance = torch.rand(shape, generator=generator, dtype=torch.float64)
        numbers = self.low + (self.high - self.low) * chance
        partons, _ = self.view.partons(numbers.flatten(0, 1))
        x1, x2 = (values.unflatten(0, shape[:2]) for values in (partons.x1, partons.x2))
        momenta = partons.momenta.unflatten(0, shape[:2])
        return PartonSamples(momenta, x1, x2, numbers, self.log_density(reco, numbers), event_status(reco))

    def log_density(self, reco, numbers):
        inside = ((numbers >= self.low) & (numbers <= self.high)).all(dim=-1)
        return torch.where(inside, -self.view.dimensions * math.log(self.high - self.low), -math.inf)

    def regress(self, reco):
        partons, _ = self.view.partons(torch.full((len(reco), self.view.dimensions), 0.45, dtype=torch.float64))
        p_z = partons.momenta.sum(dim=1)[:, 3]
        return RegressedPartons(partons.momenta, partons.x1, partons.x2, p_z, event_status(reco))


@pytest.mark.parametrize("view", [HARD, WITH_ISR], ids=["hard", "with_isr"])
def test_exact_density_passes(tmp_path: Path, view) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 1000, seed=3, faults=True))
    found = evaluate_unfolding(UniformModel(view), store, QUICK, seed=5)
    assert (found.view, found.events, found.unusable, found.samples) == (view.name, 797, 3, 30)
    assert found.rank_ks_max.distance < 1.5 * found.rank_ks_max.distance_limit
    assert max(test.distance for test in found.distances) < 1.5 * found.rank_ks_max.distance_limit
    assert abs(found.coverage_68.value - 0.68) < 4 * found.coverage_68.error
    assert abs(found.coverage_95.value - 0.95) < 4 * found.coverage_95.error
    if view is WITH_ISR:  # whose toy partons have nothing to do with the jets
        assert abs(found.classifier.value - 0.5) < 4 * found.classifier.error
    else:  # the distribution of all events passes the other tests; that the jets were not looked at is seen by this one
        assert found.classifier.value > 0.5 + 4 * found.classifier.error
    assert found.log_density.value == pytest.approx(-view.dimensions * math.log(0.6))
    truth, samples = (found.spectra["sqrt_s"].shares[name] for name in ("truth", "samples"))
    error = np.hypot(*(found.spectra["sqrt_s"].errors[name] for name in ("truth", "samples")))
    assert (np.abs(truth - samples) < 4.5 * error + 1e-12).all()


def test_single_events_hold_the_truth_of_their_event(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 100))
    found = evaluate_unfolding(UniformModel(), store, QUICK, seed=5)
    first, second = found.single_events
    assert (first.event, second.event, first.jets) == (0, 1, 6)
    assert first.samples.shape == (200, 3, 3)
    truth = HARD.truth(store.read(["partons", "x1", "x2", "hadronic_top"], selected_only=True)).momenta[0]
    assert first.truth[0, 0] == pytest.approx(float(truth[0, 1:3].norm()))
    summary = first.summary()
    assert summary["samples"] == 200
    low, middle, high = summary["particles"]["H"]["pt"]["quantiles"]
    assert low < middle < high


def test_number_of_events_is_kept_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 300))
    few = EvaluationSettings(events=130, samples=10, batch_events=50, single_events=0, classifier=QUICK.classifier)
    records = [evaluate_unfolding(UniformModel(), store, few, seed=7).record() for _ in range(2)]
    assert records[0]["events"] == 130
    assert records[0] == records[1]


def test_truth_without_density_is_an_error_and_few_events_are_refused(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 100))
    with pytest.raises(NonFiniteError, match="log q of the truth"):
        evaluate_unfolding(UniformModel(high=0.5), store, QUICK, seed=1)
    few = EventStore.open(write_store(tmp_path / "few.parquet", 40))
    with pytest.raises(EventFileError, match="needs 50 or more"):
        evaluate_unfolding(UniformModel(), few, QUICK, seed=1)


def test_events_of_all_multiplicities_are_chosen_by_turns() -> None:
    assert _different([5, 4, 5, 6, 4], 4) == [1, 0, 3, 4]
    assert _different([5], 3) == [0]
    assert _different([], 3) == []
