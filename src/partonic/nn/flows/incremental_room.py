"""Autoregressive transforms one after another, number by number, in arrays set up beforehand.

Functions are called by names that PyTorch and NumPy share.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.nn.flows.incremental_plan import Array, TransformBlocks
from partonic.nn.flows.incremental_spline import SplineRows

__all__ = ["Engine"]


SHAPES_KEPT = 4
"""For so many numbers of samples, arrays are kept for the next call."""


class _Place(NamedTuple):
    """Where the units of one layer at one step lie."""

    source: Array
    """What they see, (seen, columns)."""

    product: Array
    """Where their product goes, (units, columns)."""

    by_event: Array
    """The same memory, (units, events, samples)."""

    units: Array
    """Where they are kept, (units, events, samples)."""

    rows: slice
    """Their rows in the part of the event."""


class Room:
    """Arrays that one thread draws in: the same number of samples for each of some events."""

    def __init__(self, library: Any, blocks: TransformBlocks, shape: tuple[int, int], number: Any, hidden: Any) -> None:
        """Set up the arrays.

        Args:
            library: `torch` or `numpy`.
            blocks: a transform; all that are run here have blocks of the same shapes.
            shape: how many events, and how many samples of each.
            number: data type of numbers and spline parameters; with the device, if any, as keyword arguments.
            hidden: those of hidden units.
        """
        columns = shape[0] * shape[1]
        features = len(blocks.drawn)
        self.library = library
        self.splines = SplineRows(library, blocks.bins, columns, number)
        self._numbers = library.empty((features, columns), **number)
        self._rows = list(self._numbers)
        self._zero = library.zeros((), **number)
        source, by_layer = self._numbers, []
        for place, layer in enumerate(blocks.layers):
            sizes = [len(block) for block in layer.blocks]
            ends = [sum(sizes[: step + 1]) for step in range(features)]
            fresh = library.empty((max(sizes), columns), **(hidden if place else number))
            kept = library.empty((ends[-1], columns), **hidden) if layer.still is not None else None
            places = []
            for block, size, end in zip(layer.blocks, sizes, ends, strict=True):
                rows = slice(end - size, end)
                units = self.splines.parameters if kept is None else kept[rows]
                arrays = (fresh[:size].reshape((size, *shape)), units.reshape((size, *shape)))
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
                library.matmul(layer.blocks[step], place.source, out=place.product)
                if layer.still is None:
                    library.add(place.by_event, part[place.rows], out=place.units)
                else:
                    library.add(place.by_event, part[place.rows], out=place.by_event)
                    library.maximum(place.by_event, self._zero, out=place.units)
            library.add(self.splines.invert(fraction) * (2.0 * bound), shift, out=self._rows[step])
        log_derivatives = self.splines.log_derivatives() * inside
        return self._numbers[blocks.places], library.sum(log_derivatives, 0)


class Engine:
    """All transforms of a flow in one array library and precision."""

    def __init__(
        self, library: Any, transforms: Sequence[TransformBlocks], number: dict[str, Any], hidden: dict[str, Any]
    ) -> None:
        """Take the transforms.

        Args:
            library: `torch` or `numpy`.
            transforms: in the order in which they are inverted.
            number: data type of numbers and spline parameters; with the device, if any, as keyword arguments.
            hidden: those of hidden units.
        """
        self._library = library
        self._transforms = transforms
        self._number, self._hidden = number, hidden
        self._spare: dict[tuple[int, ...], list[Room]] = {}

    def event_parts(self, context: Float[Tensor, "n context"]) -> list[list[Array]]:
        """Return what the layers of each transform get from the events."""
        values = self._own(context.T)
        parts = [blocks.event_part(values, self._library) for blocks in self._transforms]
        if self._hidden != self._number:
            # the first products and the spline parameters are not rounded
            parts = [[first, *(part.to(**self._hidden) for part in others), last] for first, *others, last in parts]
        return parts

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
        values = self._own(z.T.contiguous())
        total: Array = 0.0
        for blocks, part in zip(self._transforms, parts, strict=True):
            values, log_derivative = room.invert(blocks, part, values)
            total = total + log_derivative
        self._spare.setdefault(shape, []).append(room)
        return torch.as_tensor(values).T, torch.as_tensor(total)

    def _own(self, values: Tensor) -> Array:
        return values if self._library is torch else values.numpy()

    def _take_room(self, shape: tuple[int, int]) -> Room:
        """Return a room that no other thread works in."""
        try:
            return self._spare[shape].pop()
        except (KeyError, IndexError):
            if len(self._spare) > SHAPES_KEPT:
                self._spare.clear()
            return Room(self._library, self._transforms[0], shape, self._number, self._hidden)
