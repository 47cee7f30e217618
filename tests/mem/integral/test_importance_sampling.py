"""The integrals against closed forms: pulls, invariance, statuses, and independence of batches and chunks."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tests.mem.toys import (
    LinearGaussian,
    LogitView,
    NormalView,
    PlainProposal,
    PosteriorProposal,
    TwoInitialStates,
    config_of,
    ingredients_of,
)  # fmt: skip
from torch import Tensor

from partonic.config.mem import BaseConfig, DominatedConfig, MemConfig, PointsConfig
from partonic.errors import ConfigError, NonFiniteError
from partonic.events.batch import RecoEvents
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.importance_sampling import Convergence, EventIntegrator, round_sizes
from partonic.mem.proposal.uniform import UniformProposal
from partonic.mem.protocols import LatentProposal, PartonMap, Proposal
from partonic.physics.process import Channel


def integrate(toy: LinearGaussian, events: int, config: MemConfig, seed: int = 5, **changes: object):
    reco = toy.events(events)
    integrator = EventIntegrator(ingredients_of(toy, **changes), config, seed)
    return integrator.integrate(reco, np.arange(events)), *toy.truth(reco)


def pulls(found: EventCoefficients, log_reference: np.ndarray, ratios: np.ndarray) -> dict[str, np.ndarray]:
    """(estimate − truth)/error of P_0 and of each ratio."""
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    pulled = {"P_0": np.expm1(found.log_reference - log_reference) / found.relative_error}
    # the estimate itself is in the denominator of its relative error
    pulled["P_0"] *= np.exp(log_reference - found.log_reference)
    for a, name in enumerate(found.monomials.names[1:], start=1):
        pulled[name] = (found.ratios - ratios)[:, a] / errors[:, a]
    return pulled


def check_pulls(pulled: dict[str, np.ndarray]) -> None:
    for name, values in pulled.items():
        n = len(values)
        assert abs(values.mean()) < 4.5 / math.sqrt(n), name
        # the variance of a variance of normal numbers is 2/n; the error itself fluctuates too
        assert abs(values.var() - 1.0) < 4.5 * math.sqrt(2.0 / n) + 0.05, name


def test_the_toys_satisfy_the_protocols() -> None:
    proposal = PosteriorProposal(LinearGaussian(3), NormalView(3))
    assert isinstance(proposal, LatentProposal)
    assert isinstance(NormalView(3), PartonMap)
    assert isinstance(PlainProposal(proposal), Proposal)
    assert not isinstance(PlainProposal(proposal), LatentProposal)


@pytest.mark.parametrize("base", ["gaussian", "defensive", "fitted", "sobol", "vegas"])
def test_pulls_are_standard_normal(base: str) -> None:
    toy = LinearGaussian(3)
    found, *truth = integrate(toy, 1000, config_of(base, points=2048))
    assert set(found.status) == {"ok"}
    assert np.median(found.relative_error) < 0.03
    check_pulls(pulls(found, *truth))


def test_initial_states_are_told_apart() -> None:
    """Of two initial states, each with dσ/dz and p_T of its own, the integral is the sum of both closed forms."""
    both, first = TwoInitialStates(3), LinearGaussian(3)
    reco = first.events(400)
    parts = {"process": both, "transfer": both, "initial_state": both}
    proposal = PosteriorProposal(first, NormalView(3), width=2.0)
    ingredients = ingredients_of(first, proposal, **parts)
    found = EventIntegrator(ingredients, config_of("fitted", points=2048), 5).integrate(reco, np.arange(400))
    assert np.median(found.relative_error) < 0.05
    check_pulls(pulls(found, *both.truth(reco)))
    mixture = EventIntegrator(dataclasses.replace(ingredients, initial_state=None), config_of("fitted"), 5)
    unaware = mixture.integrate(reco, np.arange(400))
    assert np.abs(unaware.log_reference - both.truth(reco)[0]).mean() > 0.1, "the mixture of another θ does not do"


def test_a_process_without_channels_cannot_tell_initial_states_apart() -> None:
    with pytest.raises(ConfigError, match=r"'toy' does not tell its initial states apart"):
        ingredients_of(LinearGaussian(3), initial_state=TwoInitialStates(3))


def test_initial_states_that_the_network_does_not_know() -> None:
    both, other = TwoInitialStates(3), TwoInitialStates(3)
    other.channels = (*both.channels, Channel((21, 2), ()))
    with pytest.raises(ConfigError, match="has the initial states gg, qg, qq, but the network knows gg, qq: train"):
        ingredients_of(LinearGaussian(3), process=other, transfer=both, initial_state=both)


def test_a_ratio_that_is_no_number_is_refused() -> None:
    both, first = TwoInitialStates(3), LinearGaussian(3)
    both.log_shares = torch.tensor([torch.nan, 0.0], dtype=torch.float64)
    ingredients = ingredients_of(first, process=both, transfer=first, initial_state=both)
    with pytest.raises(NonFiniteError, match="the logarithm of the ratio of an initial state to all is nan at"):
        EventIntegrator(ingredients, config_of(), 1).integrate(first.events(3), np.arange(3))


@pytest.mark.parametrize("dimensions", [1, 5, 8])
def test_pulls_in_other_dimensions(dimensions: int) -> None:
    toy = LinearGaussian(dimensions, seed=dimensions)
    found, *truth = integrate(toy, 300, config_of("defensive", points=2000))
    assert np.median(found.relative_error) < 0.05
    check_pulls(pulls(found, *truth))


def test_uniform_points_with_a_vegas_grid() -> None:
    """The classical way: no proposal at all."""
    toy = LinearGaussian(2)
    config = MemConfig(
        base=BaseConfig(kind="vegas", bins=24, iterations=6, iteration_points=1000, damping=0.8),
        points=PointsConfig(first=2000, maximum=2000),
    )
    found, *truth = integrate(toy, 100, config, proposal=UniformProposal(NormalView(2)))
    assert np.median(found.relative_error) < 0.03
    check_pulls(pulls(found, *truth))
    plain = config.model_copy(update={"base": BaseConfig(kind="gaussian"), "points": PointsConfig(maximum=8000)})
    assert np.median(integrate(toy, 20, plain, proposal=UniformProposal(NormalView(2)))[0].relative_error) > 0.03


def test_other_coordinates_of_the_partons_give_the_same_integrals() -> None:
    toy = LinearGaussian(3)
    both = []
    for view, seed in ((NormalView(3), 1), (LogitView(3), 2)):
        both.append(integrate(toy, 200, config_of(points=2000), seed, proposal=PosteriorProposal(toy, view))[0])
    difference = both[0].log_reference - both[1].log_reference
    error = np.hypot(both[0].relative_error, both[1].relative_error)
    assert error.max() < 0.06
    assert abs((difference / error).mean()) < 4.0 / math.sqrt(200)
    assert (difference / error).std() == pytest.approx(1.0, abs=0.2)
    assert np.abs(both[0].ratios - both[1].ratios).max() < 0.5


def test_a_plain_proposal_is_asked_for_its_own_samples() -> None:
    toy = LinearGaussian(3)
    plain = PlainProposal(PosteriorProposal(toy, NormalView(3)))
    found, *truth = integrate(toy, 200, config_of(points=1000), proposal=plain)
    check_pulls(pulls(found, *truth))
    with pytest.raises(ConfigError, match=r"'defensive'.*PlainProposal is none: set mem\.base\.kind to gaussian"):
        integrate(toy, 2, config_of("defensive"), proposal=plain)


@pytest.mark.parametrize("base", ["gaussian", "defensive", "fitted", "sobol", "vegas"])
def test_neither_batches_nor_chunks_change_an_event(base: str) -> None:
    toy = LinearGaussian(3)
    reco, config = toy.events(7), config_of(base, points=2000)
    whole = EventIntegrator(ingredients_of(toy), config, 5).integrate(reco, np.arange(7))
    small = config.model_copy(update={"points": config.points.model_copy(update={"at_once": 64})})
    parts = [
        EventIntegrator(ingredients_of(toy), small, 5).integrate(reco.select(torch.arange(a, b)), np.arange(a, b))
        for a, b in ((0, 3), (3, 7))
    ]
    joined = EventCoefficients.concatenate(parts)
    np.testing.assert_allclose(joined.log_reference, whole.log_reference, rtol=1e-9)
    np.testing.assert_allclose(joined.ratios, whole.ratios, rtol=1e-9)
    np.testing.assert_allclose(joined.covariance, whole.covariance, rtol=1e-6, atol=1e-12)
    other = EventIntegrator(ingredients_of(toy), config, 6).integrate(reco, np.arange(7))
    assert (other.log_reference != whole.log_reference).all()


def test_points_are_added_until_the_error_is_small() -> None:
    toy = LinearGaussian(3)
    points = PointsConfig(first=100, maximum=20_000, relative_error=0.02)
    history: list[Convergence] = []
    reco = toy.events(100)
    integrator = EventIntegrator(ingredients_of(toy), MemConfig(base=BaseConfig(kind="gaussian"), points=points), 5)
    found = integrator.integrate(reco, np.arange(100), history)
    assert (found.relative_error <= 0.02).all()
    assert len(set(found.diagnostics.columns["points"])) > 1
    assert found.diagnostics.columns["points"].max() < 20_000
    assert [int(state.points.max()) for state in history] == [100 * 2**k for k in range(len(history))]
    still = history[-2].points > history[-3].points
    assert (history[-2].relative_error[~still] <= 0.02).all()
    np.testing.assert_array_equal(history[-1].log_reference, found.log_reference)
    truth, _ = toy.truth(reco)
    assert np.abs(found.log_reference - truth).max() < 5 * 0.02


def test_error_of_the_ratios_can_be_the_target() -> None:
    toy = LinearGaussian(3)
    points = PointsConfig(first=100, maximum=50_000, relative_error=0.03, target="ratios")
    found, _, ratios = integrate(toy, 50, MemConfig(base=BaseConfig(kind="gaussian"), points=points))
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))[:, 1:]
    # scale: ⟨(c_a/c_0)²⟩ ≥ R_a²
    assert (errors <= 0.03 * 3 * np.maximum(np.abs(ratios[:, 1:]), 1.0)).all()
    assert found.diagnostics.columns["points"].max() < 50_000


@pytest.mark.parametrize(
    ("points", "block", "sizes"),
    [
        (PointsConfig(first=1000, maximum=10_000), 1, (1000, 1000, 2000, 4000, 2000)),
        (PointsConfig(first=50, maximum=50), 1, (50,)),
        (PointsConfig(first=100, maximum=1000), 32, (256, 256, 480)),
    ],
)
def test_sizes_of_the_rounds(points: PointsConfig, block: int, sizes: tuple[int, ...]) -> None:
    assert round_sizes(points, block) == sizes


def test_branching_fraction_multiplies_all() -> None:
    toy = LinearGaussian(2)
    whole, *_ = integrate(toy, 5, config_of())
    part, *_ = integrate(toy, 5, config_of(), branching_fraction=0.25)
    np.testing.assert_allclose(part.log_reference, whole.log_reference + math.log(0.25), rtol=1e-12)
    np.testing.assert_array_equal(part.ratios, whole.ratios)


@dataclasses.dataclass
class Cut:
    """A transfer function and acceptance that vanish for some events or everywhere, or are NaN."""

    toy: LinearGaussian
    transfer: float | None = None
    acceptance: float | None = None
    of_event: int = 1

    def log_density(self, x: RecoEvents, momenta: Tensor) -> Tensor:
        values = self.toy.log_density(x, momenta)
        is_it = (x.jets[:, 0, 0] == self.toy.events(4).jets[self.of_event, 0, 0])[:, None]
        return values if self.transfer is None else torch.where(is_it, self.transfer, values)

    def log_probability(self, momenta: Tensor) -> Tensor:
        values = self.toy.log_probability(momenta)
        return values if self.acceptance is None else torch.full_like(values, self.acceptance)


def test_zero_acceptance() -> None:
    toy = LinearGaussian(2)
    found, *_ = integrate(toy, 4, config_of(), acceptance=Cut(toy, acceptance=-math.inf))
    assert found.status == ("zero acceptance",) * 4
    assert np.isnan(found.ratios).all()
    assert (found.diagnostics.columns["effective_sample_size"] == 0).all()


def test_transfer_function_vanishes_for_one_event() -> None:
    toy = LinearGaussian(2)
    found, log_reference, _ = integrate(toy, 4, config_of(), transfer=Cut(toy, transfer=-math.inf))
    assert found.status == ("ok", "outside the support of the transfer function", "ok", "ok")
    assert np.isnan(found.log_reference[1])
    np.testing.assert_allclose(found.log_reference[[0, 2, 3]], log_reference[[0, 2, 3]], atol=0.3)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_factor_that_is_no_number_stops_with_the_event(value: float) -> None:
    toy = LinearGaussian(2)
    with pytest.raises(NonFiniteError, match=r"logarithm of the transfer function is (nan|inf) at .* first of event 1"):
        integrate(toy, 4, config_of(), transfer=Cut(toy, transfer=value))
    with pytest.raises(NonFiniteError, match=r"logarithm of the acceptance is (nan|inf) at .* first of event 0"):
        integrate(toy, 4, config_of(), acceptance=Cut(toy, acceptance=value))


class Awkward(PosteriorProposal):
    """Event 1 lies outside of the cube, event 2 cannot be handled, half the points of event 3 are outside."""

    def transport(self, x: RecoEvents, noise: Tensor) -> tuple[Tensor, Tensor]:
        numbers, log_slope = super().transport(x, noise)
        for place, event in enumerate(self.toy.x(x)[:, 0].tolist()):
            number = self.toy.x(self.toy.events(4))[:, 0].tolist().index(event)
            if number == 1:
                numbers[place] += 1.0
            if number == 2:
                numbers[place] = math.nan
            if number == 3:
                log_slope[place, noise[place, :, 0] > 0.0] = torch.inf
        return numbers, log_slope


def test_support_of_the_proposal() -> None:
    toy = LinearGaussian(2)
    found, log_reference, _ = integrate(toy, 4, config_of(), proposal=Awkward(toy, NormalView(2)))
    assert found.status == (
        "ok", "outside the support of the proposal", "the proposal gave a number that is not finite", "ok"
    )  # fmt: skip
    assert found.log_reference[3] < log_reference[3] - 0.3
    assert found.diagnostics.columns["points"].tolist() == [1000, 1000, 0, 1000]


class StatesIt(PosteriorProposal):
    def status(self, x: RecoEvents) -> tuple[str, ...]:
        return ("ok", "no lepton", *["ok"] * (len(x) - 2))


def test_proposal_says_what_is_wrong_with_an_event() -> None:
    toy = LinearGaussian(2)
    found, *_ = integrate(toy, 3, config_of(), proposal=StatesIt(toy, NormalView(2)))
    assert found.status == ("ok", "no lepton", "ok")


class Vanishing(LinearGaussian):
    sign = 0.0

    def coefficients(self, events):
        values = super().coefficients(events)
        values[:, 0] *= self.sign
        return values


class Negative(Vanishing):
    sign = -1.0


def test_reference_that_vanishes_or_is_negative() -> None:
    for kind, status in ((Vanishing, "all weights are zero"), (Negative, "P_0 is not positive")):
        found, *_ = integrate(LinearGaussian(2), 2, config_of(), process=kind(2))
        assert found.status == (status,) * 2


def test_all_weights_zero() -> None:
    """Nowhere are transfer function and acceptance positive together."""

    class Right(LinearGaussian):
        def log_probability(self, momenta: Tensor) -> Tensor:
            return torch.where(momenta[:, 0, 0] > 0.0, 0.0, -math.inf).double()

        def log_density(self, x: RecoEvents, momenta: Tensor) -> Tensor:
            return torch.where(momenta[..., 0, 0] < 0.0, super().log_density(x, momenta), -math.inf)

    toy = Right(1, scale=2.0)
    found, *_ = integrate(toy, 2, config_of(points=4000), proposal=UniformProposal(NormalView(1)))
    assert found.status == ("all weights are zero",) * 2


class Narrow(PosteriorProposal):
    def __init__(self, toy: LinearGaussian) -> None:
        super().__init__(toy, NormalView(toy.dimensions), width=0.3, offset=0.0)


@pytest.mark.parametrize("policy", ["flag", "exclude"])
def test_dominated_integrals(policy: str) -> None:
    """A proposal that is far too narrow: a few points in its tail carry all."""
    toy = LinearGaussian(6)
    config = config_of(dominated=DominatedConfig(limit=0.3, policy=policy))
    found, *_ = integrate(toy, 40, config, proposal=Narrow(toy))
    dominated = found.diagnostics.columns["largest_weight_share"] > 0.3
    assert 5 < dominated.sum() < 40
    excluded = np.array([word == "dominated by one point" for word in found.status])
    np.testing.assert_array_equal(excluded, dominated if policy == "exclude" else np.zeros(40, dtype=bool))
    assert (found.diagnostics.columns["effective_sample_size"][dominated] < 12).all()
    wide = integrate(
        toy, 40, config.model_copy(update={"base": BaseConfig(wider=4.0, share=0.3)}), proposal=Narrow(toy)
    )
    assert (
        wide[0].diagnostics.columns["largest_weight_share"] > 0.3
    ).sum() < dominated.sum() / 2  # what the defensive mixture is for


def test_seconds_are_counted() -> None:
    toy = LinearGaussian(2)
    integrator = EventIntegrator(ingredients_of(toy), config_of(), 1)
    integrator.integrate(toy.events(3), np.arange(3))
    seconds = integrator.integrand.seconds
    assert seconds.pop("initial_state") == 0.0, "there is nothing that tells initial states apart"
    assert set(seconds) == {"proposal", "partons", "transfer", "acceptance", "matrix_element"}
    assert min(seconds.values()) > 0.0
