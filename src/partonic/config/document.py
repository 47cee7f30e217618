"""A YAML file read safely, with the line of every key, so that an error can say where it is.

As in YAML 1.2, ``1e-3`` is a number, ``010`` is ten, ``1:30`` and ``1_000`` are text, and only ``true`` and ``false``
are truth values (YAML 1.1 reads the first as text, the others as 8, 90 and 1000, and ``no`` as false). A key given
twice is an error, for YAML itself would silently keep the last one.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from partonic.errors import ConfigError

__all__ = ["Location", "YamlDocument", "read_document"]

Location = tuple[str | int, ...]
"""Where a value is: keys and list positions from the top, e.g. ``("generation", "theta", "c_tG")``."""

_BOOLEAN = "tag:yaml.org,2002:bool"
_INTEGER = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_MERGE = "tag:yaml.org,2002:merge"
_WHOLE_NUMBER = re.compile(r"^(?:[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+)$")
_NUMBER = re.compile(
    r"^(?:[-+]?(?:\d+\.\d*|\d*\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


@dataclass(frozen=True)
class YamlDocument:
    """The content of a YAML file and where each of its values is written.

    Attributes:
        path: the file.
        content: the mapping at its top.
        lines: line, counted from 1, of each key or list item.
    """

    path: Path
    content: dict[str | int, object]
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Return the line of `location`, or of the nearest enclosing value that is written in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def written(self, location: Location) -> Location:
        """Return `location` without the parts that are not in the file (names of alternatives that pydantic adds)."""
        kept: Location = ()
        for part in location:
            if (*kept, part) in self.lines:
                kept = (*kept, part)
        return kept


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader, with the numbers and truth values of YAML 1.2."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (as PyYAML has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _INTEGER, _FLOAT)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def whole_number(self, node: yaml.ScalarNode) -> int:
        """Return the number that a scalar stands for: decimal, ``0o17`` or ``0xff``."""
        text = str(self.construct_scalar(node))
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)


_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_FLOAT, _NUMBER, list("-+.0123456789"))
_Loader.add_implicit_resolver(_INTEGER, _WHOLE_NUMBER, list("-+0123456789"))
_Loader.add_constructor(_INTEGER, _Loader.whole_number)


def read_document(path: Path, what: str = "sections (name: ..., process: ..., ...)") -> YamlDocument:
    """Read a YAML file whose top is a mapping.

    Args:
        path: the file.
        what: what it maps, for messages.

    Raises:
        ConfigError: if the file is missing or unreadable, is not YAML, gives a key twice, or is not a mapping.
    """
    loader = _Loader(_read_text(path))
    try:
        node = loader.get_single_node()
        lines: dict[Location, int] = {}
        if node is not None:
            _note_lines(path, loader, node, (), lines, set())
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: this is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: this is not valid YAML: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of {what}, got {_kind(content)}")
    return YamlDocument(path, content, lines)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; give the path of an analysis file (YAML)") from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected text in UTF-8, got other bytes at position {error.start}") from error


def _note_lines(
    path: Path, loader: _Loader, node: yaml.Node, location: Location, lines: dict[Location, int], seen: set[int]
) -> None:
    """Fill `lines` with the line of each value under `node`. An alias is noted where its anchor is."""
    lines.setdefault(location, node.start_mark.line + 1)
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(path, loader, item, (*location, index), lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            key = _key(path, loader, key_node)
            inner = (*location, key)
            if inner in lines:
                raise ConfigError(
                    f"{path}:{key_node.start_mark.line + 1}: key '{key}' is given twice (first on line "
                    f"{lines[inner]}); keep one of them"
                )
            lines[inner] = key_node.start_mark.line + 1
            _note_lines(path, loader, value_node, inner, lines, seen)


def _key(path: Path, loader: _Loader, node: yaml.Node) -> str | int:
    key: Hashable = loader.construct_object(node) if isinstance(node, yaml.ScalarNode) else None
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise ConfigError(f"{path}:{node.start_mark.line + 1}: a key must be a word, got {node.value!r}")
    return key


def _kind(content: object) -> str:
    if content is None:
        return "an empty file"
    if isinstance(content, list):
        return "a list"
    return "a text" if isinstance(content, str) else f"the value {content!r}"
