"""The steps of an analysis, in order. Later steps (train, sample, mem, infer) join the list between events and report.

Each step owns the folder of its name within the output folder. What is heavy is imported when the step runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.progress import Progress
from partonic.workflow.step import Step

__all__ = ["STEPS", "GenerateStep"]

EVENT_FILE = "events.lhe.gz"
EVENT_STORE = "events.parquet"


@dataclass(frozen=True)
class GenerateStep:
    """Unweighted parton events with their θ-coefficients, as LHE."""

    name: str = "generate"
    version: int = 1

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether events are generated here and not imported."""
        return True

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return process, generation and seed."""
        return {
            "process": config.process.model_dump(mode="json"),
            "generation": config.generation.model_dump(mode="json"),
            "seed": config.seed,
        }

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Nothing is read."""
        return ()

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the LHE file and the summary of the generation."""
        return (event_file(config), config.output / self.name / "generation.json")

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Generate the events."""
        from partonic.generation.generate import generate_events
        from partonic.physics.hard_process import build_process

        process = build_process(config.process)
        result = generate_events(process, config.generation, config.seed, config.output / self.name, progress)
        return str(result)


def event_file(config: AnalysisConfig) -> Path:
    """Return the path of the generated parton events."""
    return config.output / "generate" / EVENT_FILE


STEPS: tuple[Step, ...] = (GenerateStep(),)
