"""Write reference/configuration.md and reference/analysis.schema.json from the models of the analysis file.

Run it after a change of a section: ``python docs/write_configuration.py``. A test sees to it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from partonic.config import AnalysisConfig

Schema = dict[str, Any]

FOLDER = Path(__file__).parent / "reference"
INTRODUCTION = """\
# The analysis file

Every key of an analysis file, with its type, its default and what it means. Written from the code by
`docs/write_configuration.py`. Unknown keys are errors. A key without a default must be given where its section is.

An editor that knows JSON schemas can complete and check analysis files with
[analysis.schema.json](analysis.schema.json).
"""


def schema() -> Schema:
    """Return the JSON schema of an analysis file."""
    return AnalysisConfig.model_json_schema(by_alias=True)


def schema_text() -> str:
    """Return the content of ``analysis.schema.json``."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """Return the content of ``configuration.md``."""
    content = schema()
    sections = [INTRODUCTION, _table("Top level", content)]
    sections += [_table(f"`{path}`", section) for path, section in _sections(content, content, ())]
    return "\n".join(sections)


def _sections(root: Schema, node: Schema, path: tuple[str, ...]) -> Iterator[tuple[str, Schema]]:
    """Yield every section below `node` with its dotted path."""
    for key, value in node["properties"].items():
        for section in _alternatives(value):
            yield f"{'.'.join((*path, key))}: {section['properties']['name']['const']}", section
            if section is _alternatives(value)[-1]:
                yield from _sections(root, section, (*path, key))
        for inner, suffix in _references(value):
            section = root["$defs"][inner]
            here = (*path, key + suffix)
            yield ".".join(here), section
            yield from _sections(root, section, here)


def _alternatives(value: Schema) -> list[Schema]:
    """Return the sections among which the key ``name`` chooses."""
    return [option for option in value.get("anyOf", ()) if "properties" in option]


def _references(value: Schema, suffix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the names of the sections that a value may be, with ``[]`` for lists and ``.<name>`` for mappings."""
    if "$ref" in value:
        yield value["$ref"].rpartition("/")[2], suffix
    for option in value.get("anyOf", ()):
        yield from _references(option, suffix)
    if isinstance(value.get("items"), dict):
        yield from _references(value["items"], suffix + "[]")
    if isinstance(value.get("additionalProperties"), dict):
        yield from _references(value["additionalProperties"], suffix + ".<name>")


def _table(title: str, section: Schema) -> str:
    lines = [f"## {title}", ""]
    description = section.get("description", "").strip()
    if description:
        lines += [_one_line(description.split("\n\n")[0]), ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, value in section["properties"].items():
        default = "" if key in section.get("required", ()) else _default(value)
        lines.append(f"| `{key}` | {_type(value)} | {default} | {_one_line(value.get('description', ''))} |")
    return "\n".join([*lines, ""])


def _type(value: Schema) -> str:
    if "$ref" in value or _alternatives(value):
        return "section"
    if "anyOf" in value:
        return " or ".join("none" if option.get("type") == "null" else _type(option) for option in value["anyOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}" if isinstance(value.get("items"), dict) else "list"
    if value.get("type") == "object":
        return f"mapping to {_type(value['additionalProperties'])}"
    words = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false"}
    return words.get(value.get("type", ""), "any") + _limits(value)


def _limits(value: Schema) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    limits = [f"{sign} {value[name]:g}" for name, sign in signs.items() if name in value]
    return f", {', '.join(limits)}" if limits else ""


def _default(value: Schema) -> str:
    default = value.get("default", {} if value.get("type") == "object" else None)
    if default is None:
        return "none"
    if isinstance(default, dict | list) and default:
        text = json.dumps(default, ensure_ascii=False)
        return "see below" if len(text) > 60 or isinstance(default, dict) else f"`{text}`"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


if __name__ == "__main__":
    (FOLDER / "configuration.md").write_text(page(), encoding="utf-8")
    (FOLDER / "analysis.schema.json").write_text(schema_text(), encoding="utf-8")
