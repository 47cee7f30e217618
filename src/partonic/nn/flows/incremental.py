"""Sampling of autoregressive flows at the cost of one pass of their networks.

Numbers are drawn one after another. Each step works out only the hidden units that have just become known, and the
spline parameters of one number (`TransformBlocks`); only the bin that is hit is inverted (`SplineRows`). The density is
accumulated from the very parameters that the sample was drawn with. In ``bfloat16`` the products with hidden units are
rounded, which changes the distribution a little, and its density with it: each number is still a monotonic function of
its base number, with parameters that are functions of the numbers drawn before, so that importance weights are exact.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ConfigError
from partonic.nn.flows.autoregressive import AutoregressiveTransform
from partonic.nn.flows.flow import ConditionalFlow, Precision
from partonic.nn.flows.incremental_arrays import Engine, Kinds
from partonic.nn.flows.incremental_plan import TransformBlocks, cut_transform

__all__ = ["IncrementalSampler"]

COLUMNS = {"cpu": 1024}
"""Samples that are worked on at a time, by kind of device: they stay in the cache, and bound the memory."""

COLUMNS_ELSEWHERE = 32_768

COLUMNS_OF_A_THREAD = 256
"""Fewer samples of one event are not shared among threads."""

FEW = 400
"""Up to so many samples, NumPy is quicker than PyTorch, for its calls cost less."""


class _Task(NamedTuple):
    """What one thread draws: some samples of some events."""

    noise: Float[Tensor, "n samples features"]
    context: Float[Tensor, "n context"]
    x: Float[Tensor, "n samples features"]
    log_det: Float[Tensor, "n samples"]


class IncrementalSampler:
    """Draws from an autoregressive flow as it was when the sampler was made."""

    def __init__(self, flow: ConditionalFlow, precision: Precision = "float32") -> None:
        """Gather the weights into dense blocks.

        Args:
            flow: the flow to draw from.
            precision: of the products with hidden units; ``float32`` stands for the precision of the weights.

        Raises:
            ConfigError: if the flow is not autoregressive.
        """
        self._flow = flow
        weights = next(flow.parameters())
        hidden = torch.bfloat16 if precision == "bfloat16" else weights.dtype
        self._most = COLUMNS.get(weights.device.type, COLUMNS_ELSEWHERE)
        with torch.no_grad():
            transforms = [_cut(transform, hidden) for transform in reversed(flow.transforms)]
        number = {"dtype": weights.dtype, "device": weights.device}
        kinds = Kinds(number, {**number, "dtype": hidden})
        self._many = Engine(transforms, kinds, numpy=False)
        numpy = hidden == weights.dtype and weights.device.type == "cpu"
        self._few = Engine(transforms, kinds, numpy=True) if numpy else self._many

    def sample_and_log_prob(
        self, context: Float[Tensor, "n context"], samples: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n samples features"], Float[Tensor, "n samples"]]:
        """Draw `samples` x for each condition, with ln q(x | context). No gradient.

        Args:
            context: conditions.
            samples: how many for each.
            generator: source of the base noise.
        """
        shape = (len(context) * samples, self._flow.features)
        noise = torch.randn(shape, generator=generator, dtype=context.dtype, device=generator.device)
        noise = noise.to(context.device) * self._flow.config.base_scale
        return self.transform(noise.view(len(context), samples, self._flow.features), context)

    def transform(
        self, noise: Float[Tensor, "n samples features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n samples features"], Float[Tensor, "n samples"]]:
        """Return x for given base numbers, with ln q(x | context). No gradient.

        Args:
            noise: base numbers.
            context: conditions.
        """
        x, log_det = self.transport(noise, context)
        with torch.no_grad():
            return x, self._flow.base_log_prob(noise) + log_det

    def transport(
        self, noise: Float[Tensor, "n samples features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n samples features"], Float[Tensor, "n samples"]]:
        """Return x for given base numbers, with ln |∂z/∂x|, whatever density they were drawn from. No gradient.

        Args:
            noise: base numbers.
            context: conditions.
        """
        x, log_det = torch.empty_like(noise), noise.new_zeros(noise.shape[:2])
        threads = torch.get_num_threads() if noise.device.type == "cpu" else 1
        tasks = [
            _Task(noise[events, samples], context[events], x[events, samples], log_det[events, samples])
            for events, samples in self._shares(len(context), noise.shape[1], threads)
        ]
        if len(tasks) == 1 or threads == 1:
            for task in tasks:
                self._draw(task)
        else:
            with _single_threaded_workers(threads) as pool:
                list(pool.map(self._draw, tasks))
        return x, log_det

    def _shares(self, events: int, samples: int, threads: int) -> Iterator[tuple[slice, slice]]:
        """Cut the work: many samples of one event by samples for each thread, else by events."""
        if events == 1 or samples >= self._most:
            parts = max(min(threads, samples // COLUMNS_OF_A_THREAD), 1)
            for event in range(events):
                for part in _split(samples, parts):
                    yield slice(event, event + 1), part
        elif samples > 0:
            for part in _split(events, -(-events * samples // self._most)):
                yield part, slice(0, samples)

    def _draw(self, task: _Task) -> None:
        """Fill in x and ln |∂z/∂x|."""
        events, samples, features = task.noise.shape
        engine = self._few if events * samples <= FEW else self._many
        with torch.inference_mode():
            parts = engine.event_parts(task.context)
            for part in _split(samples, -(-events * samples // self._most)):
                shape = (events, part.stop - part.start)
                x, log_derivative = engine.draw(task.noise[:, part].reshape(-1, features), parts, shape)
                task.x[:, part] = x.reshape(*shape, features)
                task.log_det[:, part] = log_derivative.view(shape)


def _cut(transform: torch.nn.Module, hidden: torch.dtype) -> TransformBlocks:
    if not isinstance(transform, AutoregressiveTransform):
        message = f"only autoregressive flows are drawn from number by number, got {type(transform).__name__}"
        raise ConfigError(message)
    return cut_transform(transform, hidden)


def _split(length: int, parts: int) -> list[slice]:
    """Cut a range into parts of nearly equal length, none empty."""
    parts = min(parts, length)
    return [slice(length * part // parts, length * (part + 1) // parts) for part in range(parts)]


@contextmanager
def _single_threaded_workers(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Each thread works on samples of its own, without waiting for the others within operations."""
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # workers change a setting of MKL for the whole process
