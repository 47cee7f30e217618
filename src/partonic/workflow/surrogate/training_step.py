"""The step that trains a surrogate of shower, detector and selection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.surrogate import SurrogateTrainingConfig, TransferEngineConfig
from partonic.errors import ConfigError
from partonic.progress import Progress
from partonic.workflow.places import event_store, trained_surrogate
from partonic.workflow.sections import needed

__all__ = ["SurrogateTrainStep", "surrogate_model_files"]


def surrogate_model_files(config: AnalysisConfig) -> Sequence[Path]:
    """Return the files of the surrogate that makes the events of an analysis; none if they are simulated.

    Raises:
        ModelError: if it is not there.
    """
    section = config.simulation.surrogate
    if section is None:
        return ()
    from partonic.surrogate.model import surrogate_files, surrogate_folder

    return surrogate_files(surrogate_folder(section.model, config.process.name))


@dataclass(frozen=True)
class SurrogateTrainStep:
    """The surrogate of the section `surrogate_training`, with its closure."""

    name: str = "train_surrogate"
    version: int = 1
    knows_its_work: bool = False

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `surrogate_training`."""
        return config.surrogate_training is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section, the process and the seed."""
        section = _section(config).model_dump(mode="json", exclude={"stores"})
        return {"surrogate_training": section, "process": config.process.model_dump(mode="json"), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores to train on, and the files of networks that are there already.

        Raises:
            ConfigError: if these lie where the surrogate is written.
            ModelError: if they are not there.
        """
        model = _section(config).model
        if not isinstance(model, TransferEngineConfig):
            return _stores(config)
        from partonic.surrogate.model import surrogate_files, surrogate_folder

        folder, written = surrogate_folder(model.model, config.process.name), trained_surrogate(config).resolve()
        if folder.resolve().is_relative_to(written):
            raise ConfigError(
                f"surrogate_training.model: {folder} is to be read and lies in {written}, which the training replaces: "
                "copy the models to another folder, and name that one"
            )
        return (*_stores(config), *surrogate_files(folder))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of the surrogate."""
        from partonic.surrogate.model import SURROGATE_RECORD
        from partonic.trained.model_files import model_files

        folder = trained_surrogate(config)
        objects = "transfer" if isinstance(_section(config).model, TransferEngineConfig) else "objects"
        parts = [path for part in ("acceptance", objects) for path in model_files(folder / part)]
        return (*parts, folder / SURROGATE_RECORD)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train, going on at the last checkpoint of an interrupted run, and compare with events not learned."""
        from partonic.surrogate.train import train_surrogate

        folder = trained_surrogate(config)
        return str(train_surrogate(_stores(config), config.process, _section(config), config.seed, folder, progress))


def _stores(config: AnalysisConfig) -> tuple[Path, ...]:
    return _section(config).stores or (event_store(config),)


def _section(config: AnalysisConfig) -> SurrogateTrainingConfig:
    return needed(config.surrogate_training, "surrogate_training", config)
