"""The learned parts of the matrix element method: transfer function and acceptance, their sizes and their training."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_serializer, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.generative import SolverConfig
from partonic.config.networks import NetworkTrainingConfig, check_heads
from partonic.config.paths import NameOrPath

__all__ = ["AcceptanceConfig", "ConsistencyConfig", "FlowHeadConfig", "MemTrainingConfig", "TransferConfig"]

_KEYS = 16
"""Length of the keys of candidates where a head looks at them and nothing is said."""


class FlowHeadConfig(StrictModel):
    """The velocity of conditional flow matching for one object, given the state before it (arXiv:2310.07752)."""

    width: int = Field(64, ge=1)
    """Units of each layer of the velocity network."""

    layers: int = Field(2, ge=0)
    """Residual layers after the first one."""

    frequencies: int = Field(4, ge=0)
    """Sines and cosines πkt of the time that the network is given beside the time, k = 1, 2, …"""

    queries: int = Field(3, ge=1)
    """Mean candidates, each with weights of its own, relative to which the network sees an object."""

    draws: int = Field(4, ge=1)
    """Times and noises at which each object is looked at in a step of the training."""

    solver: SolverConfig = SolverConfig(steps=4)
    """Of densities and draws."""


class TransferConfig(StrictModel):
    """The transfer function p_T(x|z): a causal transformer over reconstructed objects with a head for each kind."""

    head: Literal["splines", "candidates", "flow_matching"] | None = None
    """Density of an object given those before: ``splines``, one after another; ``candidates``, the same mixed with
    objects near candidates; ``flow_matching``, a flow of pT, η and φ together. Null for ``candidates`` where
    `candidates` is above 0, else ``splines``."""

    width: int = Field(64, ge=4)
    """Numbers per object inside the network."""

    layers: int = Field(3, ge=1)
    """Causal attention layers."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide `width`."""

    feedforward: int = Field(128, ge=4)
    """Hidden units of the network after each attention."""

    head_hidden: int = Field(96, ge=4)
    """Hidden units of the small network of each component (pT, η, φ, tag)."""

    bins: int = Field(12, ge=2)
    """Bins of the spline of each component."""

    candidates: int = Field(0, ge=0)
    """Length of the keys of candidates, the momenta that partons leave after the objects before are subtracted; each
    object may lie near one of them. 0 for none; 16 where `head` is ``candidates`` or ``flow_matching`` and nothing is
    said."""

    flow: FlowHeadConfig | None = None
    """Of the head ``flow_matching``, which has its defaults where nothing is said; null for other heads."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of units dropped in training."""

    @model_validator(mode="before")
    @classmethod
    def _fill_what_the_head_has(cls, data: Any) -> Any:
        """Name the head of settings that do not, and give it what it has."""
        if not isinstance(data, Mapping):
            return data
        filled = dict(data)
        if filled.get("head") is None:
            keys = filled.get("candidates", 0)
            filled["head"] = "candidates" if isinstance(keys, int) and keys > 0 else "splines"
        if filled["head"] in ("candidates", "flow_matching"):
            filled.setdefault("candidates", _KEYS)
        if filled["head"] == "flow_matching" and filled.get("flow") is None:
            filled["flow"] = FlowHeadConfig()
        return filled

    @model_serializer(mode="wrap")
    def _as_models_have_it(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Leave out what `candidates` says already: records of models and trainings that knew no heads stay equal."""
        written = handler(self)
        if self.head != "flow_matching":
            written = {name: value for name, value in written.items() if name not in ("head", "flow")}
        return written

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransferConfig":
        check_heads("heads", self.heads, self.width)
        return self

    @model_validator(mode="after")
    def _head_has_its_settings(self) -> "TransferConfig":
        if self.head == "splines" and self.candidates:
            message = f"the head 'splines' looks at no candidates, got {self.candidates}: set it to 0, or another head"
            raise SettingError(("candidates",), message)
        if self.head == "candidates" and not self.candidates:
            raise SettingError(("candidates",), "the head 'candidates' needs keys of at least one number, got 0")
        if self.head != "flow_matching" and self.flow is not None:
            message = f"are settings of the head 'flow_matching', but the head is '{self.head}'"
            raise SettingError(("flow",), message)
        return self


class AcceptanceConfig(StrictModel):
    """The acceptance ε(z): a classifier of accepted and rejected events by their partons."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128, 64), min_length=1)
    """Hidden units of each layer."""


class ConsistencyConfig(StrictModel):
    """Further training of the transfer function on proposed partons, beside true ones."""

    epochs: int = Field(3, ge=1)
    """Passes over the training events."""

    proposals: int = Field(8, ge=1)
    """Partons proposed for each event, once before the training."""

    used: int = Field(4, ge=1)
    """Number of them in a step, chosen anew in each."""

    share: float = Field(1.0, gt=0.0)
    """Weight of the cross entropy of the truth among them, beside −log p_T."""

    learning_rate: float = Field(1e-3, gt=0.0)
    """Largest learning rate."""

    source: Literal["unfolding", "network"] = "unfolding"
    """Where they come from: a model of unfolding, view ``hard``, or the part `proposal`."""

    model: NameOrPath = "pretrained"
    """The model of unfolding: ``pretrained``, or a folder."""

    @model_validator(mode="after")
    def _used_are_there(self) -> "ConsistencyConfig":
        if self.used > self.proposals:
            message = f"not more can be used than are proposed ({self.proposals}), got {self.used}"
            raise SettingError(("used",), message)
        return self


class MemTrainingConfig(NetworkTrainingConfig):
    """Training of one of the networks of the matrix element method, on Lightning."""

    epochs: int = Field(40, ge=1)
    """Passes over the training events."""
