"""What was done in an output folder, kept in ``workflow.json``.

A step is recorded with the fingerprint of its inputs (settings and content of the files it read) when it begins and
again, with the files it wrote, when it ends. A step whose fingerprint is unchanged and whose files are intact need not
run again; one that began and never ended goes on, if its fingerprint is the same.

Settings, names of inputs and times stand beside the fingerprint for people: they say what changed since, and how long
it took. Records of earlier versions lack them and are read all the same.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from partonic.errors import WorkflowError
from partonic.files import write_json
from partonic.provenance import file_digest, package_versions

__all__ = ["FileRecord", "StepIdentity", "StepRecord", "WorkflowState"]

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
class StepIdentity:
    """What a step is about to work on.

    Attributes:
        fingerprint: hash of version, settings and content of the inputs.
        version: of the step.
        settings: all that its result depends on, as JSON-like values.
        inputs: the files that it reads.
        workload: numbers that its duration is about proportional to, by the key of the analysis file.
    """

    fingerprint: str
    version: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)
    inputs: Sequence[Path] = ()
    workload: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepRecord:
    """What is known of one step; None where an earlier version of partonic did not record it.

    Attributes:
        fingerprint: hash of the settings and inputs that it ran with.
        finished: whether it came to its end.
        summary: one line on its result.
        files: the files it read and wrote, relative to the output folder where they lie within it.
        versions: packages that made it.
        version: of the step.
        settings: that it ran with.
        inputs: names of those of `files` that it read.
        workload: as in `StepIdentity`.
        started: when it was begun last, UTC in ISO format.
        ended: when it ended or was interrupted; None while it works, and after a kill.
        seconds: that it has worked, interrupted runs included; None if a part of it is not known.
        earlier_seconds: how long it took when it last came to its end before.
        earlier_workload: the workload of that time.
    """

    fingerprint: str
    finished: bool = False
    summary: str = ""
    files: dict[str, FileRecord] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    version: int | None = None
    settings: dict[str, object] | None = None
    inputs: list[str] | None = None
    workload: dict[str, float] = field(default_factory=dict)
    started: str | None = None
    ended: str | None = None
    seconds: float | None = None
    earlier_seconds: float | None = None
    earlier_workload: dict[str, float] = field(default_factory=dict)

    def last_duration(self) -> tuple[float, dict[str, float]] | None:
        """Return the seconds of the last time that the step came to its end, and the workload; None if not known."""
        if self.finished:
            return None if self.seconds is None else (self.seconds, self.workload)
        return None if self.earlier_seconds is None else (self.earlier_seconds, self.earlier_workload)


class WorkflowState:
    """The records of the steps of one output folder."""

    def __init__(self, folder: Path) -> None:
        """Read the records of `folder`; there are none in a new folder.

        Raises:
            WorkflowError: if ``workflow.json`` cannot be understood.
        """
        self.folder = folder
        self.path = folder / "workflow.json"
        self.analysis: dict[str, object] = {}
        self.records = self._read()
        self._began = time.monotonic()

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, from the records if its size and time are as recorded."""
        return FileRecord.of(path, self._known(path)).digest

    def is_current(self, step: str, fingerprint: str, outputs: Sequence[Path]) -> bool:
        """Whether `step` ended with this fingerprint and its output files are as it left them."""
        record = self.records.get(step)
        if record is None or not record.finished or record.fingerprint != fingerprint:
            return False
        return all(self.is_intact(path, record) for path in outputs)

    def can_resume(self, step: str, fingerprint: str) -> bool:
        """Whether what `step` left unfinished was made with this fingerprint."""
        record = self.records.get(step)
        return record is not None and not record.finished and record.fingerprint == fingerprint

    def begin(self, step: str, identity: StepIdentity) -> None:
        """Record that `step` begins, or goes on."""
        record, resumes = self.records.get(step), self.can_resume(step, identity.fingerprint)
        last = record.last_duration() if record else None
        self._began = time.monotonic()
        self._write(
            step,
            StepRecord(
                identity.fingerprint,
                files={self.name_of(path): FileRecord.of(path, self._known(path)) for path in identity.inputs},
                version=identity.version,
                settings=json.loads(json.dumps(dict(identity.settings))),
                inputs=[self.name_of(path) for path in identity.inputs],
                workload=dict(identity.workload),
                started=_now(),
                seconds=_spent(record) if record and resumes else 0.0,
                earlier_seconds=last[0] if last else None,
                earlier_workload=last[1] if last else {},
            ),
        )

    def interrupt(self, step: str) -> None:
        """Record how long `step`, begun before, has worked when it is interrupted."""
        record = self.records[step]
        self._write(step, replace(record, ended=_now(), seconds=self._worked(record)))

    def end(self, step: str, files: Sequence[Path], summary: str) -> None:
        """Record that `step`, begun before, has ended and left `files`."""
        records = {self.name_of(path): FileRecord.of(path, self._known(path)) for path in files}
        record = self.records[step]
        done = replace(record, finished=True, summary=summary, files=records, versions=package_versions())
        self._write(step, replace(done, ended=_now(), seconds=self._worked(record)))

    def is_intact(self, path: Path, record: StepRecord) -> bool:
        """Whether a file is as the step of `record` left it."""
        known = record.files.get(self.name_of(path))
        return known is not None and path.is_file() and FileRecord.of(path, known).digest == known.digest

    def name_of(self, path: Path) -> str:
        """Return the name of a file in the records: relative to the output folder if it lies within it."""
        path = path.resolve()
        inside = path.is_relative_to(self.folder.resolve())
        return str(path.relative_to(self.folder.resolve()) if inside else path)

    def _worked(self, record: StepRecord) -> float | None:
        """Return the seconds before this run and in it."""
        return None if record.seconds is None else round(record.seconds + time.monotonic() - self._began, 3)

    def _known(self, path: Path) -> FileRecord | None:
        name = self.name_of(path)
        return next((record.files[name] for record in self.records.values() if name in record.files), None)

    def _read(self) -> dict[str, StepRecord]:
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise WorkflowError(f"{self.path} is damaged (it holds no mapping); remove that file to begin anew")
            if content["format"] != FORMAT:
                raise WorkflowError(
                    f"{self.path} has format {content['format']}, this version of partonic writes {FORMAT}; use "
                    "another folder (--output) or remove that file to begin anew"
                )
            self.analysis = dict(content.get("analysis", {}))
            return {name: _record(entry) for name, entry in content["steps"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WorkflowError(f"{self.path} is damaged ({error}); remove that file to begin anew") from error

    def _write(self, step: str, record: StepRecord) -> None:
        self.records[step] = record
        steps = {name: asdict(entry) for name, entry in self.records.items()}
        write_json(self.path, {"format": FORMAT, "analysis": self.analysis, "steps": steps})


def _record(entry: dict[str, Any]) -> StepRecord:
    files = entry.pop("files", {})
    if not isinstance(files, dict):
        message = "files is not a mapping"
        raise TypeError(message)
    _check_types(entry, files)
    return StepRecord(**entry, files={name: FileRecord(**known) for name, known in files.items()})


def _check_types(entry: Mapping[str, Any], files: Mapping[str, object]) -> None:
    """Check what is read for people only, which would otherwise fail where it is shown.

    Raises:
        TypeError: naming the entry that is not what it should be.
        ValueError: if a time is none.
    """
    for key in ("started", "ended"):
        if entry.get(key) is not None:
            datetime.fromisoformat(entry[key])
    inputs, workloads = entry.get("inputs"), [entry.get(key, {}) for key in ("workload", "earlier_workload")]
    sound = {
        "settings": isinstance(entry.get("settings"), dict | None),
        "inputs": inputs is None or (isinstance(inputs, list) and all(name in files for name in inputs)),
        "workload": all(isinstance(each, dict) and all(map(_is_positive, each.values())) for each in workloads),
        "seconds": all(isinstance(entry.get(key), int | float | None) for key in ("seconds", "earlier_seconds")),
    }
    if wrong := [name for name, is_sound in sound.items() if not is_sound]:
        raise TypeError(f"{', '.join(wrong)} not as expected")


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def _spent(record: StepRecord) -> float | None:
    """Return the seconds that an unfinished step has worked; None after a kill, which leaves no time behind."""
    return None if record.ended is None else record.seconds


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
