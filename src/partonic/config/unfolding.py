"""The section `unfolding` of an analysis file: networks, training and sampling of parton-level events.

Three sets of sizes are ready: ``cms`` (CMS-DP-2023-85), ``small`` (trains on two cores) and ``tiny`` (tests). A preset
fills what a section leaves out; what is written in the file wins.
"""

from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.networks import NetworkTrainingConfig, Presets, check_heads, filled_from_preset
from partonic.config.paths import LocalPath, NameOrPath

__all__ = [
    "PRESETS",
    "ConditionerConfig",
    "ConstraintTargets",
    "FlowConfig",
    "ProvenanceConfig",
    "SamplingConfig",
    "TrainingConfig",
    "UnfoldingConfig",
    "View",
]

View = Literal["hard", "with_isr"]
"""Which partons: of the hard process (7 numbers), or after initial-state radiation with the radiated parton (10)."""


class ProvenanceConfig(StrictModel):
    """The assignment network: which jet comes from which particle (SPANet, arXiv:2106.03898)."""

    width: int = Field(64, ge=4)
    """Numbers per object inside the network."""

    layers: int = Field(4, ge=1)
    """Attention layers over all objects."""

    target_layers: int = Field(2, ge=1)
    """Attention layers for each target after the common ones."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide `width`."""

    feedforward: int = Field(128, ge=4)
    """Hidden units of the network after each attention."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of units dropped in training."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ProvenanceConfig":
        check_heads("heads", self.heads, self.width)
        return self


class ConditionerConfig(StrictModel):
    """The conditioning transformer: regressed partons and a free latent vector for each event."""

    width: int = Field(64, ge=4)
    """Numbers per object inside the network."""

    encoder_layers: int = Field(4, ge=1)
    """Attention layers over all objects."""

    encoder_heads: int = Field(8, ge=1)
    """Attention heads of the encoder; must divide `width`."""

    decoder_layers: int = Field(4, ge=1)
    """Attention layers of the decoder of each target (H, t_had, t_lep, boost)."""

    decoder_heads: int = Field(4, ge=1)
    """Attention heads of the decoders; must divide `width`."""

    latent_layers: int = Field(2, ge=1)
    """Attention layers of the decoder of the latent vector."""

    latent: int = Field(6, ge=0)
    """Length of the free latent vector handed to the flow beside the regressed partons."""

    feedforward: int = Field(512, ge=4)
    """Hidden units of the network after each attention."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of units dropped in training."""

    max_jets: int = Field(16, ge=4, le=16)
    """Jets of an event that are looked at, hardest first."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ConditionerConfig":
        check_heads("encoder_heads", self.encoder_heads, self.width)
        check_heads("decoder_heads", self.decoder_heads, self.width)
        return self


class FlowConfig(StrictModel):
    """The normalizing flow on the unit cube of the phase space."""

    kind: Literal["autoregressive", "coupling"] = "autoregressive"
    """Autoregressive flows are more precise per weight; coupling flows sample as fast as they evaluate."""

    transforms: int = Field(6, ge=1)
    """Spline transforms one after another."""

    bins: int = Field(40, ge=2)
    """Bins of each rational-quadratic spline (arXiv:1906.04032)."""

    hidden: tuple[PositiveInt, ...] = Field((512, 512), min_length=1)
    """Hidden units of the network of each transform."""

    bound: float = Field(1.1, gt=0.0)
    """The splines act in [−bound, bound]; beyond, the transform is the identity."""

    base_scale: float = Field(0.35, gt=0.0)
    """Standard deviation of the Gaussian base."""

    data_scale: float = Field(0.35, gt=0.0)
    """Standard deviation that the standardised numbers are scaled to before the splines."""

    logit_margin: float = Field(5e-5, gt=0.0, lt=0.1)
    """The unit cube is shrunk by this margin before the logit, so that its faces stay finite."""

    centre_azimuths: bool = True
    """Shift the periodic numbers (azimuths) by the regressed ones, so that their densities do not break at 0 = 2π."""


class ConstraintTargets(StrictModel):
    """Upper targets of the losses that are held as constraints; none where null."""

    regression_huber: float | None = Field(None, gt=0.0)
    """Huber loss of the regressed partons."""

    regression_mmd: float | None = Field(None, gt=0.0)
    """Maximum mean discrepancy of the regressed partons."""

    sample_huber: float | None = Field(None, gt=0.0)
    """Huber loss of one sampled set of partons per event."""

    sample_mmd: float | None = Field(None, gt=0.0)
    """Maximum mean discrepancy of the sampled partons."""


class TrainingConfig(NetworkTrainingConfig):
    """Training on Lightning, in phases: provenance, then regression, then regression and flow, then the flow alone."""

    batch_size: int = Field(1024, ge=2)
    """Events per step, on each device."""

    provenance_epochs: int = Field(10, ge=0)
    """Epochs of the assignment network."""

    regression_epochs: int = Field(10, ge=0)
    """Epochs of the regression alone."""

    joint_epochs: int = Field(10, ge=0)
    """Epochs of conditioner and flow together."""

    flow_epochs: int = Field(0, ge=0)
    """Epochs of the flow alone on the finished conditioner, whose conditions are then computed once."""

    learning_rate: float = Field(1e-3, gt=0.0)
    """Largest learning rate."""

    provenance_learning_rate: float | None = Field(None, gt=0.0)
    """Largest learning rate of the assignment network; null for `learning_rate`."""

    schedule: Literal["one_cycle", "exponential", "plateau"] = "one_cycle"
    """Warm-up and cosine decay over the phase, ×`decay` each epoch, or ×`decay` when validation stops improving."""

    decay: float = Field(0.9, gt=0.0, lt=1.0)
    """Factor of the schedules ``exponential`` and ``plateau``."""

    weight_decay: float = Field(0.0, ge=0.0)
    """Weight decay of AdamW."""

    regression_targets: ConstraintTargets = ConstraintTargets(regression_mmd=0.003)
    """Constraints during the regression alone, whose main loss is the Huber loss."""

    joint_targets: ConstraintTargets = ConstraintTargets(
        regression_huber=0.25, regression_mmd=0.001, sample_huber=0.35, sample_mmd=0.008
    )
    """Constraints while the flow is trained, whose main loss is −log q."""

    regression_weight: float = Field(0.0, ge=0.0)
    """Weight of the Huber loss of the regressed partons beside −log q while both are trained."""

    average: float | None = Field(None, gt=0.0, lt=1.0)
    """Decay of a moving average of the weights of conditioner and flow, which validation and the final model then use;
    null for none."""

    damping: float = Field(10.0, ge=0.0)
    """Damping of the constraints (modified differential method of multipliers)."""

    logger: Literal["csv", "tensorboard"] = "csv"
    """Where losses, constraints and multipliers are logged."""

    @model_validator(mode="after")
    def _flow_is_trained(self) -> "TrainingConfig":
        if self.joint_epochs + self.flow_epochs == 0:
            msg = "`joint_epochs` and `flow_epochs` are both 0: the flow needs one epoch or more in one of them"
            raise ValueError(msg)
        return self


class SamplingConfig(StrictModel):
    """Sampling of parton-level events for reconstructed events."""

    samples_per_event: int = Field(100, ge=1)
    """Sets of partons for each event."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the flow's networks. The density returned is that of the samples drawn in either case."""

    batch_events: int = Field(256, ge=1)
    """Events in memory at a time, fewer where their samples would be more than 250,000. Each batch has random numbers
    of its own, so that another number gives other samples."""

    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    """Where the networks run: ``cpu``, ``cuda``, ``cuda:1``. Each kind of device has random numbers of its own."""

    max_events: int | None = Field(None, ge=1)
    """Sample at most this many selected events; null for all."""

    workers: int | None = Field(1, ge=1)
    """Worker processes, each with one core; null: one for each core. 1 without a `scheduler` works in the calling
    process, on all of its cores; so does a device other than ``cpu``."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, e.g. ``"tcp://host:8786"``; null: a local cluster of `workers`."""

    def physics(self) -> dict[str, object]:
        """Return everything that the samples depend on, as JSON-like values: all but workers and scheduler."""
        return self.model_dump(mode="json", exclude={"workers", "scheduler"})


