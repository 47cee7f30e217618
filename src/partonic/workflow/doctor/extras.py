"""Optional packages: which extras of the installed package are there, and what each is for."""

import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EXTRA_PURPOSES", "FOR_DEVELOPERS", "Extra", "installed_extras", "missing_dependencies", "requirements"]

EXTRA_PURPOSES: Mapping[str, str] = {
    "generation": "generating events: neural importance sampling, Les Houches files",
    "simulation": "shower, jets and detector response; brings the default PDF set",
    "readers": "importing NanoAOD, Delphes, HepMC and LHE files",
    "ufo": "matrix elements of UFO models, and of processes that need a generator for theirs",
    "mem": "the matrix element method on several cores; the classical method",
    "training": "training networks",
    "inference": "pseudo-experiments on several cores; fits checked by Minuit; pyhf workspaces",
    "classifier": "boosted trees to compare the discriminant with",
    "export": "networks as ONNX files, compared with torch when they are written",
    "sbi": "boosted information trees, L-GATr (networks of simulation-based inference need `training`)",
    "lloca": "networks over objects in learned local frames (LLoCa)",
    "optimise": "the search for the θ* of one template (`inference.template`)",
    "benchmarks": "programs that the benchmarks compare with",
    "report": "the HTML report and its figures",
    "docs": "building the documentation",
    "test": "running the tests",
}
"""What each extra is for. `all` is their sum, without `FOR_DEVELOPERS`."""

FOR_DEVELOPERS = ("benchmarks",)
"""Extras that no analysis needs: that they are not installed is no finding."""


@dataclass(frozen=True)
class Extra:
    """One extra of the package.

    Attributes:
        name: as in ``pip install 'partonic[<name>]'``.
        purpose: what it is for.
        missing: its packages that are not installed.
    """

    name: str
    purpose: str
    missing: tuple[str, ...]


def requirements() -> dict[str, tuple[str, ...]]:
    """Return the packages that partonic was installed to need, by extra; those that it always needs under ``""``."""
    found: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("partonic") or []:
        requirement, _, marker = line.partition(";")
        name = re.split(r"[\s<>=!~\[(]", requirement.strip(), maxsplit=1)[0]
        extra = re.search(r"""extra\s*==\s*["']([^"']+)["']""", marker)
        if name != "partonic":  # an extra that is the sum of others
            found.setdefault(extra[1] if extra else "", []).append(name)
    return {extra: tuple(names) for extra, names in found.items()}


def missing_dependencies() -> tuple[str, ...]:
    """Return the packages that partonic always needs and that are not installed."""
    return _missing(requirements().get("", ()))


def installed_extras() -> tuple[Extra, ...]:
    """Return all extras, with the packages of each that are not installed."""
    return tuple(
        Extra(name, EXTRA_PURPOSES.get(name, "see docs/explanation/dependencies.md"), _missing(packages))
        for name, packages in requirements().items()
        if name
    )


def _missing(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not _is_installed(name))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
