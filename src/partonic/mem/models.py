"""The trained parts of the matrix element method, found by name, and put together with the process.

The models of a process lie in one folder: ``transfer`` and ``acceptance``, ``proposal`` where the proposal is a
network of its own, and ``initial_state`` where initial states are told apart. Those that ship with the package are in
the folder ``mem`` of the process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from partonic.config.mem import MemConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.process import ProcessConfig
from partonic.errors import ModelError
from partonic.features.decay_channel import DecayChannel, DecayChannelName, HiggsObjects
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.protocols import Acceptance, InitialStateRatio, Proposal, TransferDensity
from partonic.physics.phasespace import PartonCube
from partonic.pretrained import pretrained_folder
from partonic.processes.definition import build_process, definition_of
from partonic.provenance import content_hash
from partonic.trained.compatibility import check_process
from partonic.trained.model_files import PRETRAINED, find_model, model_files, model_fingerprint
from partonic.trained.model_folder import RECORD

__all__ = [
    "Hypothesis",
    "component_folders",
    "load_components",
    "load_initial_state",
    "load_proposal",
    "mem_folder",
    "mem_model_files",
    "proposal_kind",
    "training_model_files",
]


@dataclass(frozen=True)
class Hypothesis:
    """A process and its decays, under which the probability of events is asked for.

    Attributes:
        process: the section `process` of an analysis.
        decays: of the tops.
        branching_fraction: of these decays.
        higgs: what H is seen as, where there is one.
    """

    process: ProcessConfig
    decays: DecayChannelName = "semileptonic"
    branching_fraction: float = 1.0
    higgs: HiggsObjects = "jets"

    def decay_channel(self) -> DecayChannel:
        """Return the decay channel with the partons of the process."""
        final_state = definition_of(self.process).final_state(self.process)
        return DecayChannel(self.decays, tuple(particle.pdg_id for particle in final_state), self.higgs)

    def ingredients(self, config: MemConfig, device: str = "cpu") -> Ingredients:
        """Load the models and build the process.

        Raises:
            ModelError: if a model is missing, damaged, or trained for another process or other decays.
            PartonicError: if the process cannot be built.
        """
        transfer, acceptance = load_components(config.model, self.process.name, device)
        proposal = load_proposal(config, self, device)
        initial_state = load_initial_state(config, self.process.name, device)
        parts = {
            "transfer function": transfer, "acceptance": acceptance, "proposal": proposal,
            "network of initial states": initial_state,
        }  # fmt: skip
        for name, part in parts.items():
            check_process(name, part, self.process.name, "give a model of that process in the section `mem`")
        _check_decays(parts, self.decay_channel())
        _check_layouts(transfer, initial_state, config)
        return Ingredients(
            process=build_process(self.process),
            decay_channel=self.decay_channel(),
            proposal=proposal,
            transfer=transfer,
            acceptance=acceptance,
            branching_fraction=self.branching_fraction,
            initial_state=initial_state,
        )

    def fingerprint(self, config: MemConfig) -> str:
        """Return a hash of the process and of all models, 64 hex digits.

        Raises:
            ModelError: if a file of a model is missing.
        """
        folders = component_folders(config, self.process.name)
        content: dict[str, object] = {name: model_fingerprint(folder) for name, folder in folders.items()}
        content |= {"process": self.process.model_dump(mode="json"), "channel": self.decays}
        if self.higgs != "jets":
            content["higgs"] = self.higgs
        return content_hash(content | {"branching_fraction": self.branching_fraction})


def mem_folder(model: str | Path | None, process: str) -> Path:
    """Return the folder of the models of the method.

    Args:
        model: ``pretrained`` (or None), or a folder.
        process: short name of the process, for the pretrained models.
    """
    return pretrained_folder(process) / "mem" if model is None or str(model) == PRETRAINED else Path(model)


def load_components(model: str | Path | None, process: str, device: str = "cpu") -> tuple[TransferDensity, Acceptance]:
    """Load transfer function and acceptance.

    Args:
        model: ``pretrained`` (or None), or the folder that holds ``transfer`` and ``acceptance``.
        process: short name of the process, for the pretrained models.
        device: where the networks run.

    Raises:
        ModelError: if a model is missing or damaged.
    """
    from partonic.mem.acceptance.model import AcceptanceModel
    from partonic.mem.transfer.transfer_function import TransferFunction

    transfer, acceptance = (_component(model, process, name) for name in ("transfer", "acceptance"))
    return TransferFunction.load(transfer, device), AcceptanceModel.load(acceptance, device)


def load_initial_state(config: MemConfig, process: str, device: str = "cpu") -> InitialStateRatio | None:
    """Load the network that tells initial states apart, if there is one beside the other models, and it is wanted.

    Raises:
        ModelError: if it is damaged.
    """
    folder = mem_folder(config.model, process) / "initial_state"
    if not config.initial_state or not (folder / RECORD).is_file():
        return None
    from partonic.mem.initial_state.model import InitialStateModel

    return InitialStateModel.load(folder, device)


def load_proposal(config: MemConfig, hypothesis: Hypothesis, device: str = "cpu") -> Proposal:
    """Load the proposal that the settings ask for.

    Raises:
        ModelError: if a model is missing or damaged.
    """
    kind = proposal_kind(config, hypothesis.process.name)
    if kind == "uniform":
        from partonic.mem.proposal.uniform import UniformProposal

        final_state = definition_of(hypothesis.process).final_state(hypothesis.process)
        masses = tuple(particle.mass for particle in final_state)
        return UniformProposal(PartonCube(masses, hypothesis.process.collider_energy))
    folder = _proposal_folder(config, hypothesis.process.name)
    from partonic.unfolding.unfolder import Unfolder

    return Unfolder.load(folder, device)


def proposal_kind(config: MemConfig, process: str) -> Literal["network", "unfolding", "uniform"]:
    """Return where points are drawn from: of ``auto`` the network if there is one, else the flow that unfolds.

    Args:
        config: settings.
        process: short name of the process, for the pretrained models.
    """
    kind, model = config.proposal.kind, config.proposal.model
    if kind != "auto":
        return kind
    folder = mem_folder(config.model if model is None else model, process) / "proposal"
    return "network" if (folder / RECORD).is_file() else "unfolding"


def component_folders(config: MemConfig, process: str, to_come: Sequence[Path] = ()) -> dict[str, Path]:
    """Return the model folders that a calculation reads, by what is in them.

    Args:
        config: settings.
        process: short name of the process, for the pretrained models.
        to_come: folders whose models may still have to be trained.

    Raises:
        ModelError: if another one is missing.
    """
    folders = {name: _component(config.model, process, name, to_come) for name in ("transfer", "acceptance")}
    if proposal_kind(config, process) != "uniform":
        folders["proposal"] = _proposal_folder(config, process, to_come)
    initial_state = mem_folder(config.model, process) / "initial_state"
    if config.initial_state and (initial_state / RECORD).is_file():
        folders["initial_state"] = initial_state
    return folders


def mem_model_files(config: MemConfig, process: str, to_come: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the files of all models that a calculation reads; arguments as for `component_folders`.

    Raises:
        ModelError: if a model is missing.
    """
    return tuple(
        path for folder in component_folders(config, process, to_come).values() for path in model_files(folder)
    )