PRESETS: Presets = {
    "cms": {
        "training": {
            "batch_size": 3072, "provenance_epochs": 50, "regression_epochs": 100, "joint_epochs": 200,
            "learning_rate": 1e-4, "schedule": "plateau", "patience": 20,
        },
    },
    "small": {
        "provenance": {"width": 32, "layers": 3, "target_layers": 1, "heads": 2, "feedforward": 64},
        "conditioner": {
            "encoder_layers": 3, "encoder_heads": 4, "decoder_layers": 1, "latent_layers": 1, "latent": 16,
            "feedforward": 128,
        },
        "flow": {
            "transforms": 6, "bins": 16, "hidden": (160, 160), "bound": 5.0, "base_scale": 1.0, "data_scale": 1.0,
        },
        "training": {
            "batch_size": 512, "provenance_epochs": 4, "regression_epochs": 1, "joint_epochs": 5, "flow_epochs": 12,
            "provenance_learning_rate": 5e-3, "learning_rate": 2e-3, "weight_decay": 1e-4, "regression_weight": 1.0,
            "average": 0.999,
            "regression_targets": {"regression_mmd": 0.003}, "joint_targets": {},
        },
    },
    "tiny": {
        "provenance": {"width": 16, "layers": 1, "target_layers": 1, "heads": 2, "feedforward": 32},
        "conditioner": {
            "width": 16, "encoder_layers": 1, "encoder_heads": 2, "decoder_layers": 1, "decoder_heads": 2,
            "latent_layers": 1, "latent": 4, "feedforward": 32,
        },
        "flow": {
            "transforms": 2, "bins": 8, "hidden": (32, 32), "bound": 5.0, "base_scale": 1.0, "data_scale": 1.0,
        },
        "training": {
            "batch_size": 128, "provenance_epochs": 2, "regression_epochs": 1, "joint_epochs": 2, "flow_epochs": 1,
            "learning_rate": 3e-3, "regression_weight": 1.0,
            "joint_targets": {"sample_huber": 1.0, "sample_mmd": 0.1},
        },
    },
}  # fmt: skip
"""Sizes by preset: section → setting → value; what is not named keeps its default."""


