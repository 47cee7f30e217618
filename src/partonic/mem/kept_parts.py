"""Which of the trained parts of a folder are still those that the settings ask for, so that only others are trained.

A training of an hour must not be lost because another part got other settings. Beside each part stands a record of all
that it was made from: its own settings, seed, events, process, cuts, and the models that it read. A part with the same
record is kept, finished or not, unless a file of the model is damaged; another one is removed and trained anew, and so
is what was drawn from it.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partonic.config.mem_training.section import MemNetworksConfig, MemPart
from partonic.errors import ConfigError, ModelError, OutputError
from partonic.files import output_folder, write_json
from partonic.nn.bayesian.posterior_file import load_posterior
from partonic.provenance import content_hash, file_digest
from partonic.trained.model_files import model_fingerprint
from partonic.trained.model_folder import load_record, load_tensors

__all__ = ["PARTS", "KeptParts", "settings_of_part"]

PARTS: tuple[MemPart, ...] = ("acceptance", "initial_state", "transfer", "proposal")
"""All parts that a folder can hold."""

_RECORDS = "made_from"
"""Folder of the records, beside the parts."""

_VERSION = 1
"""Counted up when the same settings make another network."""


@dataclass(frozen=True)
class KeptParts:
    """The parts of a folder, and what they were made from.

    Attributes:
        folder: of the parts.
        common: what all parts depend on: process, cuts, seed and events.
    """

    folder: Path
    common: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path, stores: Sequence[Path], settings: Mapping[str, Any]) -> "KeptParts":
        """Return the parts of a folder, to be trained on the events of `stores` with common `settings`."""
        return cls(folder, {"version": _VERSION, "events": [file_digest(path) for path in stores], **settings})

    def remove_others(self, wanted: Sequence[str]) -> None:
        """Remove parts that are not wanted any more: the integral would take them for parts of the same model.

        Raises:
            ConfigError: if there is such a part that was not trained here.
            OutputError: if it cannot be removed.
        """
        for part in PARTS:
            place = self.folder / part
            if part in wanted or not place.exists():
                continue
            if not self._record(part).is_file():
                raise ConfigError(
                    f"{place} is not one of the parts to train ({', '.join(wanted)}), and would be taken for part of "
                    "the same model: move it away, or name it in `mem_training.parts`"
                )
            self._remove(part)

    def trained(self, part: MemPart, settings: Mapping[str, Any], train: Callable[[], str]) -> str:
        """Return one line on a part: as it is kept, or from `train`, which begins or goes on.

        Args:
            part: its name.
            settings: what it alone depends on.
            train: trains it, going on at its last checkpoint, and returns one line.

        Raises:
            OutputError: if a part that was made from something else cannot be removed.
        """
        identity = content_hash({**self.common, **settings})
        known = self._read(part)
        if known.get("identity") != identity:
            self._remove(part)
            write_json(self._record(part), {"identity": identity})
        elif "summary" in known and _is_whole(self.folder / part):
            return f"{known['summary']} (kept)"
        summary = train()
        write_json(self._record(part), {"identity": identity, "summary": summary})
        return summary

    def fingerprint(self, part: MemPart) -> str:
        """Return the fingerprint of a part that is there."""
        return model_fingerprint(self.folder / part)

    def _record(self, part: str) -> Path:
        return self.folder / _RECORDS / f"{part}.json"

    def _read(self, part: str) -> Mapping[str, Any]:
        """Return the record of a part; empty if there is none that can be read, which means to train it."""
        try:
            content = json.loads(self._record(part).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _remove(self, part: str) -> None:
        place, record = self.folder / part, self._record(part)
        output_folder(record.parent)
        try:
            record.unlink(missing_ok=True)  # first: a folder that is half removed has no record
            if place.exists():
                shutil.rmtree(place)
        except OSError as error:
            raise OutputError(f"cannot remove the outdated {place}: {error.strerror or error}") from error


def _is_whole(folder: Path) -> bool:
    """Whether a model is there with the weights, and the posterior of these, that its record says."""
    try:
        load_tensors(folder)
        posterior = load_record(folder).get("posterior")
        if posterior is not None:
            load_posterior(folder, posterior)
    except ModelError:
        return False
    return True


def settings_of_part(config: MemNetworksConfig, part: MemPart) -> dict[str, Any]:
    """Return the settings that only this part depends on, as JSON can hold them."""
    names = {part, f"{part}_training"}
    if part == "transfer":
        names |= {"consistency", "transfer_start"}
    return config.model_dump(mode="json", include=names)
