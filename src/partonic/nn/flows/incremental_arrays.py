"""Autoregressive transforms one after another, number by number, in arrays set up beforehand.

Functions are called by names that PyTorch and NumPy share.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.nn.flows.incremental_plan import TransformBlocks
from partonic.nn.flows.incremental_spline import Array, SplineRows

__all__ = ["Engine", "Kinds"]


SHAPES_KEPT = 4
"""For so many numbers of samples, arrays are kept for the next call."""


class _Place(NamedTuple):
    """Where the units of one layer at one step lie."""

    source: Tensor
    """What they see, (seen, columns)."""

    product: Tensor
    """Where their product goes, (units, columns)."""

    by_event: Array
    """The same memory, (units, events, samples)."""

    units: Array
    """Where they are kept, (units, events, samples)."""

    rows: slice
    """Their rows in the part of the event."""


class Kinds(NamedTuple):
    """Data types, with the device, as keyword arguments."""

    number: dict[str, Any]
    """Of numbers and spline parameters."""

    hidden: dict[str, Any]
    """Of hidden units."""


class Room:
    """Arrays that one thread draws in: the same number of samples for each of some events."""

    def __init__(self, blocks: TransformBlocks, shape: tuple[int, int], kinds: "Kinds", *, numpy: bool) -> None:
        """Set up the arrays.

        Args:
            blocks: a transform; all that are run here have blocks of the same shapes.
            shape: how many events, and how many samples of each.
            kinds: data types and device.
            numpy: whether all but matrix products are left to NumPy.
        """
        columns = shape[0] * shape[1]
        features = len(blocks.drawn)
        view = Tensor.numpy if numpy else Tensor.detach
        self.library: Any = np if numpy else torch
        self.splines = SplineRows(self.library, view, blocks.bins, columns, kinds.number)
        source = torch.empty((features, columns), **kinds.number)
        self._numbers = view(source)
        self._rows = list(self._numbers)
        self._zero = view(torch.zeros((), **kinds.number))
        by_layer = []
        for place, layer in enumerate(blocks.layers):
            sizes = [len(block) for block in layer.blocks]
            ends = [sum(sizes[: step + 1]) for step in range(features)]
            fresh = torch.empty((max(sizes), columns), **(kinds.hidden if place else kinds.number))
            kept = torch.empty((ends[-1] if layer.still is not None else 0, columns), **kinds.hidden)
            places = []
            for block, size, end in zip(layer.blocks, sizes, ends, strict=True):
                rows = slice(end - size, end)
                units = self.splines.parameters if layer.still is None else view(kept[rows])
                arrays = (view(fresh[:size]).reshape((size, *shape)), units.reshape((size, *shape)))
                places.append(_Place(source[: block.shape[1]], fresh[:size], *arrays, rows))
            by_layer.append(places)
            source = kept
        self._steps = list(zip(*by_layer, strict=True))

    def invert(self, blocks: TransformBlocks, parts: Sequence[Array], y: Array) -> tuple[Array, Array]:
        """Return x and ln |∂y/∂x|.

        Args:
            blocks: the transform.
            parts: what its layers get from each event, `TransformBlocks.event_part`.
            y: numbers to transform, (features, columns).
        """
        library, bound = self.library, blocks.bound
        y = y[blocks.drawn]
        inside = library.abs(y) <= bound
        clipped = y.clip(-bound, bound)
        fractions = clipped * (0.5 / bound) + 0.5
        shifts = y - clipped - bound  # beyond the bound, the spline maps the bound to itself, and y stays as it is
        for step, (fraction, shift) in enumerate(zip(fractions, shifts, strict=True)):
            for layer, place, part in zip(blocks.layers, self._steps[step], parts, strict=True):
                if not len(place.product):
                    continue
                torch.matmul(layer.blocks[step], place.source, out=place.product)
                if layer.still is None:
                    library.add(place.by_event, part[place.rows], out=place.units)
                else:
                    library.add(place.by_event, part[place.rows], out=place.by_event)
                    library.maximum(place.by_event, self._zero, out=place.units)
            library.add(self.splines.invert(fraction) * (2.0 * bound), shift, out=self._rows[step])
        log_derivatives = self.splines.log_derivatives() * inside
        return self._numbers[blocks.places], library.sum(log_derivatives, 0)


class Engine:
    """All transforms of a flow, with NumPy or without."""

    def __init__(self, transforms: Sequence[TransformBlocks], kinds: Kinds, *, numpy: bool) -> None:
        """Take the transforms.

        Args:
            transforms: in the order in which they are inverted.
            kinds: data types and device.
            numpy: whether all but matrix products are left to NumPy, whose calls cost less; on CPUs, unless rounded.
        """
        self._transforms = transforms
        self._kinds = kinds
        self._numpy = numpy
        self._spare: dict[tuple[int, ...], list[Room]] = {}

    def event_parts(self, context: Float[Tensor, "n context"]) -> list[list[Array]]:
        """Return what the layers of each transform get from the events."""
        parts = [blocks.event_part(context.T) for blocks in self._transforms]
        if self._numpy:
            return [[part.numpy() for part in of_layers] for of_layers in parts]
        # the first products and the spline parameters are not rounded
        hidden = self._kinds.hidden
        return [[first, *(part.to(**hidden) for part in others), last] for first, *others, last in parts]

    def draw(
        self, z: Float[Tensor, "columns features"], parts: Sequence[Sequence[Array]], shape: tuple[int, int]
    ) -> tuple[Float[Tensor, "columns features"], Float[Tensor, "columns"]]:
        """Return x and ln |∂z/∂x|.

        Args:
            z: base numbers, event by event.
            parts: `event_parts` of the events.
            shape: how many events, and how many samples of each.
        """
        room = self._take_room(shape)
        values: Array = z.T.contiguous()
        if self._numpy:
            values = values.numpy()
        total: Array = 0.0
        for blocks, part in zip(self._transforms, parts, strict=True):
            values, log_derivative = room.invert(blocks, part, values)
            total = total + log_derivative
        self._spare.setdefault(shape, []).append(room)
        return torch.as_tensor(values).T, torch.as_tensor(total)

    def _take_room(self, shape: tuple[int, int]) -> Room:
        """Return a room that no other thread works in."""
        try:
            return self._spare[shape].pop()
        except (KeyError, IndexError):
            if len(self._spare) > SHAPES_KEPT:
                self._spare.clear()
            return Room(self._transforms[0], shape, self._kinds, numpy=self._numpy)
