"""Where the steps of an analysis leave their files: each in the folder of its name within the output folder."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi.variants import SOURCE, variant_source
from partonic.config.unfolding import View
from partonic.estimator_registry import family_of

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
    "sbi_members",
    "trained_backgrounds",
    "trained_mem",
    "trained_models",
    "trained_sbi",
    "trained_surrogate",
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


def trained_surrogate(config: AnalysisConfig) -> Path:
    """Return the folder of the surrogate of shower, detector and selection that is trained here."""
    return config.output / "train_surrogate"


def trained_sbi(config: AnalysisConfig, variant: str = "") -> Path:
    """Return the model folder of simulation-based inference: of the one trained here, or the ready one it names.

    Args:
        config: the analysis.
        variant: name in `sbi.also`; empty for the section itself.

    Raises:
        ModelError: if a model that is named is not there.
    """
    section = None if config.sbi is None else config.sbi.estimators.get(variant)
    if section is not None and section.model is not None:
        from partonic.trained.model_files import find_sbi_model

        return find_sbi_model(section.model, config.process.name)
    return config.output / variant_source(variant).replace("sbi", "train_sbi", 1)


def sbi_calibration(config: AnalysisConfig, variant: str = "") -> Path:
    """Return the path of the calibration of its coefficients; it need not exist beside a ready model."""
    section = None if config.sbi is None else config.sbi.estimators.get(variant)
    if section is not None and section.model is not None:
        return trained_sbi(config, variant) / "calibration.json"
    return config.output / variant_source(variant) / "calibration.json"


def trained_backgrounds(config: AnalysisConfig, variant: str = "") -> Path:
    """Return the model folder of the networks that tell backgrounds from the signal."""
    return trained_sbi(config, variant) / "backgrounds"


def sbi_background_files(config: AnalysisConfig, variant: str = "") -> dict[str, dict[str, Path]]:
    """Return the coefficients of the simulated events of each background that is learned, by hypothesis.

    Args:
        config: the analysis.
        variant: name in `sbi.also`; empty for the section itself.
    """
    section = None if config.sbi is None else config.sbi.estimators.get(variant)
    names = () if section is None else tuple(section.backgrounds)
    folder = config.output / variant_source(variant)
    return {name: {each: folder / f"of_{name}" / f"{each}.parquet" for each in ("signal", *names)} for name in names}


def sbi_members(config: AnalysisConfig, variant: str = "") -> Path:
    """Return the path of the ratios of the members of its ensemble."""
    return config.output / variant_source(variant) / "members.safetensors"


def coefficients_file(config: AnalysisConfig) -> Path:
    """Return the path of the coefficients of events under the hypothesis of the process of the analysis."""
    return estimates_file(config, "mem")


def estimates_file(config: AnalysisConfig, source: str) -> Path:
    """Return the path of the coefficients that an estimator leaves, under the process of the analysis."""
    return config.output / source / f"{config.process.name}.parquet"


def integrated_store(config: AnalysisConfig, source: str) -> Path:
    """Return the path of the event store whose events an estimator works on."""
    if family_of(source) == SOURCE:
        return event_store(config)
    section = config.classical if source == "classical" else config.mem
    return event_store(config) if section is None or section.store is None else section.store


def discrimination_file(config: AnalysisConfig, source: str = "mem") -> Path:
    """Return the path of the ROC curves of signal against background, if somebody made them for an estimator."""
    return config.output / source / "discriminant.json"
