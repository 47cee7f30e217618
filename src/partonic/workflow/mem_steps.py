"""The step of the matrix element method: the integrals of the selected events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partonic.config.analysis import AnalysisConfig
from partonic.config.mem import MemConfig
from partonic.progress import Progress
from partonic.workflow.places import coefficients_file, event_store, trained_mem, trained_models
from partonic.workflow.sections import needed

if TYPE_CHECKING:
    from partonic.mem.models import Hypothesis

__all__ = ["MemStep", "hypothesis"]


@dataclass(frozen=True)
class MemStep:
    """Coefficients P_a(x) of the selected events under the hypothesis of the process of the analysis."""

    name: str = "mem"
    version: int = 2
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `mem`."""
        return config.mem is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the coefficients depend on: settings, process, decays and seed; models are among the inputs."""
        section = _section(config)
        return {
            "mem": section.physics(),
            "max_events": section.max_events,
            "process": config.process.model_dump(mode="json"),
            "decays": config.simulation.decays.settings_in_use(),
            "seed": config.seed,
        }

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store, that of the cross section, and the files of the models.

        Raises:
            ModelError: if a model that the section names is not there.
        """
        from partonic.mem.models import mem_model_files

        section, store = _section(config), _store(config)
        normalisation = section.normalisation.store
        others = (normalisation,) if normalisation is not None else ()
        own = (trained_mem(config), trained_models(config))
        return (store, *others, *mem_model_files(_resolved(config), config.process.name, own))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the file of coefficients."""
        return (coefficients_file(config),)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Integrate, going on at the last batch of an interrupted run."""
        from partonic.mem.integral.integrate_events import integrate_events

        section = _resolved(config)
        return str(
            integrate_events(
                _store(config), coefficients_file(config), hypothesis(config), section, config.seed, progress=progress
            )
        )


def _section(config: AnalysisConfig) -> MemConfig:
    return needed(config.mem, "mem", config)


def _store(config: AnalysisConfig) -> Path:
    return _section(config).store or event_store(config)


def _resolved(config: AnalysisConfig) -> MemConfig:
    """Return the section with the models named that it leaves to the other sections."""
    from partonic.mem.models import proposal_kind

    section, proposal = _section(config), _section(config).proposal
    if section.model is None and config.mem_training is not None:
        section = section.model_copy(update={"model": trained_mem(config)})
    kind = proposal_kind(section, config.process.name)
    if kind == "unfolding" and proposal.model is None and config.unfolding is not None:
        model = config.unfolding.model or trained_models(config)
        section = section.model_copy(update={"proposal": proposal.model_copy(update={"model": model})})
    return section


def hypothesis(config: AnalysisConfig) -> "Hypothesis":
    """Return process and decays of the analysis.

    Raises:
        ProcessError: if the tops decay inclusively, or the partons have no decay channel.
        ConfigError: if the branching fraction of the decays is not known.
    """
    from partonic.features.decay_channel import DecayChannel
    from partonic.mem.models import Hypothesis
    from partonic.processes.definition import definition_of
    from partonic.simulation.forced_decays import branching_fraction

    decays = config.simulation.decays
    final_state = tuple(particle.pdg_id for particle in definition_of(config.process).final_state(config.process))
    decay_channel = DecayChannel.of_decays(decays.tops, final_state, decays.higgs)
    fraction = branching_fraction(decays, final_state)
    return Hypothesis(config.process, decay_channel.name, fraction, decay_channel.higgs)
