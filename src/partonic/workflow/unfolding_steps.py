"""The steps of unfolding: training the networks, and sampling partons with them or with a model that is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.unfolding import UnfoldingConfig, View
from partonic.progress import Progress
from partonic.workflow.places import event_store, samples_file, trained_models
from partonic.workflow.sections import needed

__all__ = ["SampleStep", "TrainStep"]


@dataclass(frozen=True)
class TrainStep:
    """The networks of unfolding, trained on simulated events: one model folder for each parton view."""

    name: str = "train"
    version: int = 1
    knows_its_work: bool = False

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether networks are trained: there is a section `unfolding`, and it names no model."""
        return config.unfolding is not None and config.unfolding.model is None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section without what only sampling needs, the process and the seed."""
        section = _section(config).model_dump(
            mode="json",
            exclude={"preset": True, "model": True, "stores": True, "sampling": True, "training": {"logger"}},
        )
        return {"unfolding": section, "process": config.process.model_dump(mode="json"), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores to train on."""
        return _section(config).stores or (event_store(config),)

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of the models."""
        return [path for view in _section(config).views for path in _model_files(trained_models(config) / view)]

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train, going on at the last checkpoint of an interrupted run."""
        from partonic.unfolding.train import train_unfolding

        stores, folder = self.inputs(config), trained_models(config)
        models = train_unfolding(stores, config.process, _section(config), config.seed, folder, progress)
        return "; ".join(map(str, models))


@dataclass(frozen=True)
class SampleStep:
    """Parton-level events, sampled for each selected event of the store: one file for each parton view."""

    name: str = "sample"
    version: int = 1
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `unfolding`."""
        return config.unfolding is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return views, the settings of the sampling and the seed; the model is among the inputs."""
        section = _section(config)
        sampling = section.sampling.physics()
        return {"views": section.views, "sampling": sampling, "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store and the files of the models.

        Raises:
            ModelError: if a model that the section names is not there.
        """
        models = [path for view in _section(config).views for path in _model_files(_model_folder(config, view))]
        return (event_store(config), *models)

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of samples."""
        return [samples_file(config, view) for view in _section(config).views]

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Sample the views one after another, going on at the last batch of an interrupted run."""
        from partonic.unfolding.sample_events import sample_events

        section = _section(config)
        model, store = section.model or trained_models(config), event_store(config)
        results = [
            sample_events(
                store, samples_file(config, view), model, view, section.sampling, config.seed, progress=progress
            )
            for view in section.views
        ]
        return "; ".join(map(str, results))


def _section(config: AnalysisConfig) -> UnfoldingConfig:
    return needed(config.unfolding, "unfolding", config)


def _model_folder(config: AnalysisConfig, view: View) -> Path:
    """Return the folder of the model of a view: trained here, or the one that the section names."""
    from partonic.trained.model_files import find_model

    model = _section(config).model
    return trained_models(config) / view if model is None else find_model(model, config.process.name, view)


def _model_files(folder: Path) -> tuple[Path, ...]:
    from partonic.trained.model_files import model_files

    return model_files(folder)
