"""Steps that only copy text, to see what the workflow does with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.progress import Progress


@dataclass
class TextStep:
    """Writes the seed, or what the step before wrote, into ``<name>/text``; notes how often it ran."""

    name: str
    before: str | None = None
    version: int = 1
    knows_its_work: bool = False
    interrupt: bool = False
    runs: list[str] = field(default_factory=list)

    def applies(self, config: AnalysisConfig) -> bool:
        return True

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        return {"seed": config.seed} if self.before is None else {}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        return [] if self.before is None else [config.output / self.before / "text"]

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        return [config.output / self.name / "text"]

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        folder = config.output / self.name
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / "part"
        self.runs.append("went on" if part.exists() else "began")
        part.write_text("half of the work")
        if self.interrupt:
            raise KeyboardInterrupt
        text = "".join(path.read_text() for path in self.inputs(config))
        (folder / "text").write_text(f"{text}{self.name} {config.seed if self.before is None else ''}\n")
        part.unlink()
        return f"{self.name} done"


@pytest.fixture
def steps() -> list[TextStep]:
    return [TextStep("generate"), TextStep("simulate", before="generate"), TextStep("report", before="simulate")]


@pytest.fixture
def config(tmp_path: Path) -> AnalysisConfig:
    return AnalysisConfig(name="toy", output=tmp_path / "out", seed=3)
