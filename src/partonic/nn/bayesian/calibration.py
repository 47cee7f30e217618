"""The width of a posterior of weights, from what the training did not carry over to other events.

Let Σ be the covariance of trained weights under other samples of N events, H the curvature of the mean loss. Drawn
weights raise the loss of the training events by ½ tr(H Σ). The losses of events that were not trained on and of those
that were differ by tr(H Σ) on average (K. Takeuchi, Suri-Kagaku 153 (1976) 12; with J = H, H. Akaike's). So a
distribution of weights that is right but for one factor gets it from

    ⟨L_train(drawn)⟩ − L_train(trained) = ½ [L_validation(trained) − L_train(trained)],

whatever is wrong with its model of the curvature: weights that are taken as independent, or layers that are fixed.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from partonic.nn.bayesian.posterior import WeightPosterior

__all__ = ["calibrated_width"]

_RANGE = 1e-4, 1e2
_STEPS = 12
"""Halvings of the logarithm of the range: the factor is then known to half a percent."""


def calibrated_width(
    network: nn.Module,
    posterior: WeightPosterior,
    training_loss: Callable[[], float],
    validation_loss: Callable[[], float],
    draws: int = 4,
) -> float:
    """Return the factor of the deviations of a posterior; 0 if the validation events have no larger loss.

    Args:
        network: with the trained weights, which it has again afterwards.
        posterior: of its weights.
        training_loss: of the network as it is, on training events.
        validation_loss: the same on events that were not trained on.
        draws: number of drawn weights that the loss is averaged over, the same for all factors.
    """
    state = {name: values.clone() for name, values in network.state_dict().items()}
    trained = training_loss()
    wanted = 0.5 * (validation_loss() - trained)
    if not wanted > 0.0:
        return 0.0
    low, high = (float(torch.tensor(end).log()) for end in _RANGE)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        rise = _mean_loss(network, posterior.scaled(float(torch.tensor(middle).exp())), state, training_loss, draws)
        low, high = (middle, high) if rise - trained < wanted else (low, middle)  # also where the loss is no number
    network.load_state_dict(state)
    return float(torch.tensor(0.5 * (low + high)).exp())


def _mean_loss(
    network: nn.Module, posterior: WeightPosterior, state: Mapping[str, Tensor], loss: Callable[[], float], draws: int
) -> float:
    total = 0.0
    for number in range(draws):
        network.load_state_dict(posterior.draw(state, number))
        total += loss() / draws
    return total
