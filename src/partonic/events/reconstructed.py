"""Has a store what the methods for reconstructed events need? If not: what is missing, and which step gives it."""

from collections.abc import Mapping

import pyarrow.compute as pc

from partonic.errors import EventFileError
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore

__all__ = ["count_selected"]

_GIVEN_BY = (
    "`partonic simulate` gives them to generated events, and an import of particles (format hepmc) or of Delphes or "
    "NanoAOD files (formats delphes, nanoaod) brings them along. LHE files hold partons only: shower those events with "
    "a generator, and import its HepMC files"
)


def count_selected(store: EventStore, purpose: str) -> int:
    """Return the number of selected events of a store, all of which have reconstructed objects.

    Args:
        store: whose events are to be used.
        purpose: what for, as a verb for the message, e.g. ``"unfold"``.

    Raises:
        EventFileError: if there is no such event, or selected ones lack a column; the message says what is missing,
            and what to do.
    """
    selected, rejected, missing = 0, 0, dict.fromkeys(RECO_COLUMNS, 0)
    for batch in store.batches(columns=["selected", *RECO_COLUMNS]):
        rejected += pc.sum(pc.equal(batch.table.column("selected"), False)).as_py() or 0
        table = batch.table.filter(pc.fill_null(batch.table.column("selected"), False))
        selected += table.num_rows
        for name in RECO_COLUMNS:
            missing[name] += table.column(name).null_count
    nothing = f"so there is nothing to {purpose}"
    if selected:
        _check_columns(store, selected, missing)
        return selected
    if not store.num_events:
        raise EventFileError(f"{store.path} has no events, {nothing}: run the step that made it with more events")
    if rejected:
        raise EventFileError(
            f"{store.path} has no selected event, {nothing}: all {rejected} failed the cuts; loosen the selection "
            "(simulation.selection, or import.selection for Delphes and NanoAOD files)"
        )
    raise EventFileError(
        f"{store.path} holds parton-level events only (source: {store.metadata.source}), {nothing}: the columns of "
        f"reconstructed objects ({', '.join(RECO_COLUMNS)}) are empty, and no selection was applied. {_GIVEN_BY}"
    )


def _check_columns(store: EventStore, selected: int, missing: Mapping[str, int]) -> None:
    lacking = [f"{name} (empty in {number} of them)" for name, number in missing.items() if number]
    if lacking:
        raise EventFileError(
            f"{store.path} has {selected} selected events, but they lack the columns {', '.join(lacking)}. {_GIVEN_BY}"
        )
