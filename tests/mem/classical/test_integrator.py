"""The classical integral of an event: symmetries, errors, statuses, and reproducible numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mem.classical.toys import MASSLESS_TTBB, TTBB, ToyProcess, reco, transfer
from partonic.errors import ConfigError, NonFiniteError, ParameterError, ProcessError
from partonic.events.batch import RecoEvents
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.integrator import ClassicalIntegrator, EventIntegral, as_coefficients
from partonic.mem.classical.options import ClassicalOptions
from partonic.physics.particles import HIGGS, TOP
from partonic.physics.process import PartonEvents

ONE = np.array([7], dtype=np.int64)
ALL = ClassicalOptions(
    points=6000, adaptation_points=100, adaptation_iterations=2, pilot_points=60, max_lost=0, max_assignments=200,
    neglected_share=0.001,
)  # fmt: skip
FEW = ClassicalOptions(points=3000, adaptation_iterations=3, max_lost=0, max_assignments=6)


def integrator(options: ClassicalOptions = FEW, process: ToyProcess | None = None) -> ClassicalIntegrator:
    return ClassicalIntegrator(TopPairHypothesis(process or ToyProcess()), transfer(), options)


def one(event: RecoEvents, options: ClassicalOptions = FEW, process: ToyProcess | None = None) -> EventIntegral:
    return integrator(options, process).integrals(event, ONE, 3)[0]


def agree(first: EventIntegral, second: EventIntegral, largest_error: float) -> None:
    """The integrals agree within their errors, which are small."""
    for index in range(3):
        error = np.sqrt(first.covariance[index, index] + second.covariance[index, index])
        assert error < largest_error * first.values[index]
        assert abs(first.values[index] - second.values[index]) < 4.0 * error


def test_relabelling_the_jets_changes_nothing() -> None:
    """The sum over all assignments does not know in which order the jets are listed."""
    agree(one(reco(), ALL), one(reco((4, 2, 0, 5, 3, 1)), ALL), 0.15)


def test_rotating_about_the_beam_changes_nothing() -> None:
    event = reco()
    jets, leptons, met = event.jets.clone(), event.leptons.clone(), event.met.clone()
    jets[..., 2] += 1.0
    leptons[..., 2] += 1.0
    met[..., 1] += 1.0
    agree(one(event), one(replace(event, jets=jets, leptons=leptons, met=met)), 0.15)


def test_charge_of_the_lepton_exchanges_the_tops() -> None:
    """The toy does not tell t from t̄, so the integral is the same."""
    agree(one(reco(lepton_pdg=13)), one(reco(lepton_pdg=-13)), 0.15)


def test_more_points_smaller_error() -> None:
    few, many = one(reco()), one(reco(), replace(FEW, points=27_000))
    ratio = np.sqrt(few.covariance[0, 0] / many.covariance[0, 0])
    assert 2.0 < ratio < 4.5
    agree(few, many, 0.2)


def test_what_is_left_out_is_told() -> None:
    """The share that is neglected, and how many assignments were taken."""
    few = one(reco(), replace(FEW, max_assignments=2))
    assert few.assignments == 2
    assert 0.0 < few.neglected < 1.0


def test_lost_quarks_are_integrated_over() -> None:
    """With four jets, two quarks must be lost; with all six, losing some adds a little."""
    four = one(reco((0, 1, 2, 5)), replace(FEW, max_lost=2))
    assert four.status == "ok"
    assert four.values[0] > 0.0
    assert one(reco((0, 1, 2, 5)), FEW).status == "4 jets, expected 6 or more"


def test_pair_without_resonance() -> None:
    """t t̄ b b̄: one free number more, and the mass of the b quark matters little."""
    massive, massless = (one(reco(), replace(FEW, points=8000), process) for process in (TTBB, MASSLESS_TTBB))
    assert massive.status == massless.status == "ok"
    assert massive.values[0] == pytest.approx(massless.values[0], rel=0.25)


def test_coefficients_with_covariance() -> None:
    coefficients = integrator().integrate(reco(), ONE, 3)
    assert coefficients.source == "classical"
    assert coefficients.status == ("ok",)
    assert coefficients.ratios[0, 0] == 1.0
    assert np.allclose(coefficients.covariance[0, 0], 0.0, atol=1e-12)
    assert (np.diag(coefficients.covariance[0]) >= 0.0).all()
    # The errors of numerator and denominator cancel in part.
    relative = np.sqrt(coefficients.covariance[0, 1, 1]) / coefficients.ratios[0, 1]
    assert 0.0 < relative < coefficients.relative_error[0] < 0.15
    assert (
        0.0
        < coefficients.diagnostics.columns["largest_weight_share"][0]
        < 1.0
        < coefficients.diagnostics.columns["effective_sample_size"][0]
    )
    assert coefficients.diagnostics.columns["points"][0] > FEW.points


def test_error_of_a_ratio_is_that_of_repetitions() -> None:
    machine = integrator(replace(FEW, points=1000, adaptation_points=100, adaptation_iterations=2, max_assignments=1))
    repeated = [machine.integrate(reco(), ONE, seed) for seed in range(30)]
    spread = np.std([c.ratios[0, 1] for c in repeated], ddof=1)
    claimed = np.sqrt(np.mean([c.covariance[0, 1, 1] for c in repeated]))
    assert claimed == pytest.approx(spread, rel=0.5)  # 30 repetitions know it to 13%


def test_numbers_depend_on_seed_and_event_alone() -> None:
    alone = integrator().integrate(reco(), ONE, 3)
    both = RecoEvents(**{name: torch.cat([value, value]) for name, value in vars(reco()).items()})
    with_other = integrator().integrate(both, np.array([5, 7], dtype=np.int64), 3)
    assert with_other.ratios[1, 1] == alone.ratios[0, 1]
    assert with_other.ratios[0, 1] != alone.ratios[0, 1]


def test_events_that_cannot_be_integrated_say_why() -> None:
    event = reco()
    no_lepton = replace(event, lepton_mask=torch.zeros((1, 1), dtype=torch.bool))
    broken = replace(event, met=torch.full((1, 2), torch.nan))
    far = event.jets.clone()
    far[0, :2, 1] = 2.0  # two b jets at one place have no mass
    far[0, :2, 2] = 1.0
    cases = {"0 leptons, expected 1": no_lepton, "an object is not finite": broken}
    for status, case in cases.items():
        coefficients = integrator().integrate(case, ONE, 3)
        assert coefficients.status == (status,)
        assert np.isnan(coefficients.ratios).all()
        assert coefficients.diagnostics.columns["points"][0] == 0


def test_impossible_masses_say_so() -> None:
    """All jets in one direction have no masses."""
    event = reco()
    jets = event.jets.clone()
    jets[0, :, 1] = 0.5 + 1e-3 * torch.arange(6)
    jets[0, :, 2] = 0.1
    assert one(replace(event, jets=jets)).status == "no assignment of jets to quarks is kinematically possible"


class Broken(ToyProcess):
    def coefficients(self, events: PartonEvents) -> torch.Tensor:
        raise NonFiniteError("dσ/dz is not finite")  # noqa: EM101


def test_an_amplitude_that_fails_costs_one_event() -> None:
    result = one(reco(), process=Broken())
    assert result.status == "dσ/dz is not finite"
    assert np.isnan(result.values).all()


def test_numbers_of_events_must_fit() -> None:
    with pytest.raises(ParameterError, match="expected one number for each of 1 events, got 2"):
        integrator().integrate(reco(), np.array([1, 2], dtype=np.int64), 3)


def test_empty_sample() -> None:
    nothing = RecoEvents(**{name: value[:0] for name, value in vars(reco()).items()})
    assert len(integrator().integrate(nothing, np.zeros(0, dtype=np.int64), 3)) == 0


def test_other_final_states_are_refused() -> None:
    with pytest.raises(ProcessError, match="final states H t t̄ and t t̄ b b̄"):
        TopPairHypothesis(ToyProcess((HIGGS, HIGGS, TOP, TOP.antiparticle)))


def test_options_must_make_sense() -> None:
    with pytest.raises(ConfigError, match="at most 2 lost quarks"):
        ClassicalOptions(max_lost=3)
    with pytest.raises(ConfigError, match="max_jets must be 4 or more"):
        ClassicalOptions(max_jets=3)


def test_coefficients_of_integrals() -> None:
    """Ratios and their covariance by hand: independent errors of 10% and 20%."""
    integral = EventIntegral("ok", np.array([2.0, 4.0, 0.0]), np.diag([0.04, 0.64, 0.0]), 10.0, 0.1, 5, 1, 0.0, 1.0)
    result = as_coefficients(TopPairHypothesis(ToyProcess()), ONE, [integral])
    np.testing.assert_allclose(result.ratios[0], [1.0, 2.0, 0.0])
    np.testing.assert_allclose(result.covariance[0, 1, 1], 4.0 * (0.1**2 + 0.2**2))
    np.testing.assert_allclose(result.relative_error, [0.1])
    np.testing.assert_allclose(result.log_reference, [np.log(2.0)])
