"""What every estimator of an analysis leaves for the comparison of all of them on the same events."""

from pathlib import Path
from typing import TYPE_CHECKING

from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi.variants import SOURCE, variant_source
from partonic.estimator_registry import family_of
from partonic.pretrained import pretrained_folder
from partonic.workflow.places import estimates_file, integrated_store, sbi_calibration, sbi_members
from partonic.workflow.sbi_steps import is_calibrated

if TYPE_CHECKING:
    from partonic.inference.sources import EstimatorFiles

__all__ = ["calibration_of", "compared_estimators", "estimator_names_of"]


def estimator_names_of(config: AnalysisConfig) -> tuple[str, ...]:
    """Return the estimators that an analysis makes coefficients with, by the name of their source."""
    learned = () if config.sbi is None else tuple(variant_source(name) for name in config.sbi.estimators)
    methods = (("mem", config.mem), ("classical", config.classical))
    return (*(name for name, section in methods if section is not None), *learned)


def compared_estimators(config: AnalysisConfig) -> "dict[str, EstimatorFiles]":
    """Return the files of all estimators that are compared; none where the analysis does not ask for it.

    Those are all that the analysis makes from the events that are fitted. An estimator on another event store, and
    what `inference.coefficients` names in place of one of them, is left out.
    """
    section = config.inference
    if section is None or not section.compare:
        return {}
    store = integrated_store(config, section.source)
    names = [name for name in estimator_names_of(config) if integrated_store(config, name) == store]
    if section.coefficients is not None:
        names = [name for name in names if name != section.source]
    return {name: _files(config, name) for name in names}


def calibration_of(config: AnalysisConfig, source: str) -> Path | None:
    """Return the calibration that coefficients of an estimator are fitted with; None for none.

    It is the one that `inference.calibration` or `inference.calibrations` names, else the one that is made with
    learned coefficients here, or lies beside the ready model that they come from.
    """
    section = config.inference
    named = None
    if section is not None:
        named = section.calibrations.get(source)
        if named is None and source == section.source:
            named = section.calibration
    if named is not None:
        is_shipped = str(named) == "pretrained"
        return pretrained_folder(config.process.name) / "mem" / "calibration.json" if is_shipped else Path(named)
    variant = source.partition(".")[2]
    learned = family_of(source) == SOURCE
    return sbi_calibration(config, variant) if learned and is_calibrated(config, variant) else None


def _files(config: AnalysisConfig, name: str) -> "EstimatorFiles":
    from partonic.inference.sources import EstimatorFiles

    members = sbi_members(config, name.partition(".")[2]) if family_of(name) == SOURCE else None
    return EstimatorFiles(estimates_file(config, name), calibration_of(config, name), members)
