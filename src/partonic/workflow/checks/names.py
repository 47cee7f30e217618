"""Whether names in an analysis file are names of something: features, observables, estimators that are calibrated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from partonic.config.analysis import AnalysisConfig
from partonic.config.names import nearest
from partonic.config.sbi import SbiConfig
from partonic.errors import ConfigError
from partonic.workflow.places import event_store

if TYPE_CHECKING:
    from partonic.events.schema import StoreMetadata

__all__ = ["check_calibrations", "check_features", "check_observables"]


def check_features(config: AnalysisConfig, section: SbiConfig, key: str) -> None:
    """Check the names of features against the events that are learned from, or will be.

    Raises:
        ConfigError: naming the key and the name that is none.
    """
    from partonic.features.named import NamedFeatures
    from partonic.sbi.stacking.names import is_coefficient

    names = [name for name in section.features if not is_coefficient(name)]
    for metadata in _metadata_of_events(config, section.stores) if names else ():
        try:
            NamedFeatures(names, metadata)
        except ConfigError as error:
            raise ConfigError(f"{key}.features: {error}") from error


def _metadata_of_events(config: AnalysisConfig, stores: Sequence[Path]) -> "tuple[StoreMetadata, ...]":
    """Return what the stores say of themselves, those made here as the process will make them; none if not known."""
    from partonic.events.schema import ProcessInfo, StoreMetadata
    from partonic.events.store import EventStore

    paths = stores or (event_store(config),)
    known = tuple(EventStore.open(path).metadata for path in paths if path.is_file())
    if known or stores or config.import_:
        return known
    photons = config.simulation.with_photons
    return (StoreMetadata.for_process(ProcessInfo.of_config(config.process), photons=photons),)


def check_calibrations(config: AnalysisConfig) -> None:
    """Check that calibrations are of estimators of the analysis.

    Raises:
        ConfigError: naming the one that is none.
    """
    from partonic.workflow.estimator_files import estimator_names_of

    if config.inference is None:
        return
    known = (*estimator_names_of(config), config.inference.source)
    for name in config.inference.calibrations:
        if name not in known:
            raise ConfigError(
                f"inference.calibrations.{name}: the analysis has no estimator '{name}'; {nearest(name, known)}"
            )


def check_observables(config: AnalysisConfig) -> None:
    """Check the observables of reconstructed events that are binned, or that regions of the template are made of.

    Raises:
        ConfigError: naming the key and the name that is none.
    """
    from partonic.inference.binned.histograms import object_observable_names

    if config.inference is None:
        return
    asked = [
        (f"inference.binned.{name}.edges", observable)
        for name, histogram in config.inference.binned.items()
        if histogram.of == "objects"
        for observable in histogram.edges
    ]
    regions = {} if config.inference.template is None else config.inference.template.regions
    asked += [
        (f"inference.template.regions.{name}.where", observable)
        for name, region in regions.items()
        for observable in region.where
    ]
    known = object_observable_names()
    for key, name in asked:
        if name not in known:
            raise ConfigError(f"{key}: there is no observable '{name}' of reconstructed events; {nearest(name, known)}")
