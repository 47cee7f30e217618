"""Fits: to densities that are known, with weights of both signs, interrupted, diverging, of bad events."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from toys import KillAt, bent, bent_log_prob, fit_toy, fresh, training

from partonic.errors import NonFiniteError, TrainingError
from partonic.nn.training.tensor_file import read_tensors
from partonic.rng import torch_generator

LEARNED = {
    "flow_matching": (25, 0.06),
    "diffusion": (25, 0.12),
    "coupling, affine": (12, 0.12),
    "coupling, quadratic": (12, 0.08),
    "coupling, rational_quadratic": (10, 0.08),
    "autoregressive": (8, 0.06),
    "autoregressive_transformer, spline": (12, 0.06),
    "autoregressive_transformer, mixture": (12, 0.06),
    "vae": (25, 0.3),
}
"""Epochs, and how much ⟨ln p⟩ may be below the truth."""


def moments(samples, conditions):
    """Means of 1st, 2nd, and mixed powers, each with its error; in standard numbers."""
    x, y = ((samples - 100.0) / 10.0).unbind(dim=1)
    c = conditions[:, 0]
    figures = torch.stack([x, y, x**2, y**2, x**2 * y, c * y])
    return figures.mean(dim=1), figures.std(dim=1) / math.sqrt(len(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*LEARNED, "gan", "gan, wasserstein"])
def test_learns_a_conditional_density(name):
    """⟨ln p⟩ on unseen events against the truth; moments of samples against those of the truth."""
    epochs, loss = LEARNED.get(name, (40 if "wasserstein" in name else 20, math.nan))
    model = fresh(name)
    data, conditions = bent(5000, torch_generator(11, "events"))
    rate = 2e-3 if name == "gan" else 5e-3
    settings = training(epochs=epochs, learning_rate=rate, average=0.98)
    result = model.fit(data, conditions, None, torch_generator(12, "fit"), training=settings)
    assert result.epochs == epochs
    assert result.skipped == 0
    unseen, given = bent(4000, torch_generator(13, "unseen"))
    if name in LEARNED:
        with torch.no_grad():
            gap = bent_log_prob(unseen, given) - model.log_prob(unseen, given, torch_generator(1, "density"))
        error = float(gap.std()) / math.sqrt(len(gap))
        assert error < 0.03
        assert -4.0 * error < float(gap.mean()) < loss
    drawn, error = moments(model.sample(given, torch_generator(14, "draw")), given)
    truth, truth_error = moments(unseen, given)
    allowed = 0.3 if name.startswith("gan") or name == "vae" else 0.12
    pulls = (drawn - truth).abs() / (error.square() + truth_error.square()).sqrt().clamp(min=1e-9)
    close = (drawn - truth).abs() < allowed * (1.0 + truth.abs())
    assert ((pulls < 4.0) | close).all(), (drawn, truth, pulls)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs"), [("flow_matching", 20), ("autoregressive", 10), ("gan", 15)])
def test_weights_make_another_density(name, epochs):
    """Events of N(0, 1) with weights e^{x/2} are N(1/2, 1)."""
    generator = torch_generator(21, "weights")
    data = torch.randn(4000, 1, generator=generator, dtype=torch.float64)
    model = fresh(name, features=1, context=0)
    empty = torch.empty(4000, 0)
    model.fit(
        data,
        empty,
        (0.5 * data[:, 0]).exp(),
        torch_generator(22, "fit"),
        training=training(epochs=epochs, average=0.95),
    )
    drawn = model.sample(empty, torch_generator(23, "draw"))
    allowed = 0.2 if name == "gan" else 0.1
    assert float(drawn.mean()) == pytest.approx(0.5, abs=allowed)
    assert float(drawn.std()) == pytest.approx(1.0, abs=allowed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flow_matching", "diffusion"])
def test_negative_weights_are_subtracted(name):
    """N(0, 1) with a peak at 2 ± 0.3, which as many events of negative weight take away."""
    generator = torch_generator(31, "signed")
    count = 6000
    data = torch.randn(count, 1, generator=generator, dtype=torch.float64)
    kind = torch.arange(count) % 5
    data[kind > 2] = 2.0 + 0.3 * data[kind > 2]
    weights = torch.where(kind == 4, -1.0, 1.0)
    model, empty = fresh(name, features=1, context=0), torch.empty(count, 0)
    model.fit(data, empty, weights, torch_generator(32, "fit"), training=training(epochs=20, average=0.98))
    drawn = model.sample(empty, torch_generator(33, "draw"))[:, 0]
    assert float(drawn.mean()) == pytest.approx(0.0, abs=0.12)  # 1.2 with the weights' sizes
    assert float(drawn.std()) == pytest.approx(1.0, abs=0.12)
    in_peak = float(((drawn - 2.0).abs() < 0.5).double().mean())
    expected = 0.5 * (math.erf(2.5 / math.sqrt(2.0)) - math.erf(1.5 / math.sqrt(2.0)))
    assert expected == pytest.approx(0.0606, abs=1e-4)
    assert in_peak == pytest.approx(expected, abs=0.04)  # 0.39 with the weights' sizes


@pytest.mark.parametrize("name", ["coupling, affine", "autoregressive", "gan", "vae"])
def test_negative_weights_are_refused_where_the_loss_has_no_minimum(name):
    data, conditions = bent(50, torch_generator(1, "few"))
    weights = torch.ones(50)
    weights[3] = -0.1
    with pytest.raises(TrainingError, match=r"1 of 50 weights are negative.*take 'flow_matching' or 'diffusion'"):
        fresh(name).fit(data, conditions, weights, torch_generator(1, "fit"), training=training())


def test_events_that_cannot_be_fitted():
    data, conditions = bent(50, torch_generator(1, "few"))
    model, generator = fresh("flow_matching"), torch_generator(1, "fit")
    with pytest.raises(TrainingError, match=r"shapes .*\(50, 2\), \(50, 1\), \(50,\)\), got \(\(50, 2\), \(49, 1\)"):
        model.fit(data, conditions[:49], None, generator)
    with pytest.raises(TrainingError, match="needs 10 events or more"):
        model.fit(data[:9], conditions[:9], None, generator)
    with pytest.raises(TrainingError, match=r"numbers \[1\] of the data have no positive variance"):
        model.fit(torch.stack([data[:, 0], torch.ones(50)], 1), conditions, None, generator)
    with pytest.raises(TrainingError, match="positive sum, got -50"):
        model.fit(data, conditions, -torch.ones(50), generator)
    with pytest.raises(NonFiniteError, match="the conditions of event 7 are not finite"):
        model.fit(data, torch.where(torch.arange(50)[:, None] == 7, math.nan, conditions), None, generator)


def test_constant_conditions_are_no_harm():
    data, _ = bent(300, torch_generator(1, "few"))
    model = fresh("coupling, affine")
    model.fit(data, torch.full((300, 1), 5.0), None, torch_generator(1, "fit"), training=training(epochs=1))
    assert model.sample(torch.full((3, 1), 5.0), torch_generator(1, "draw")).isfinite().all()


def test_divergence_stops_with_the_last_good_weights(tmp_path):
    """From the third epoch on the loss is not a number."""
    model = fresh("flow_matching")
    loss, steps = model.training_loss, []

    def broken(x, c, weights, generator):
        steps.append(len(x))
        value, watched = loss(x, c, weights, generator)
        return (value * math.nan if model.training and len(steps) > 16 else value), watched

    model.training_loss = broken
    data, conditions = bent(2000, torch_generator(1, "events"))
    arguments = (data, conditions, None, torch_generator(1, "fit"))
    with pytest.raises(TrainingError, match=r"21 steps in a row were skipped.*best weights so far, of epoch 2"):
        model.fit(*arguments, training=training(epochs=9, average=None), folder=tmp_path)
    kept = model.state_dict()
    best = read_tensors(tmp_path / "best.safetensors")[0]
    assert all(torch.equal(tensor, best[f"model.{name}"]) for name, tensor in kept.items())
    assert model.sample(conditions[:5], torch_generator(1, "draw")).isfinite().all()


@pytest.mark.parametrize("name", ["flow_matching", "gan", "vae"])
def test_interrupted_fit_goes_on_to_the_same_weights(name, tmp_path):
    whole, _ = fit_toy(name, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="stopped"):
        fit_toy(name, tmp_path / "cut", KillAt(17, kill=False))
    resumed, result = fit_toy(name, tmp_path / "cut")
    assert result.epochs == 4
    expected = whole.state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in resumed.state_dict().items())


@pytest.mark.slow
def test_killed_process_goes_on_to_the_same_weights(tmp_path):
    program = Path(__file__).with_name("toys.py")
    command = [sys.executable, str(program), "diffusion", str(tmp_path / "cut"), "17"]
    killed = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    expected = fit_toy("diffusion", tmp_path / "whole")[0].state_dict()
    resumed = fit_toy("diffusion", tmp_path / "cut")[0].state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.items())
