"""From a YAML file to a validated configuration, with errors that name the key, the file line and the nearest name."""

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from partonic.config.base import SettingError
from partonic.config.document import Location, YamlDocument, read_document
from partonic.config.names import nearest
from partonic.config.process import ProcessConfig, settings_models
from partonic.errors import ConfigError
from partonic.process_registry import default_process, find_process, process_names

__all__ = ["FILL_IN", "load_config"]

FILL_IN = "FILL_IN"
"""Stands in files to begin with where only the user knows the value; no setting takes it."""

Model = TypeVar("Model", bound=BaseModel)


def load_config(path: Path, model: type[Model]) -> Model:
    """Read the YAML file `path` and validate it as `model`.

    Raises:
        ConfigError: if the file cannot be read, or holds an unknown key, a missing one or a value that is not valid.
            The message has one line for each problem: file, line, dotted key, what was expected and what came.
    """
    document = read_document(path)
    try:
        return model.model_validate(document.content)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, document, model))) from error


def explain(error: ValidationError, document: YamlDocument, model: type[BaseModel]) -> list[str]:
    """Return one line for each problem that pydantic found, in the order of the file."""
    problems = sorted({_problem(dict(item), document, model) for item in error.errors(include_url=False)})
    return [f"{document.path}:{line}: {text}" for line, text in problems]


def _problem(item: dict[str, Any], document: YamlDocument, model: type[BaseModel]) -> tuple[int, str]:
    location: Location = item["loc"]
    setting = item.get("ctx", {}).get("error")
    if isinstance(setting, SettingError):
        location = (*location, *setting.location)
        key = dotted(document.written(location))
        return document.line(location), f"{key}: {setting}" if key else str(setting)
    if item["type"] == "extra_forbidden":
        return document.line(location), _unknown_key(location, document, model)
    if item["type"] == "missing":
        return document.line(location[:-1]), f"{dotted(location)}: this key is missing"
    name = dotted(document.written(location)) or "the file"
    if item["input"] == FILL_IN:
        return document.line(location), f"{name}: this value is still to be filled in, in place of {FILL_IN}"
    return document.line(location), f"{name}: {_lower(item['msg'])}, got {item['input']!r}"


def _unknown_key(location: Location, document: YamlDocument, model: type[BaseModel]) -> str:
    name = str(location[-1])
    sections = sections_at(model, location[:-1], document.content)
    known = sorted({key for section in sections for key in keys_of(section)})
    hint = nearest(name, known)
    if any(issubclass(section, ProcessConfig) for section in sections) and (owners := _processes_with(name)):
        hint = f"other processes have it ({', '.join(owners)}); {hint}"
    elsewhere = [dotted(found) for found in all_locations(model) if found[-1] == name and found != location]
    if elsewhere and name not in known:
        hint = f"it exists as {' and '.join(elsewhere)}. {hint}"
    return f"{dotted(document.written(location))}: unknown key '{name}'; {hint}"


def dotted(location: Location) -> str:
    """Return a location as it is printed, e.g. ``generation.theta.c_tG``."""
    return ".".join(str(part) for part in location)


def keys_of(section: type[BaseModel]) -> dict[str, Any]:
    """Return the keys of a section as they are written in a file, with their annotations."""
    return {info.alias or name: info.annotation for name, info in section.model_fields.items()}


def sections_at(model: type[BaseModel], location: Location, content: object = None) -> set[type[BaseModel]]:
    """Return the section models that a location can mean (several where a value has alternatives).

    Of the sections of all processes it is the one that `content`, what is written in the file, names.
    """
    sections, named = {model}, False
    for part in location:
        if named:  # the part is the name that the file gives to a section, whatever keys are called so
            named, content = False, content.get(part) if isinstance(content, Mapping) else None
            continue
        annotations = [keys_of(section).get(str(part)) for section in sections]
        inner = {found for annotation in annotations for found in sections_in(annotation)}
        named = bool(inner) and any(_is_mapping(annotation) for annotation in annotations)
        content = content.get(part) if isinstance(content, Mapping) else None
        sections = _of_named_process(inner or sections, content)
    return sections


def _is_mapping(annotation: Any) -> bool:
    """Whether an annotation is that of a mapping, or has one among its alternatives."""
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return True
    return any(_is_mapping(each) for each in typing.get_args(annotation)) if origin is not None else False


def _of_named_process(sections: set[type[BaseModel]], content: object) -> set[type[BaseModel]]:
    """Return the settings of the process that a section names, if that is what the sections are; else all of them."""
    if not isinstance(content, Mapping) or not all(issubclass(section, ProcessConfig) for section in sections):
        return sections
    name = content.get("name", default_process())
    return {find_process(name).settings} if name in process_names() else sections


def _processes_with(key: str) -> list[str]:
    """Return the names of the processes that have a key in their settings."""
    return [name for name in process_names() if key in keys_of(find_process(name).settings)]


def all_locations(model: type[BaseModel], above: Location = ()) -> Iterator[Location]:
    """Yield every key of a model, section by section."""
    for key, annotation in keys_of(model).items():
        yield (*above, key)
        for section in sections_in(annotation):
            yield from all_locations(section, (*above, key))


def sections_in(annotation: Any) -> set[type[BaseModel]]:
    """Return the models named in an annotation such as ``Section | None`` or ``list[Section]``."""
    if isinstance(annotation, type) and issubclass(annotation, ProcessConfig):
        return {annotation, *settings_models()} if annotation is ProcessConfig else {annotation}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for argument in typing.get_args(annotation) for found in sections_in(argument)}


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
