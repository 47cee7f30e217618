"""Write the tables of reference/event_schema.md from the columns in the code.

Run it after a change of a column: ``python docs/write_event_schema.py``. A test sees to it.
"""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from partonic.events.columns import GROUPS, Column
from partonic.events.schema import SCHEMA_VERSION, EventSchema, ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials

PAGE = Path(__file__).parent / "reference" / "event_schema.md"
BEGIN = "<!-- written by docs/write_event_schema.py -->"
END = "<!-- end -->"

TTH = ProcessInfo(
    "tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("delta_kappa_t", "kappa_tilde_t", "c_tG"), 2), 13e3
)


def tables() -> str:
    """Return version, columns and metadata as Markdown, for ttH with one extra weight."""
    process = replace(TTH, final_states=(TTH.parton_pdg, tuple(-pdg for pdg in TTH.parton_pdg)))
    columns = EventSchema(process, ("<name>",), identity=True).columns
    parts = [f"Schema version {SCHEMA_VERSION}."]
    for group in GROUPS:
        parts += [f"\n### {group}\n", "| column | type | unit | meaning |", "|---|---|---|---|"]
        parts += [_row(column) for column in columns if column.group == group]
    parts += ["\n## Metadata\n", "| key | meaning |", "|---|---|"]
    fields = StoreMetadata.model_fields.items()
    parts += [f"| `{name}` | {' '.join((field.description or '').split())} |" for name, field in fields]
    return "\n".join(parts) + "\n"


def _row(column: Column) -> str:
    null = "" if column.nullable else " Never null."
    meaning = column.description.replace("|", "\\|") + null
    return f"| `{column.name}` | {_type(column.type)} | {column.unit} | {meaning} |"


def _type(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.value_type}[{kind.list_size}]"
    if pa.types.is_list(kind):
        return f"list of {kind.value_type}"
    return str(kind)


def page(text: str) -> str:
    """Return the page with its tables renewed."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
