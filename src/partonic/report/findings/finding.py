"""One thing to look at before a result is believed."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "count_and_share", "level_of", "percent"]


Level = Literal["fault", "attention"]


def level_of(*, is_fault: bool) -> Level:
    """Return the level of a finding."""
    return "fault" if is_fault else "attention"


@dataclass(frozen=True)
class Finding:
    """A finding.

    Attributes:
        level: ``"fault"`` if the result should not be used as it is, ``"attention"`` if one should know of it.
        step: what it is about, e.g. ``"fit"``.
        text: a short sentence with the number found and the bound that it is compared with.
        section: name of the section of the report that shows it; empty for none.
    """

    level: Level
    step: str
    text: str
    section: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the fields by name."""
        return {"level": self.level, "step": self.step, "text": self.text, "section": self.section}


def percent(share: float) -> str:
    """Return a share as e.g. ``"0.3%"``, two digits where they are few."""
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.0f}%"


def count_and_share(number: float, total: float) -> str:
    """Return e.g. ``"640 of 1,773 events (36%)"``."""
    return f"{number:,.6g} of {total:,.6g} events ({percent(number / total)})"
