"""Where the steps of an analysis leave their files: each in the folder of its name within the output folder."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.unfolding import View

__all__ = [
    "coefficients_file",
    "discrimination_file",
    "estimates_file",
    "event_store",
    "generation_record",
    "integrated_store",
    "parton_events",
    "samples_file",
    "sbi_background_files",
    "sbi_calibration",
    "trained_backgrounds",
    "trained_mem",
    "trained_models",
    "trained_sbi",
]


def parton_events(config: AnalysisConfig) -> Path:
    """Return the path of the generated parton events."""
    return config.output / "generate" / "events.lhe.gz"


def generation_record(config: AnalysisConfig) -> Path:
    """Return the path of the record of the generation."""
    return config.output / "generate" / "generation.json"


def event_store(config: AnalysisConfig) -> Path:
    """Return the path of the event store."""
    return config.output / ("import" if config.import_ else "simulate") / "events.parquet"


def trained_models(config: AnalysisConfig) -> Path:
    """Return the folder of the models trained here, which has one folder for each parton view."""
    return config.output / "train"


def samples_file(config: AnalysisConfig, view: View) -> Path:
    """Return the path of the sampled partons of a view."""
    return config.output / "sample" / f"{view}.parquet"


def trained_mem(config: AnalysisConfig) -> Path:
    """Return the folder of the networks of the matrix element method trained here, one folder for each part."""
    return config.output / "train_mem"


def trained_sbi(config: AnalysisConfig) -> Path:
    """Return the model folder of simulation-based inference trained here."""
    return config.output / "train_sbi"


def sbi_calibration(config: AnalysisConfig) -> Path:
    """Return the path of the calibration of its coefficients."""
    return config.output / "sbi" / "calibration.json"


def trained_backgrounds(config: AnalysisConfig) -> Path:
    """Return the model folder of the networks that tell backgrounds from the signal."""
    return trained_sbi(config) / "backgrounds"


def sbi_background_files(config: AnalysisConfig) -> dict[str, dict[str, Path]]:
    """Return the coefficients of the simulated events of each background of the section `sbi`, by hypothesis."""
    names = () if config.sbi is None else tuple(config.sbi.backgrounds)
    folder = config.output / "sbi"
    return {name: {each: folder / f"of_{name}" / f"{each}.parquet" for each in ("signal", *names)} for name in names}


def coefficients_file(config: AnalysisConfig) -> Path:
    """Return the path of the coefficients of events under the hypothesis of the process of the analysis."""
    return estimates_file(config, "mem")


def estimates_file(config: AnalysisConfig, source: str) -> Path:
    """Return the path of the coefficients that an estimator leaves, under the process of the analysis."""
    return config.output / source / f"{config.process.name}.parquet"


def integrated_store(config: AnalysisConfig, source: str) -> Path:
    """Return the path of the event store whose events an estimator works on."""
    section = config.classical if source == "classical" else config.mem
    return event_store(config) if section is None or section.store is None else section.store


def discrimination_file(config: AnalysisConfig, source: str = "mem") -> Path:
    """Return the path of the ROC curves of signal against background, if somebody made them for an estimator."""
    return config.output / source / "discriminant.json"
