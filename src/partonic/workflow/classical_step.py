"""The step of the classical matrix element method: P_a(x) of the selected events without any network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.classical import ClassicalConfig
from partonic.errors import ConfigError, ModelError
from partonic.pretrained import pretrained_folder
from partonic.progress import Progress
from partonic.workflow.places import estimates_file, integrated_store
from partonic.workflow.sections import needed

__all__ = ["ClassicalStep"]

_SEMILEPTONIC = "semileptonic"


@dataclass(frozen=True)
class ClassicalStep:
    """Coefficients P_a(x) of the selected events from parametric transfer functions and VEGAS."""

    name: str = "classical"
    version: int = 1
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `classical`."""
        return config.classical is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the coefficients depend on: settings, process and seed; files are among the inputs."""
        section = _section(config)
        fitted = {"selection": config.simulation.selection.model_dump(mode="json")} if section.transfer.fit_to else {}
        return {
            "classical": section.physics(),
            "max_events": section.max_events,
            "process": config.process.model_dump(mode="json"),
            "seed": config.seed,
            **fitted,
        }

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores, and the file of the transfer functions if they are not fitted here.

        Raises:
            ModelError: if no transfer functions ship for the process and none are named.
        """
        section = _section(config)
        transfer = section.transfer.fit_to or _transfer_file(config)
        others = (section.normalisation_store,) if section.normalisation_store is not None else ()
        return tuple(dict.fromkeys((integrated_store(config, self.name), *others, transfer)))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the file of coefficients, and the transfer functions if they are fitted here."""
        fitted = (_transfer_file(config),) if _section(config).transfer.fit_to else ()
        return (estimates_file(config, self.name), *fitted)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Integrate, going on at the last batch of an interrupted run.

        Raises:
            ConfigError: if the tops do not decay semileptonically.
        """
        from partonic.events.store import EventStore
        from partonic.mem.classical.fit import fit_transfer_functions
        from partonic.mem.classical.integrate_events import ClassicalRun, integrate_classically

        section, transfer, simulation = _section(config), _transfer_file(config), config.simulation
        if simulation.decays.tops != _SEMILEPTONIC:
            raise ConfigError(
                "the classical matrix element method knows one decay channel, `simulation.decays.tops: "
                f"{_SEMILEPTONIC}`, and the analysis '{config.name}' has '{simulation.decays.tops}': remove the "
                "section `classical`, or use the section `mem`"
            )
        if section.transfer.fit_to is not None:
            events = EventStore.open(section.transfer.fit_to)
            fit_transfer_functions(events, simulation.selection, simulation.jets, section.transfer.events).save(
                transfer
            )
        run = ClassicalRun(integrated_store(config, self.name), config.process, transfer, section, config.seed)
        return str(integrate_classically(run, estimates_file(config, self.name), progress))


def _section(config: AnalysisConfig) -> ClassicalConfig:
    return needed(config.classical, "classical", config)


def _transfer_file(config: AnalysisConfig) -> Path:
    """Return the file that the transfer functions are in, or will be once they are fitted."""
    transfer = _section(config).transfer
    if transfer.fit_to is not None:
        return estimates_file(config, "classical").with_name("transfer.json")
    if str(transfer.file) == "pretrained":
        file = pretrained_folder(config.process.name) / "classical.json"
        if not file.is_file():
            raise ModelError(
                f"no classical transfer functions of '{config.process.name}' ship with partonic ({file}): fit them to "
                "simulated events (classical.transfer.fit_to), or name a file (classical.transfer.file)"
            )
        return file
    return Path(transfer.file)
