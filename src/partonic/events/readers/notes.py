"""What is learned of a sample while it is read: facts for the metadata of the store, and warnings for its users."""

from dataclasses import dataclass, field

__all__ = ["Notes"]


@dataclass
class Notes:
    """Facts and warnings of one import; readers fill them in until the last table.

    Attributes:
        facts: numbers and sentences by name, JSON-like; they go into `StoreMetadata.facts`.
        warnings: sentences for the terminal and the report, each once, in the order in which they arose.
    """

    facts: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Add a warning; the second time nothing happens."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def all_facts(self) -> dict[str, object]:
        """Return the facts, with the warnings among them where there are any."""
        return {**self.facts, **({"warnings": list(self.warnings)} if self.warnings else {})}
