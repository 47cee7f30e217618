"""A likelihood as a folder that needs no partonic: ``likelihood.json``, ``events.parquet`` and their checksums."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from partonic.export.bundle_folder import check_place, states, write_bundle
from partonic.export.likelihood_document import BUNDLE_KIND, likelihood_document
from partonic.export.likelihood_events import event_table
from partonic.export.likelihood_source import fitted_likelihood
from partonic.files import write_json
from partonic.inference.result import plain

__all__ = ["DOCUMENT", "EVENTS", "ExportedLikelihood", "export_likelihood"]

DOCUMENT = "likelihood.json"
EVENTS = "events.parquet"


@dataclass(frozen=True)
class ExportedLikelihood:
    """What was exported.

    Attributes:
        folder: the bundle.
        events: number of events with coefficients.
        densities: number V of densities of an event.
        free: parameters that are fitted.
        log_likelihood: log L at the best fit.
    """

    folder: Path
    events: int
    densities: int
    free: tuple[str, ...]
    log_likelihood: float

    def __str__(self) -> str:
        """Return a line for the terminal."""
        return (
            f"likelihood of {self.events} events × {self.densities} densities in {self.folder}; fitted are "
            f"{', '.join(self.free)}; log L = {self.log_likelihood:.9g} at the best fit"
        )


def export_likelihood(result: Path, folder: Path) -> ExportedLikelihood:
    """Write the likelihood of a result of `partonic infer` as a bundle.

    Args:
        result: ``result.json``, or the folder that holds it.
        folder: of the bundle; a bundle that is there already is replaced.

    Raises:
        EventFileError: if the result, or a file that it names, is missing or damaged.
        InferenceError: if the files do not give the result any more.
        OutputError: if the folder holds something else, or cannot be written.
    """
    check_place(folder, _is_likelihood)
    fitted = fitted_likelihood(result)
    table = event_table(fitted.loaded, fitted.data)
    document = plain(likelihood_document(fitted.data.likelihood, fitted.record, fitted.process))
    document["events"] |= {"file": EVENTS, "count": table.num_rows}
    writers = {
        DOCUMENT: lambda path: write_json(path, document),
        EVENTS: lambda path: pq.write_table(table, path, compression="zstd"),
    }
    write_bundle(folder, writers, _is_likelihood)
    free = tuple(each["name"] for each in document["parameters"] if each["free"])
    densities = len(document["cross_sections"]["values"])
    return ExportedLikelihood(folder, table.num_rows, densities, free, float(fitted.record.result["log_likelihood"]))


def _is_likelihood(folder: Path) -> bool:
    return states(folder / DOCUMENT, "kind", BUNDLE_KIND)
