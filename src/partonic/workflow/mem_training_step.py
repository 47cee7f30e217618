"""The step that trains the networks of the matrix element method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.errors import ConfigError
from partonic.progress import Progress
from partonic.workflow.places import event_store, trained_mem
from partonic.workflow.sections import needed

__all__ = ["MemTrainStep"]


@dataclass(frozen=True)
class MemTrainStep:
    """The networks of the section `mem_training`, trained on simulated events: one model folder for each."""

    name: str = "train_mem"
    version: int = 2
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `mem_training`."""
        return config.mem_training is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section, the process and the seed."""
        left_out = {"preset", "stores"}
        if "initial_state" not in _section(config).parts:  # what earlier versions trained stays as it is
            left_out |= {"initial_state", "initial_state_training"}
        if "transfer" not in _section(config).parts or _section(config).transfer_start is None:
            left_out.add("transfer_start")
        section = _section(config).model_dump(mode="json", exclude=left_out)
        return {"mem_training": section, "process": config.process.model_dump(mode="json"), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores to train on, and the files of trained models that the training reads.

        Raises:
            ConfigError: if a model to be read lies where the new ones are written.
            ModelError: if a model that the section names is not there.
        """
        from partonic.mem.models import training_model_files

        files = training_model_files(_section(config), config.process.name)
        written = trained_mem(config).resolve()
        for path in files:
            if path.resolve().is_relative_to(written):  # a part that is not up to date is removed
                raise ConfigError(
                    f"mem_training: {path.parent} is to be read and lies in {written}, which the training replaces: "
                    "copy the models to another folder, and name that one"
                )
        return (*_stores(config), *files)

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of the models, with the posteriors of those that are trained with an uncertainty."""
        from partonic.trained.model_files import POSTERIOR, model_files

        section, folder = _section(config), trained_mem(config)
        kinds = {"transfer": section.transfer.uncertainty.kind, "acceptance": section.acceptance.uncertainty.kind}
        files = [path for part in section.parts for path in model_files(folder / part)]
        return files + [folder / part / POSTERIOR for part in section.parts if kinds.get(part, "none") != "none"]

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train, going on at the last checkpoint of an interrupted run."""
        from partonic.mem.train import train_mem

        section, folder = _section(config), trained_mem(config)
        return "; ".join(train_mem(_stores(config), config.process, section, config.seed, folder, progress))


def _stores(config: AnalysisConfig) -> tuple[Path, ...]:
    return _section(config).stores or (event_store(config),)


def _section(config: AnalysisConfig) -> MemNetworksConfig:
    return needed(config.mem_training, "mem_training", config)
