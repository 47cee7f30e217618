"""What was done in an output folder, kept in ``workflow.json``.

A step is recorded with the fingerprint of its inputs (settings and content of the files it read) when it begins and
again, with the files it wrote, when it ends. A step whose fingerprint is unchanged and whose files are intact need not
run again; one that began and never ended goes on, if its fingerprint is the same.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from partonic.errors import WorkflowError
from partonic.files import write_json
from partonic.provenance import file_digest, package_versions

__all__ = ["FileRecord", "StepRecord", "WorkflowState"]

FORMAT = 1


@dataclass(frozen=True)
class FileRecord:
    """A file as a step left it.

    Attributes:
        size: in bytes.
        modified: time of the last change in ns; when size and time are as recorded, the content is not read again.
        digest: SHA-256 of the content.
    """

    size: int
    modified: int
    digest: str

    @classmethod
    def of(cls, path: Path, known: "FileRecord | None" = None) -> "FileRecord":
        """Return the record of a file, reading its content only if it may differ from `known`."""
        status = path.stat()
        if known and (known.size, known.modified) == (status.st_size, status.st_mtime_ns):
            return known
        return cls(status.st_size, status.st_mtime_ns, file_digest(path))


@dataclass(frozen=True)
class StepRecord:
    """What is known of one step.

    Attributes:
        fingerprint: hash of the settings and inputs that it ran with.
        finished: whether it came to its end.
        summary: one line on its result.
        files: the files it read and wrote, relative to the output folder where they lie within it.
        versions: packages that made it.
    """

    fingerprint: str
    finished: bool = False
    summary: str = ""
    files: dict[str, FileRecord] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


class WorkflowState:
    """The records of the steps of one output folder."""

    def __init__(self, folder: Path) -> None:
        """Read the records of `folder`; there are none in a new folder.

        Raises:
            WorkflowError: if ``workflow.json`` cannot be understood.
        """
        self.folder = folder
        self.path = folder / "workflow.json"
        self.records = self._read()

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, from the records if its size and time are as recorded."""
        return FileRecord.of(path, self._known(path)).digest

    def is_current(self, step: str, fingerprint: str, outputs: Sequence[Path]) -> bool:
        """Whether `step` ended with this fingerprint and its output files are as it left them."""
        record = self.records.get(step)
        if record is None or not record.finished or record.fingerprint != fingerprint:
            return False
        return all(self._intact(path, record) for path in outputs)

    def can_resume(self, step: str, fingerprint: str) -> bool:
        """Whether what `step` left unfinished was made with this fingerprint."""
        record = self.records.get(step)
        return record is not None and not record.finished and record.fingerprint == fingerprint

    def begin(self, step: str, fingerprint: str) -> None:
        """Record that `step` begins."""
        self._write(step, StepRecord(fingerprint))

    def end(self, step: str, files: Sequence[Path], summary: str) -> None:
        """Record that `step`, begun before, has ended and left `files`."""
        records = {self._name(path): FileRecord.of(path, self._known(path)) for path in files}
        done = replace(self.records[step], finished=True, summary=summary, files=records, versions=package_versions())
        self._write(step, done)

    def _intact(self, path: Path, record: StepRecord) -> bool:
        known = record.files.get(self._name(path))
        return known is not None and path.is_file() and FileRecord.of(path, known).digest == known.digest

    def _known(self, path: Path) -> FileRecord | None:
        name = self._name(path)
        return next((record.files[name] for record in self.records.values() if name in record.files), None)

    def _name(self, path: Path) -> str:
        path = path.resolve()
        inside = path.is_relative_to(self.folder.resolve())
        return str(path.relative_to(self.folder.resolve()) if inside else path)

    def _read(self) -> dict[str, StepRecord]:
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise WorkflowError(
                    f"{self.path} has format {content['format']}, this version of partonic writes {FORMAT}; use "
                    "another folder (--output) or remove that file to begin anew"
                )
            return {name: _record(entry) for name, entry in content["steps"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WorkflowError(f"{self.path} is damaged ({error}); remove that file to begin anew") from error

    def _write(self, step: str, record: StepRecord) -> None:
        self.records[step] = record
        steps = {name: asdict(entry) for name, entry in self.records.items()}
        write_json(self.path, {"format": FORMAT, "steps": steps})


def _record(entry: dict[str, object]) -> StepRecord:
    files = entry.pop("files", {})
    if not isinstance(files, dict):
        message = "files is not a mapping"
        raise TypeError(message)
    return StepRecord(**entry, files={name: FileRecord(**known) for name, known in files.items()})  # type: ignore[arg-type]
