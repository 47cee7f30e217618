"""Which hard processes there are: those of the package, those of installed packages, and those of a session.

A process of the package is a folder of `partonic.processes`; another package brings one by an entry point of the group
``partonic.processes`` that names its definition; `register` adds one for the running program (its worker processes do
not see it). What a definition is, `partonic.processes.definition` says; here it is only found by its name.
"""

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, runtime_checkable

from partonic.errors import ProcessError

__all__ = ["Described", "default_process", "find_process", "process_names", "register_process"]

_HOME = "partonic.processes"


@runtime_checkable
class Described(Protocol):
    """What the registry needs of a definition; see `partonic.processes.definition.ProcessDefinition`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def settings(self) -> type[Any]: ...  # noqa: D102


_registered: dict[str, Any] = {}


def process_names() -> tuple[str, ...]:
    """Return the names of all processes, in alphabetical order."""
    return tuple(sorted({*_folders(), *_entry_points(), *_registered}))


def default_process() -> str:
    """Return the name of the process of an analysis file that names none."""
    return str(importlib.import_module(_HOME).DEFAULT)


def find_process(name: str) -> Any:
    """Return the definition of a process, which loads its folder but nothing that takes long to import.

    Raises:
        ProcessError: if there is none of this name, or another package's definition cannot be loaded.
    """
    if name in _registered:
        return _registered[name]
    if name in _folders():
        return importlib.import_module(f"{_HOME}.{name}").definition
    if name in _entry_points():
        return _checked(name, _entry_points()[name])
    raise ProcessError(f"there is no process '{name}'; known: {', '.join(process_names())}")


def register_process(definition: Described) -> None:
    """Add a process to the running program.

    Raises:
        ProcessError: if the name is taken.
    """
    if definition.name in process_names():
        raise ProcessError(f"there is already a process '{definition.name}': give yours another name")
    _registered[definition.name] = definition


def _checked(name: str, entry: importlib.metadata.EntryPoint) -> Any:
    try:
        definition = entry.load()
    except (ImportError, AttributeError) as error:
        raise ProcessError(
            f"the process '{name}' of the package {_package(entry)} cannot be loaded: {error}"
        ) from error
    if getattr(definition, "name", None) != name:
        raise ProcessError(
            f"the entry point '{name}' of the package {_package(entry)} must name the definition of a process "
            f"'{name}', got {definition!r}"
        )
    return definition


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


@cache
def _folders() -> frozenset[str]:
    package = importlib.import_module(_HOME)
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


@cache
def _entry_points() -> Mapping[str, importlib.metadata.EntryPoint]:
    """Return the entry points of other packages; the folders of ours win."""
    found = importlib.metadata.entry_points(group=_HOME)
    return {entry.name: entry for entry in found if entry.name not in _folders()}
