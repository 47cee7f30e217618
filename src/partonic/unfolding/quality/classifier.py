"""Classifier two-sample test: can a network tell the truth from a sample, knowing the event?

For each event one pair: (condition, truth) and (condition, one sample). A small network learns which is which on part
of the events and is tried on the rest, in turns (cross-validation); both of a pair are always in the same part. If the
posterior is exact, nothing can be learned and the accuracy is ½ (arXiv:1610.06545). The accuracy is a lower bound of
what the best classifier reaches, and grows with the number of events.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import NonFiniteError

__all__ = ["ClassifierScore", "ClassifierSettings", "classifier_two_sample_test"]

_SMALLEST_SPREAD: Final = 1e-12
"""Numbers that are the same in all events are left at zero."""


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings:
    """The network of the test and its training.

    Attributes:
        folds: parts of the cross-validation.
        hidden: units of each of the two hidden layers.
        epochs: passes over the events of training.
        batch_size: pairs in a step.
        learning_rate: of Adam, at the start; it falls to zero along a cosine.
        weight_decay: of Adam, against learning single events by heart.
    """

    folds: int = 3
    hidden: int = 64
    epochs: int = 15
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3


@dataclass(frozen=True, eq=False)
class ClassifierScore:
    """Outcome of the test.

    Attributes:
        accuracy: share of right answers on events that were not trained on; ½ if nothing can be told apart.
        error: its statistical error.
        correct: of each event, the share of right answers on its truth and its sample: 0, ½ or 1, `(N,)`.
    """

    accuracy: float
    error: float
    correct: NDArray[np.float64]


def classifier_two_sample_test(
    condition: Float[Tensor, "events condition"],
    truth: Float[Tensor, "events variables"],
    samples: Float[Tensor, "events variables"],
    generator: torch.Generator,
    settings: ClassifierSettings | None = None,
) -> ClassifierScore:
    """Return how well a network tells the truth from a sample of each event.

    Args:
        condition: what is known of each event.
        truth: numbers of its true partons.
        samples: numbers of one sample of its posterior.
        generator: draws folds, starting weights and order of the events.
        settings: of the network.

    Raises:
        NonFiniteError: if a number is NaN or infinite.
        ValueError: if there are fewer events than folds.
    """
    options = settings or ClassifierSettings()
    events = len(truth)
    if events < 2 * options.folds:
        raise ValueError(f"a cross-validation in {options.folds} parts needs {2 * options.folds} events, got {events}")
    true, false = (_finite(torch.cat([condition, part], dim=1)) for part in (truth, samples))
    fold = torch.randperm(events, generator=generator) % options.folds
    correct = torch.zeros(events, dtype=torch.float64)
    for number in range(options.folds):
        training, test = fold != number, fold == number
        network = _trained(true[training], false[training], options, generator)
        answers = [(network(part[test]) > 0.0).double() for part in (true, false)]
        correct[test] = 0.5 * (answers[0] + 1.0 - answers[1])
    return ClassifierScore(
        accuracy=float(correct.mean()), error=float(correct.std()) / math.sqrt(events), correct=correct.numpy()
    )


def _finite(values: Tensor) -> Tensor:
    bad = (~torch.isfinite(values)).any(dim=1)
    if bool(bad.any()):
        raise NonFiniteError(
            f"{int(bad.sum())} of {len(values)} events of the two-sample test have numbers that are NaN or infinite, "
            f"the first is event {int(bad.nonzero()[0])}"
        )
    return values.double()


class _Network:
    """A network with two hidden layers, whose weights come from a given generator.

    It standardises its input with the events of training: with those of all events the mean of a test part would tell
    that of its training part, and the accuracy would come out below ½.
    """

    def __init__(self, training: Tensor, hidden: int, generator: torch.Generator) -> None:
        self.mean, self.scale = training.mean(dim=0), training.std(dim=0).clamp(min=_SMALLEST_SPREAD)
        sizes = ((training.shape[1], hidden), (hidden, hidden), (hidden, 1))
        self.weights = [torch.randn(size, generator=generator) * math.sqrt(2.0 / size[0]) for size in sizes]
        self.weights[-1] *= 0.1  # starts undecided
        self.biases = [torch.zeros(size[1]) for size in sizes]
        self.parameters = [tensor.requires_grad_() for tensor in (*self.weights, *self.biases)]

    def __call__(self, inputs: Tensor) -> Tensor:
        values = ((inputs - self.mean) / self.scale).clamp(-10.0, 10.0).float()
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = torch.nn.functional.silu(values @ weight + bias)
        return (values @ self.weights[-1] + self.biases[-1])[:, 0]


def _trained(true: Tensor, false: Tensor, settings: ClassifierSettings, generator: torch.Generator) -> _Network:
    network = _Network(torch.cat([true, false]), settings.hidden, generator)
    optimiser = torch.optim.AdamW(
        network.parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * math.ceil(len(true) / settings.batch_size)
    for step, chosen in enumerate(_batches(len(true), settings, generator)):
        optimiser.param_groups[0]["lr"] = 0.5 * settings.learning_rate * (1.0 + math.cos(math.pi * step / steps))
        answers = network(torch.cat([true[chosen], false[chosen]]))
        truth = torch.cat([torch.ones(len(chosen)), torch.zeros(len(chosen))])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(answers, truth)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    for parameter in network.parameters:
        parameter.requires_grad_(False)
    return network


def _batches(events: int, settings: ClassifierSettings, generator: torch.Generator) -> Iterator[Tensor]:
    for _ in range(settings.epochs):
        yield from torch.split(torch.randperm(events, generator=generator), settings.batch_size)
