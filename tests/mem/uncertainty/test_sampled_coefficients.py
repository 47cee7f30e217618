"""Integrals of other networks at the points of one, against closed forms, and what they cost."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tests.mem.toys import LinearGaussian, config_of, ingredients_of

from partonic.errors import ModelError
from partonic.events.batch import RecoEvents
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.importance_sampling import EventIntegrator
from partonic.mem.uncertainty.weight_draws import drawn_ingredients, facts_of_weights
from partonic.nn.bayesian.posterior import GaussianPosterior

DIMENSIONS = 3


@dataclass
class Uncertain(LinearGaussian):
    """The toy with noise of another size in each draw; it counts the points that it and its draws are asked for."""

    posterior: GaussianPosterior | None = None
    scales: tuple[float, ...] = ()
    evaluated: int = 0
    parent: "Uncertain | None" = None

    def drawn(self, number: int) -> "Uncertain":
        return Uncertain(self.dimensions, self.seed, scale=self.scales[number], parent=self)

    def log_density(self, x: RecoEvents, momenta: torch.Tensor) -> torch.Tensor:
        counter = self if self.parent is None else self.parent
        counter.evaluated += momenta.shape[0] * momenta.shape[1]
        return super().log_density(x, momenta)


def integrate(
    scales: tuple[float, ...], events: int, points: int, kept: int
) -> tuple[EventCoefficients, Uncertain, RecoEvents]:
    toy = LinearGaussian(DIMENSIONS)
    transfer = Uncertain(DIMENSIONS, posterior=GaussianPosterior(1, {}), scales=scales)
    config = config_of(points=points, weight_samples=len(scales), weight_sample_points=kept)
    reco = toy.events(events)
    found = EventIntegrator(ingredients_of(toy, transfer=transfer), config, 5).integrate(reco, np.arange(events))
    return found, transfer, reco


def test_each_set_of_weights_has_its_own_integral() -> None:
    """Ratios and log P_0 of toys with other noise, with 300 of 3000 points."""
    scales = (0.5, 0.6, 0.75)
    found, transfer, reco = integrate(scales, 200, 3000, 300)
    for number in range(len(scales)):
        of_sample = found.sample(number)
        log_reference, ratios = transfer.drawn(number).truth(reco)
        difference = (of_sample.ratios - ratios)[:, 1:]
        error = difference.std(axis=0) / np.sqrt(len(reco))
        assert np.all(np.abs(difference.mean(axis=0)) < 4.5 * error + 0.01 * ratios[:, 1:].std(axis=0))
        assert np.all(difference.std(axis=0) < 0.3 * ratios[:, 1:].std(axis=0))
        shift = of_sample.log_reference - log_reference
        assert abs(np.median(shift)) < 0.05
        assert shift.std() < 0.25
    same = found.sample(1)  # the very network of the integral: all noise is common
    np.testing.assert_allclose(same.ratios, found.ratios, rtol=1e-12)
    np.testing.assert_allclose(same.log_reference, found.log_reference, rtol=1e-12)


def test_sets_of_weights_change_nothing_else_and_cost_a_part() -> None:
    """Ten sets at 100 of 2000 points: half as many evaluations again, and those of the trained weights once more."""
    toy = LinearGaussian(DIMENSIONS)
    found, transfer, reco = integrate((0.55,) * 10, 20, 2000, 100)
    plain = EventIntegrator(ingredients_of(toy), config_of(points=2000), 5).integrate(reco, np.arange(20))
    np.testing.assert_array_equal(found.ratios, plain.ratios)
    np.testing.assert_array_equal(found.covariance, plain.covariance)
    assert transfer.evaluated == 20 * (2000 + 11 * 100)
    assert found.samples is not None
    assert found.samples.count == 10
    assert float(np.abs(found.samples.ratios.std(axis=1)).max()) < 1e-12  # sets that are equal
    assert float(np.median(found.diagnostics.columns["sample_effective_size"])) > 30.0


def test_noise_of_the_points_is_told() -> None:
    shares = []
    for kept in (50, 400):
        found, _, _ = integrate((0.5, 0.7), 100, 2000, kept)
        shares.append(float(np.median(found.diagnostics.columns["sample_noise_share"])))
    assert shares[1] < 0.5 * shares[0]


def test_point_models_have_no_sets_of_weights() -> None:
    made_of = ingredients_of(LinearGaussian(DIMENSIONS))
    assert drawn_ingredients(made_of, 0) == ()
    with pytest.raises(ModelError, match=r"10 sets of weights, but transfer function and acceptance are point models"):
        drawn_ingredients(made_of, 10)
    assert facts_of_weights(made_of, 0)["weights"] == {"transfer": "trained weights", "acceptance": "trained weights"}


def test_a_model_with_uncertainty_says_that_its_means_are_used() -> None:
    toy = Uncertain(DIMENSIONS, posterior=GaussianPosterior(1, {}), scales=(0.5, 0.6))
    made_of = ingredients_of(LinearGaussian(DIMENSIONS), transfer=toy)
    assert facts_of_weights(made_of, 0)["weights"]["transfer"] == "means of Gaussian weights (mean_field)"
    drawn = drawn_ingredients(made_of, 2)
    assert [each.transfer.scale for each in drawn] == [0.5, 0.6]
    assert all(each.acceptance is made_of.acceptance for each in drawn)
