"""The files on the way to limits that the report shows."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.report.limits import LimitFiles
from partonic.workflow.estimator_files import estimator_names_of
from partonic.workflow.inference_steps import InferStep
from partonic.workflow.places import discrimination_file, estimates_file, integrated_store
from partonic.workflow.state import WorkflowState

__all__ = ["limit_files", "possible_limit_files"]


def limit_files(config: AnalysisConfig) -> LimitFiles | None:
    """Return coefficients, result of the inference and ROC curves, as far as they are there; None if nothing is.

    A report can be made before events are integrated or fitted; it is made again when more is there. ROC curves are
    shown if a script left them beside the coefficients.
    """
    coefficients = {name: path for name, path in _coefficients(config).items() if path.is_file()}
    results = () if config.inference is None else InferStep().outputs(config)
    curves = discrimination_file(config, _source(config))
    files = LimitFiles(
        coefficients=coefficients,
        store=integrated_store(config, _source(config)),
        inference=results[0] if results and all(path.is_file() for path in results) else None,
        discrimination=curves if _has_method(config) and curves.is_file() else None,
        others={name: path for name, path in _others(config).items() if path.is_file()},
        seconds=_seconds(config),
    )
    return files if any(files.paths()) else None


def possible_limit_files(config: AnalysisConfig) -> tuple[Path, ...]:
    """Return coefficients and result of the inference, whether they are there or not."""
    results = () if config.inference is None else InferStep().outputs(config)
    return (*_coefficients(config).values(), *_others(config).values(), *results)


def _coefficients(config: AnalysisConfig) -> dict[str, Path]:
    """Return the files of the estimator and of `inference`, those under backgrounds too, by hypothesis."""
    own, section = estimates_file(config, _source(config)), config.inference
    signal = None if config.mem is None and config.classical is None else own
    if section is None:
        return {} if signal is None else {config.process.name: signal}
    if section.reads_coefficients:
        signal = section.coefficients or own
    backgrounds = {
        name: each.coefficients or own.with_name(f"{name}.parquet") for name, each in section.backgrounds.items()
    }
    components = {
        name: each.coefficients or own.with_name(f"{name}.parquet") for name, each in section.components.items()
    }
    return ({} if signal is None else {config.process.name: signal}) | components | backgrounds


def _others(config: AnalysisConfig) -> dict[str, Path]:
    """Return the files of the estimators on the same events that are not fitted, by the name of their source."""
    source = _source(config)
    store = integrated_store(config, source)
    names = [name for name in estimator_names_of(config) if name != source and integrated_store(config, name) == store]
    return {name: estimates_file(config, name) for name in names}


def _seconds(config: AnalysisConfig) -> dict[str, tuple[float | None, float | None]]:
    """Return how long training and estimation took, as the output folder records it, by the name of the source."""
    records = WorkflowState(config.output).records

    def of(step: str) -> float | None:
        record = records.get(step)
        return record.seconds if record is not None and record.finished else None

    return {name: (of(f"train_{name}"), of(name)) for name in estimator_names_of(config)}


def _has_method(config: AnalysisConfig) -> bool:
    """Return whether the analysis has coefficients of events, so that it can tell signal from background."""
    return not (config.mem is None and config.classical is None and config.inference is None)


def _source(config: AnalysisConfig) -> str:
    """Return whose coefficients are shown: those that are fitted, else those of the method that is in the file."""
    if config.inference is not None and config.inference.reads_coefficients:
        return config.inference.source
    return "classical" if config.mem is None and config.classical is not None else "mem"
