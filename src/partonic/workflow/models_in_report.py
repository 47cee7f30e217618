"""The unfolding models that the report judges."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.workflow.places import trained_models

__all__ = ["judged_model_folders"]


def judged_model_folders(config: AnalysisConfig) -> tuple[Path, ...]:
    """Return the folders of the models that the report judges, one for each parton view; none if it need not.

    They are those of the section `unfolding`, or, without such a section, those that ship with the package.

    Raises:
        ModelError: if a model that the section names, or the package should have, is not there.
    """
    from partonic.trained.model_files import PRETRAINED, available_views, find_model

    if not config.report.unfolding.show:
        return ()
    process = config.process.name
    if config.unfolding is None:
        views = available_views(PRETRAINED, process) or ("hard",)  # the error says that there is none
        return tuple(find_model(PRETRAINED, process, view) for view in views)
    model, views = config.unfolding.model, config.unfolding.views
    if model is None:
        return tuple(trained_models(config) / view for view in views)
    return tuple(find_model(model, process, view) for view in views)
