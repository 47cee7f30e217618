"""Imported events whose coefficients come from a matrix element: `import.reweight`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.importing import ImportResult
from partonic.progress import SILENT, Progress
from partonic.reweighting.engine import check_model
from partonic.reweighting.result import ReweightResult
from partonic.reweighting.run import reweight_store

__all__ = ["ReweightedImport", "import_reweighted"]


@dataclass(frozen=True)
class ReweightedImport:
    """What an import with reweighting wrote.

    Attributes:
        imported: what was read from the files.
        reweighted: what the matrix element made of it.
    """

    imported: ImportResult
    reweighted: ReweightResult

    def __str__(self) -> str:
        """Return lines for the terminal."""
        selected = "" if self.imported.num_selected is None else f", {self.imported.num_selected} selected"
        warnings = "".join(f"\n  attention: {warning}" for warning in self.imported.warnings)
        return f"{self.imported.num_events} events imported{selected}; {self.reweighted}{warnings}"


def import_reweighted(
    config: ImportConfig,
    output: Path,
    read: Callable[[ImportConfig, Path], ImportResult],
    progress: Progress = SILENT,
) -> ReweightedImport:
    """Import events and give them coefficients of θ from a matrix element.

    The events are first read as if they did not depend on θ, into `imported.parquet` beside the output, which is
    removed in the end. A run that was interrupted reads the files anew and goes on with the chunks of the reweighting.

    Args:
        config: the section `import`, with its key `reweight`.
        output: path of the store.
        read: reads the files of a section into a store.
        progress: told the number of events.

    Raises:
        ConfigError: if the section has no key `reweight`, or does not fit the events.
        PartonicError: what `read` and `reweight_store` raise.
    """
    section = config.reweight
    if section is None:
        message = "the section `import` has no key `reweight`, so the weights of the files give the coefficients"
        raise ConfigError(message)
    check_model(section)
    between = output.with_name("imported.parquet")
    plain = config.model_copy(update={"reweight": None, "theta_independent": True})
    imported = read(plain, between)
    made_by = {"import": config.model_dump(mode="json")}
    reweighted = reweight_store(between, section, output, progress, section="import.reweight", config_record=made_by)
    between.unlink(missing_ok=True)
    return ReweightedImport(imported, reweighted)
