"""Events: the store that every source fills and every method reads, and the readers of other people's files.

One Parquet table holds partons, reconstructed objects, the coefficients of the theory parameters and weights. Our own
simulation fills it, and so do the readers of LHE, CMS NanoAOD, Delphes and HepMC files.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partonic.events.batch import EventBatch, RecoEvents
    from partonic.events.importing import ImportResult, import_events
    from partonic.events.merging import merge_parts
    from partonic.events.schema import (
        SCHEMA_VERSION,
        CrossSection,
        CutFlowStep,
        EventSchema,
        ProcessInfo,
        StoreMetadata,
    )
    from partonic.events.store import EventStore, EventWriter

__all__ = [
    "SCHEMA_VERSION",
    "CrossSection",
    "CutFlowStep",
    "EventBatch",
    "EventSchema",
    "EventStore",
    "EventWriter",
    "ImportResult",
    "ProcessInfo",
    "RecoEvents",
    "StoreMetadata",
    "import_events",
    "merge_parts",
]

_PLACES = {
    "SCHEMA_VERSION": "schema",
    "CrossSection": "schema",
    "CutFlowStep": "schema",
    "EventBatch": "batch",
    "EventSchema": "schema",
    "EventStore": "store",
    "EventWriter": "store",
    "ImportResult": "importing",
    "ProcessInfo": "schema",
    "RecoEvents": "batch",
    "StoreMetadata": "schema",
    "import_events": "importing",
    "merge_parts": "merging",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, because torch and pyarrow are slow to import."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
