"""Partonic subprocesses: which particles an event has, whatever their order.

A matrix element is built once for a subprocess; events of ``u g`` and ``g u``, and particles listed in other orders,
differ in the order of the momenta only.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.events.batch import EventBatch
from partonic.events.store import EventStore

__all__ = ["COLUMNS", "canonical", "count_subprocesses", "order_of", "particles_of", "subprocess_text"]

Particles = tuple[int, ...]
"""PDG ids of two initial and then the final particles."""

COLUMNS = ("initial_pdg", "partons", "x1", "x2")
"""Columns that an event needs to be reweighted, beside its weight and, if it has them, `parton_pdg` and `alpha_s`."""


def canonical(particles: Sequence[int]) -> Particles:
    """Return the particles in an order that is the same for all orders of a subprocess: both sides sorted."""
    return (*sorted(particles[:2]), *sorted(particles[2:]))


def order_of(particles: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """Return for each of the `wanted` particles where among `particles` it is; equal ones in their order.

    Args:
        particles: of an event, incoming first.
        wanted: the same particles in another order of each side.
    """
    left = list(range(len(particles)))
    order = []
    for place, pdg in enumerate(wanted):
        side = [index for index in left if (index < 2) == (place < 2) and particles[index] == pdg]
        order.append(side[0])
        left.remove(side[0])
    return tuple(order)


def particles_of(batch: EventBatch) -> NDArray[np.int64]:
    """Return the particles of the events of a batch, `(N, 2 + n)`; columns as `COLUMNS`, and `parton_pdg` if any."""
    initial = np.asarray(batch.column("initial_pdg")).astype(np.int64)
    if "parton_pdg" in batch.table.column_names:
        final = np.asarray(batch.column("parton_pdg")).astype(np.int64)
    else:
        final = np.tile(np.array(batch.metadata.parton_pdg, dtype=np.int64), (len(batch), 1))
    return np.concatenate([initial, final], axis=1)


def subprocess_text(particles: Sequence[int]) -> str:
    """Return a subprocess as text, e.g. ``"21 21 > -6 6 25"``."""
    return f"{' '.join(map(str, particles[:2]))} > {' '.join(map(str, particles[2:]))}"


def count_subprocesses(store: EventStore) -> dict[Particles, int]:
    """Return how many events of a store each subprocess has, the most frequent first.

    Raises:
        EventFileError: if events lack their partons, or the store has none.
    """
    if not store.metadata.parton_pdg:
        raise EventFileError(
            f"{store.path} has no list of hard partons, so there is nothing to evaluate a matrix element at: import "
            "the events with the PDG ids of their final state (import.partons, or `partons` of the process)"
        )
    several = "parton_pdg" in [column.name for column in store.metadata.event_schema.columns]
    names = ("event_id", *COLUMNS, *(("parton_pdg",) if several else ()))
    counts: Counter[Particles] = Counter()
    for batch in store.batches(names):
        for name in names:
            if not batch.valid(name).all():
                lacking = int((~batch.valid(name)).sum())
                first = int(batch.table.column("event_id").to_numpy()[np.flatnonzero(~batch.valid(name))[0]])
                raise EventFileError(
                    f"{store.path}: {lacking} of {len(batch)} events, the first of them event {first}, lack the column "
                    f"'{name}', which the matrix element needs; a file with the hard process (LHE) has it"
                )
        found, numbers = np.unique(particles_of(batch), axis=0, return_counts=True)
        for row, number in zip(found.tolist(), numbers.tolist(), strict=True):
            counts[canonical(row)] += number
    if not counts:
        raise EventFileError(f"{store.path} has no events to reweight")
    return dict(counts.most_common())
