"""Whether a learned detector is there, learned such events as are asked for, or has something to learn from."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.surrogate import TransferEngineConfig
from partonic.errors import EventFileError

__all__ = ["surrogate_is_ready", "surrogate_training_is_ready"]


def surrogate_is_ready(config: AnalysisConfig) -> str:
    """Load the surrogate that makes the events, and compare what it learned with what is asked for.

    Raises:
        ConfigError: if it learned other decays, cuts, jets or another detector.
        ModelError: if it is missing or damaged.
        ProcessError, SchemaError: if it learned another process or energy.
    """
    from partonic.events.schema import ProcessInfo, StoreMetadata
    from partonic.simulation.forced_decays import decays_in_use
    from partonic.surrogate.model import DetectorSurrogate, surrogate_folder

    section = config.simulation.surrogate
    if section is None:
        return "none is asked for"
    surrogate = DetectorSurrogate.load(surrogate_folder(section.model, config.process.name))
    process = ProcessInfo.of_config(config.process)
    decays = decays_in_use(config.simulation.decays, process.parton_pdg)
    surrogate.check(StoreMetadata.for_process(process), config.simulation.model_copy(update={"decays": decays}))
    return f"'{surrogate.kind}' of {surrogate.folder} learned such events; it takes the place of the shower"


def surrogate_training_is_ready(config: AnalysisConfig) -> str:
    """Look for what a surrogate is trained on: event stores, and networks that are there already.

    Raises:
        ConfigError: if these lie where the surrogate is written.
        EventFileError: naming the stores that are missing.
        ModelError: if the networks are not there.
    """
    from partonic.workflow.surrogate.training_step import SurrogateTrainStep

    section = config.surrogate_training
    if section is None:
        return "none is trained"
    SurrogateTrainStep().inputs(config)
    missing = [str(path) for path in section.stores if not Path(path).is_file()]
    if missing:
        raise EventFileError(f"there is no file {', '.join(missing)}; mend the key surrogate_training.stores")
    source = f"{len(section.stores)} event stores found" if section.stores else "the events of this analysis"
    if isinstance(section.model, TransferEngineConfig):
        return f"the networks of {section.model.model} are compared with {source}"
    return f"'{section.model.kind}' is trained on {source}"
