"""All that `partonic doctor` looks at, one finding after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from partonic.config.process import PdfConfig
from partonic.errors import ModelError
from partonic.physics.pdf_sets import available_sets, search_folders
from partonic.provenance import package_versions
from partonic.workflow.doctor.data_files import check_pretrained_models
from partonic.workflow.doctor.extras import FOR_DEVELOPERS, installed_extras, missing_dependencies, requirements
from partonic.workflow.doctor.machine import ROOM_NEEDED, Machine
from partonic.workflow.doctor.self_test import run_self_test

__all__ = ["Diagnosis", "Part", "examine"]

Condition = Literal["ok", "FAILED", "missing", "skipped"]


@dataclass(frozen=True)
class Part:
    """One finding.

    Attributes:
        subject: what was looked at.
        condition: `FAILED`: something that is needed is broken; `missing`: something optional is not there;
            `skipped`: a test that needs something optional.
        detail: what was found, and what to do.
        facts: the same for programs.
        seconds: that a test took; None for what is no test.
    """

    subject: str
    condition: Condition
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None


@dataclass
class Diagnosis:
    """All findings so far."""

    parts: list[Part] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing that is needed is broken."""
        return all(part.condition != "FAILED" for part in self.parts)


def examine(folder: Path, self_test: bool = True) -> Iterator[Part]:
    """Look at the installation, one finding after the other.

    Args:
        folder: where results will go.
        self_test: also run the small analysis, some ten seconds.
    """
    yield _packages()
    yield from _extras()
    yield _machine(Machine.of(folder))
    yield _pdf_sets()
    yield _models()
    if self_test:
        for found in run_self_test():
            yield Part(f"self-test, {found.name}", found.condition, found.detail, {}, found.seconds)


def _packages() -> Part:
    everything = dict.fromkeys(name for extra in sorted(requirements()) for name in requirements()[extra])
    versions = package_versions(("partonic", *everything))
    facts: dict[str, Any] = {"versions": versions}
    if missing := missing_dependencies():
        detail = f"not installed: {', '.join(missing)}; install partonic anew: pip install partonic"
        return Part("packages", "FAILED", detail, facts)
    shown = ("python", "partonic", "numpy", "torch", "pyarrow", "pythia8mc", "fastjet", "uproot", "pyhepmc", "pylhe")
    return Part("packages", "ok", ", ".join(f"{name} {versions[name]}" for name in shown if name in versions), facts)


def _extras() -> Iterator[Part]:
    extras = installed_extras()
    whole = [extra.name for extra in extras if not extra.missing]
    names = {"extras": {extra.name: {"purpose": extra.purpose, "missing": list(extra.missing)} for extra in extras}}
    yield Part("extras", "ok", f"installed: {', '.join(whole) or 'none'}", names)
    for extra in extras:
        if extra.missing and extra.name not in FOR_DEVELOPERS:
            detail = f"{extra.purpose}; lacks {', '.join(extra.missing)}: pip install 'partonic[{extra.name}]'"
            yield Part(f"extra {extra.name}", "missing", detail)


def _machine(machine: Machine) -> Part:
    facts = {
        "cores": machine.cores, "memory": machine.memory, "memory_available": machine.available,
        "folder": str(machine.folder), "free_disk": machine.free, "gpus": list(machine.gpus), "system": machine.system,
    }  # fmt: skip
    gpus = ", ".join(machine.gpus) or "no CUDA device"
    detail = (
        f"{machine.system}, {machine.cores} cores, {machine.memory / 1e9:.1f} GB of memory "
        f"({machine.available / 1e9:.1f} GB available), {gpus}; {machine.free / 1e9:.1f} GB free in {machine.folder}"
    )
    if not machine.writable:
        problem = f"{detail}: no file can be made there; choose another folder for the results (key output, --output)"
        return Part("machine", "FAILED", problem, facts)
    if machine.free < ROOM_NEEDED:
        problem = f"{detail}: less than the {ROOM_NEEDED / 1e9:g} GB that an analysis may need; free space"
        return Part("machine", "FAILED", problem, facts)
    return Part("machine", "ok", detail, facts)


def _pdf_sets() -> Part:
    folders = search_folders()
    sets = available_sets(folders)
    facts = {"pdf_sets": sets, "pdf_folders": [str(folder) for folder in folders]}
    default = PdfConfig().name
    where = ", ".join(map(str, folders)) or "no folder"
    if default in sets:
        return Part("PDF sets", "ok", f"{', '.join(sets)} (in {where})", facts)
    shipped = "pythia8mc" in package_versions(("pythia8mc",))
    remedy = "install pythia8mc anew" if shipped else "it ships with Pythia 8: pip install 'partonic[simulation]'"
    found = ", ".join(sets) or "none"
    detail = f"the default set {default} is not there ({remedy}); found: {found} (in {where})"
    return Part("PDF sets", "FAILED" if shipped else "missing", detail, facts)


def _models() -> Part:
    try:
        names = check_pretrained_models()
    except ModelError as error:
        return Part("pretrained models", "FAILED", str(error))
    return Part("pretrained models", "ok", f"whole: {', '.join(names)}", {"models": list(names)})
