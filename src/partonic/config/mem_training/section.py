"""The section `mem_training` of an analysis file: training of the networks of the matrix element method."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.mem_training.initial_state import InitialStateConfig
from partonic.config.mem_training.proposal import ProposalNetworkConfig
from partonic.config.mem_training.transfer import AcceptanceConfig, ConsistencyConfig, MemTrainingConfig, TransferConfig
from partonic.config.networks import Presets, filled_from_preset
from partonic.config.paths import LocalPath, NameOrPath

__all__ = ["MEM_PRESETS", "MemNetworksConfig", "MemPart"]

MemPart = Literal["transfer", "acceptance", "initial_state", "proposal"]
"""What can be trained: p_T(x|z), ε(z), the ratios r_i(x, z) of initial states, and q(z|x)."""

MEM_PRESETS: Presets = {
    "small": {
        "transfer": {"candidates": 16},
        "transfer_training": {"epochs": 30, "learning_rate": 3e-3},
        "acceptance_training": {
            "epochs": 15, "batch_size": 2048, "learning_rate": 3e-3, "validation_fraction": 0.15,
        },
        "initial_state_training": {"epochs": 8, "learning_rate": 3e-3, "weight_decay": 1e-3},
        "proposal": {"preset": "small"},
    },
    "tiny": {
        "transfer": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32, "head_hidden": 16, "bins": 6},
        "transfer_training": {"epochs": 2, "batch_size": 64, "average": None},
        "acceptance": {"hidden": (16,)},
        "acceptance_training": {"epochs": 2, "batch_size": 64, "average": None, "validation_fraction": 0.3},
        "initial_state": {"width": 8, "layers": 1, "heads": 2, "feedforward": 16, "hidden": 16, "share_hidden": (16,)},
        "initial_state_training": {"epochs": 2, "batch_size": 64, "average": None},
        "proposal": {"preset": "tiny"},
    },
}  # fmt: skip
"""Sizes by preset: section → setting → value; what is not named keeps its default."""


class MemNetworksConfig(StrictModel):
    """Networks of the matrix element method, trained on simulated events of the analysis' process."""

    preset: Literal["small", "tiny"] = "small"
    """Sizes of networks and training that hold where nothing else is said."""

    parts: tuple[MemPart, ...] = Field(("transfer", "acceptance"), min_length=1)
    """Which networks to train. `proposal` is for processes and channels without a model of unfolding."""

    stores: tuple[LocalPath, ...] = ()
    """Event stores to train on; empty for the events of this analysis."""

    transfer: TransferConfig = TransferConfig()
    """The transfer function."""

    transfer_training: MemTrainingConfig = MemTrainingConfig()
    """Its training, on the selected events."""

    transfer_start: NameOrPath | None = None
    """Folder of models, or ``pretrained``, whose transfer function the training goes on from: one of the same sizes for
    another detector needs fewer steps than from nothing. Its scales are kept. Null to start from random weights."""

    consistency: ConsistencyConfig | None = None
    """Its further training on proposed partons; null for none. Needs the part `acceptance`."""

    acceptance: AcceptanceConfig = AcceptanceConfig()
    """The acceptance."""

    acceptance_training: MemTrainingConfig = MemTrainingConfig()
    """Its training, on all events. Half of its validation events fit the calibration, the other half tests it."""

    initial_state: InitialStateConfig = InitialStateConfig()
    """The network that tells gluons from quarks in the initial state."""

    initial_state_training: MemTrainingConfig = MemTrainingConfig()
    """Its training on the selected events, after that of the shares on all events. `max_events` counts all events here,
    and the transfer function and the acceptance must be trained on the same mixture of θ."""

    proposal: ProposalNetworkConfig = ProposalNetworkConfig()
    """The proposal, with its training, on the selected events."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        """Put the preset's values under those of the file; a head that the file names is not given its candidates."""
        filled = filled_from_preset(data, MEM_PRESETS)
        given = data.get("transfer") if isinstance(data, Mapping) else None
        if isinstance(given, Mapping) and given.get("head") is not None and "candidates" not in given:
            filled["transfer"].pop("candidates", None)
        return filled

    @model_validator(mode="after")
    def _parts_are_different(self) -> "MemNetworksConfig":
        if len(set(self.parts)) < len(self.parts):
            raise SettingError(("parts",), f"expected each part once, got {', '.join(self.parts)}")
        return self

    @model_validator(mode="after")
    def _consistency_has_its_parts(self) -> "MemNetworksConfig":
        if self.consistency is None:
            return self
        needed = ("acceptance", "proposal") if self.consistency.source == "network" else ("acceptance",)
        for part in needed:
            if part not in self.parts:
                raise SettingError(("consistency",), f"needs the part '{part}'; name it in `parts`")
        if self.consistency.source == "network" and self.proposal.drawn is not None:
            message = "its source cannot be a proposal drawn from the transfer function: each needs the other"
            raise SettingError(("consistency", "source"), message)
        return self

    @model_validator(mode="after")
    def _drawn_from_something(self) -> "MemNetworksConfig":
        drawn = self.proposal.drawn
        if "proposal" in self.parts and drawn is not None and drawn.model is None:
            for part in ("acceptance", "transfer"):
                if part not in self.parts:
                    message = f"needs the part '{part}'; name it in `parts`, or say with `model` where it is"
                    raise SettingError(("proposal", "drawn"), message)
        return self