def training_model_files(config: MemNetworksConfig, process: str) -> tuple[Path, ...]:
    """Return the files of trained models that a training reads: what events are drawn from, and what it starts from.

    Args:
        config: settings of the training.
        process: short name of the process.

    Raises:
        ModelError: if a model is missing.
    """
    drawn, start = config.proposal.drawn, config.proposal.start
    wanted: list[tuple[str | Path, str]] = []
    if "transfer" in config.parts and config.transfer_start is not None:
        wanted.append((config.transfer_start, "transfer"))
    if "proposal" in config.parts and drawn is not None and drawn.model is not None:
        wanted += [(drawn.model, "transfer"), (drawn.model, "acceptance")]
    if "proposal" in config.parts and start is not None:
        wanted.append((start, "proposal"))
    return tuple(path for model, part in wanted for path in model_files(_component(model, process, part)))


def _proposal_folder(config: MemConfig, process: str, to_come: Sequence[Path] = ()) -> Path:
    model = config.proposal.model
    if proposal_kind(config, process) == "network":
        return _component(config.model if model is None else model, process, "proposal", to_come)
    if model is not None and Path(model) in to_come:
        return Path(model) / "hard"
    return find_model(PRETRAINED if model is None else model, process, "hard")


def _component(model: str | Path | None, process: str, name: str, to_come: Sequence[Path] = ()) -> Path:
    above = mem_folder(model, process)
    folder = above / name
    if above in to_come or (folder / RECORD).is_file():
        return folder
    if model is None or str(model) == PRETRAINED:
        raise ModelError(
            f"no pretrained {name} of '{process}' ships with partonic ({folder}): train it, and name its folder in "
            "the section `mem`"
        )
    raise ModelError(
        f"{model} holds no model '{name}' ({name}/{RECORD}): expected '{PRETRAINED}', or a folder with the trained "
        "models of the matrix element method"
    )


def _check_decays(parts: Mapping[str, object], wanted: DecayChannel) -> None:
    """Refuse models of other decays or partons than those of the hypothesis; parts that know of none fit to any."""
    for name, part in parts.items():
        known = getattr(getattr(part, "layout", None) or getattr(part, "view", None), "decay_channel", wanted)
        if known != wanted:
            raise ModelError(
                f"the {name} was trained for {known}, but the hypothesis is {wanted}: set simulation.decays to those "
                "of the model, or give a model of these decays in the section `mem`"
            )


def _check_layouts(transfer: object, initial_state: object, config: MemConfig) -> None:
    """Refuse a network of initial states of other partons, objects or cuts than the transfer function."""
    made_for, wanted = getattr(initial_state, "layout", None), getattr(transfer, "layout", None)
    if made_for is not None and made_for != wanted:
        raise ModelError(
            f"the network of initial states of {config.model or PRETRAINED} is made for {made_for}, the transfer "
            f"function beside it for {wanted}: train it on the same events, or set mem.initial_state to false"
        )