class UnfoldingConfig(StrictModel):
    """Unfolding: networks that sample parton-level events for reconstructed ones."""

    preset: Literal["cms", "small", "tiny"] = "small"
    """Sizes of networks and training that hold where nothing else is said."""

    views: tuple[View, ...] = Field(("hard", "with_isr"), min_length=1)
    """Which partons to sample; one model for each."""

    model: NameOrPath | None = None
    """A trained model to use instead of training: ``pretrained``, or a folder that holds one folder for each view."""

    stores: tuple[LocalPath, ...] = ()
    """Event stores to train on; empty for the events of this analysis."""

    provenance: ProvenanceConfig = ProvenanceConfig()
    """The assignment network."""

    conditioner: ConditionerConfig = ConditionerConfig()
    """The conditioning transformer."""

    flow: FlowConfig = FlowConfig()
    """The normalizing flow."""

    training: TrainingConfig = TrainingConfig()
    """Training."""

    sampling: SamplingConfig = SamplingConfig()
    """Sampling."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        """Put the preset's values under those of the file."""
        return filled_from_preset(data, PRESETS)

    @model_validator(mode="after")
    def _views_are_different(self) -> "UnfoldingConfig":
        if len(set(self.views)) < len(self.views):
            raise SettingError(("views",), f"expected each view once, got {', '.join(self.views)}")
        return self
