"""Many event stores made one: events in order, generated events and cut flows added."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from partonic.errors import EventFileError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.progress import SILENT, Progress

__all__ = ["combined_metadata", "merge_parts"]


def merge_parts(
    parts: Sequence[Path], path: Path, metadata: StoreMetadata | None = None, progress: Progress = SILENT
) -> StoreMetadata:
    """Write the events of many stores, in order, into one, without loading them; return the metadata written.

    Args:
        parts: stores of the same process with the same extra weights. Their weights must already be normalised
            together (all rows of all parts sum to the cross section).
        path: the merged store.
        metadata: metadata of the result; the default takes those of the first part and adds the numbers of generated
            events and the cut flows of all.
        progress: told the number of events.

    Raises:
        SchemaError: if parts differ in process, extra weights or cuts.
        EventFileError: if a part is damaged.
        OutputError: if the result cannot be written.
    """
    if not parts:
        raise EventFileError(f"no parts to merge into {path}")
    stores = [EventStore.open(part) for part in parts]
    facts = metadata if metadata is not None else combined_metadata([store.metadata for store in stores])
    progress.start("merging events", sum(store.num_events for store in stores), "events")
    with EventWriter(path, facts) as writer:
        for store in stores:
            if store.metadata.event_schema != facts.event_schema:
                raise SchemaError(f"{store.path} has other columns than {stores[0].path}: merge stores of one process")
            for batch in store.batches():
                writer.write(batch.table)
                progress.advance(len(batch))
    progress.finish()
    return EventStore.open(path).metadata


def combined_metadata(parts: Sequence[StoreMetadata]) -> StoreMetadata:
    """Return the metadata of stores put together: generated events and cut flows added, the rest of the first.

    Raises:
        SchemaError: if the cut flows have different cuts.
    """
    first = parts[0]
    flows = [part.cut_flow for part in parts]
    if len({tuple(step.name for step in flow) for flow in flows}) > 1:
        msg = "the parts went through different cuts: their cut flows cannot be added"
        raise SchemaError(msg)
    steps = tuple(
        same[0].model_copy(
            update={
                "events": sum(step.events for step in same),
                "weight": sum(step.weight for step in same),
                "weight_error": float(np.hypot.reduce([step.weight_error for step in same])),
            }
        )
        for same in zip(*flows, strict=True)
    )
    return first.with_facts(cut_flow=steps, n_generated=sum(part.n_generated for part in parts), cross_section=None)
