"""The whole assessment on posteriors that are known exactly."""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.unfolding.quality.gaussian_posterior import Posterior

from partonic.errors import EventFileError, NonFiniteError
from partonic.unfolding.quality import ClassifierSettings, EvaluatedEvents, QualityAccumulator, UnfoldingQuality

Maker = Callable[..., EvaluatedEvents]
EVENTS, SAMPLES = 2000, 49
QUICK = ClassifierSettings(folds=2, epochs=10)
AZIMUTHS = (4, 6)


def quality(make: Maker, model: Posterior, generator: torch.Generator) -> UnfoldingQuality:
    accumulator = QualityAccumulator("hard", AZIMUTHS, generator)
    for _ in range(2):
        accumulator.fill(make(EVENTS // 2, SAMPLES, model))
    return accumulator.result(QUICK)


def test_calibrated_posterior_passes_everything(make_events: Maker, torch_rng: torch.Generator) -> None:
    found = quality(make_events, Posterior(), torch_rng)
    assert (found.events, found.samples) == (EVENTS, SAMPLES)
    assert len(found.ranks) == 7 + 11
    assert len(found.distances) == len(found.ranks) + 2
    # The largest of 18 distances, of which many are independent.
    assert found.rank_ks_max.distance < 1.4 * found.rank_ks_max.distance_limit
    assert all(test.distance < 1.4 * test.distance_limit for test in found.distances)
    assert abs(found.coverage_68.value - 0.68) < 4 * found.coverage_68.error
    assert abs(found.coverage_95.value - 0.95) < 4 * found.coverage_95.error
    assert abs(found.classifier.value - 0.5) < 4 * found.classifier.error
    assert found.coverage_68.error < 0.011
    for group in found.by_multiplicity:
        assert abs(group.coverage_68.value - 0.68) < 4 * group.coverage_68.error
        assert abs(group.classifier.value - 0.5) < 4 * group.classifier.error
    assert [group.jets for group in found.by_multiplicity] == ["4", "5", "6", "7", "8 or more"]
    assert sum(group.events for group in found.by_multiplicity) == EVENTS


@pytest.mark.parametrize("model", [Posterior(scale=0.75), Posterior(scale=1.4), Posterior(shift=0.35)])
def test_wrong_posteriors_are_found_by_every_test(
    make_events: Maker, torch_rng: torch.Generator, model: Posterior
) -> None:
    calibrated, found = quality(make_events, Posterior(), torch_rng), quality(make_events, model, torch_rng)
    assert found.rank_ks_max.distance > 2 * found.rank_ks_max.distance_limit
    single, joint = found.distances[:-2], found.distances[-2:]
    assert max(test.distance for test in single) > 1.8 * single[0].distance_limit
    assert max(test.distance for test in joint) > 1.8 * joint[0].distance_limit
    assert found.density.distance > 1.5 * found.density.distance_limit
    assert abs(found.coverage_68.value - 0.68) > 4 * found.coverage_68.error
    assert found.classifier.value > 0.5 + 6 * found.classifier.error
    assert found.log_density.value < calibrated.log_density.value - 2 * found.log_density.error


def test_regression_and_boost_are_what_was_put_in(make_events: Maker, torch_rng: torch.Generator) -> None:
    events = make_events(3000, 9)
    accumulator = QualityAccumulator("hard", AZIMUTHS, torch_rng)
    exact = events.truth.momenta.sum(dim=1)[:, 3]
    tops_too_hard = events.truth.momenta.clone()
    tops_too_hard[:, 1, 1:3] *= 1.1
    accumulator.fill(dataclasses.replace(events, regressed=tops_too_hard, regressed_p_z=exact))
    found = accumulator.result(QUICK)
    for particle, expected in (("H", 0.0), ("t_had", 0.1), ("t_lep", 0.0)):
        for frame in ("lab", "cm"):
            bias = found.regression[f"pt {frame} {particle}"]
            known = np.isfinite(bias.median)
            assert known.sum() >= 3
            np.testing.assert_allclose(bias.median[known], expected, atol=1e-5)
    assert found.largest_regression_bias().value == pytest.approx(0.1, abs=1e-5)
    assert found.boost.correlations["regression"].coefficient == pytest.approx(1.0)
    # The sum of objects has 0.8 of the true p_z: perfectly correlated, but biased.
    assert found.boost.correlations["objects"].coefficient == pytest.approx(1.0)
    last = found.boost.biases["objects"].median
    assert np.nanmin(last) < -50.0 < 50.0 < np.nanmax(last)
    np.testing.assert_allclose(found.boost.biases["regression"].median[4:8], 0.0, atol=1e-2)


def test_result_does_not_depend_on_the_batches(make_events: Maker) -> None:
    events = make_events(200, 9)
    halves = [slice(0, 90), slice(90, 200)]
    results = []
    for parts in ([slice(None)], halves):
        accumulator = QualityAccumulator("hard", AZIMUTHS, torch.Generator().manual_seed(0))
        for part in parts:
            accumulator.fill(_part(events, part))
        results.append(accumulator.result(QUICK))
    for name in ("regression", "sampled"):
        for key, bias in getattr(results[0], name).items():
            np.testing.assert_allclose(bias.mean, getattr(results[1], name)[key].mean, rtol=1e-6)
    assert [test.distance for test in results[0].ranks] == [test.distance for test in results[1].ranks]


def _part(events: EvaluatedEvents, part: slice) -> EvaluatedEvents:
    def cut(value: object) -> object:
        if isinstance(value, torch.Tensor):
            return value[part]
        return dataclasses.replace(value, **{f.name: cut(getattr(value, f.name)) for f in dataclasses.fields(value)})

    return cut(events)


def test_record_is_json(make_events: Maker, torch_rng: torch.Generator) -> None:
    accumulator = QualityAccumulator("hard", AZIMUTHS, torch_rng)
    accumulator.fill(make_events(60, 9))
    record = json.loads(json.dumps(accumulator.result(QUICK).record(), allow_nan=False))
    assert record["events"] == 60
    assert record["regression"]["pt lab H"]["median"][-1] is None
    assert record["coverage_68"]["error"] == pytest.approx(np.sqrt(0.68 * 0.32 / 60))


def test_bad_input_is_refused(make_events: Maker, torch_rng: torch.Generator) -> None:
    accumulator = QualityAccumulator("hard", AZIMUTHS, torch_rng)
    events = make_events(20, 9)
    events.samples.log_density[7, 2] = float("nan")
    with pytest.raises(NonFiniteError, match=r"log q of the samples: 1 of 20 events .* row 7"):
        accumulator.fill(events)
    accumulator.fill(make_events(20, 9))
    with pytest.raises(ValueError, match="must have 9 samples per event, got 8"):
        accumulator.fill(make_events(20, 8))
    with pytest.raises(EventFileError, match=r"needs 50 or more selected events .* got 20"):
        accumulator.result()
