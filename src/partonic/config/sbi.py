"""The section `sbi` of an analysis file: networks that learn likelihood ratios from simulated events."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.paths import LocalPath

__all__ = [
    "CONDITIONAL_METHODS",
    "ConditionalConfig",
    "MorphingConfig",
    "SbiConfig",
    "SbiNetworkConfig",
    "SbiTrainingConfig",
    "SharesConfig",
]

Method = Literal["derivatives", "morphing", "carl", "alice", "rolr", "cascal", "alices", "rascal"]

CONDITIONAL_METHODS = ("carl", "alice", "rolr", "cascal", "alices", "rascal")
"""Methods whose network takes θ as an input."""

SBI_PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "small": {},
    "tiny": {
        "network": {"hidden": (16, 16), "members": 2},
        "training": {"epochs": 3, "batch_size": 128, "average": None},
    },
}
"""Sizes by preset: section → setting → value; what is not named keeps its default."""


class SbiNetworkConfig(StrictModel):
    """The networks: one for each derivative, or basis point, and member of the ensemble, all trained in one pass."""

    hidden: tuple[PositiveInt, ...] = Field((64, 64, 64), min_length=1)
    """Hidden units of each layer."""

    members: int = Field(4, ge=1)
    """Networks of the ensemble, from different first weights. Their scatter is the covariance of the coefficients."""

    repulsion: float = Field(1.0, ge=0.0)
    """Strength of the repulsion of the members in function space, in units of one event's share of the loss; 0 for a
    plain ensemble."""


class SbiTrainingConfig(StrictModel):
    """Training of the networks, on Lightning."""

    epochs: int = Field(30, ge=1)
    """Passes over the training events."""

    batch_size: int = Field(1024, ge=2)
    """Events per step."""

    learning_rate: float = Field(3e-3, gt=0.0)
    """Largest learning rate; it warms up and falls along a cosine."""

    weight_decay: float = Field(1e-4, ge=0.0)
    """Weight decay of AdamW."""

    gradient_clip: float | None = Field(5.0, gt=0.0)
    """Largest norm of the gradient; null for none."""

    average: float | None = Field(0.999, gt=0.0, lt=1.0)
    """Decay of a moving average of the weights, which validation and the final model use; null for none."""

    patience: int | None = Field(None, ge=1)
    """Stop after this many epochs without improvement in validation; null to run all epochs."""


class SharesConfig(StrictModel):
    """Parts of the simulated events. Events of one group stay together."""

    train: float = Field(0.45, gt=0.0, lt=1.0)
    """Part that the networks are trained on."""

    validation: float = Field(0.05, gt=0.0, lt=0.5)
    """Part that chooses the best weights."""

    calibration: float = Field(0.1, ge=0.0, lt=1.0)
    """Part that the calibration of the coefficients is fitted to; 0 for no calibration."""

    @property
    def test(self) -> float:
        """Part that is left for the fit."""
        return 1.0 - self.train - self.validation - self.calibration

    @model_validator(mode="after")
    def _something_is_left(self) -> "SharesConfig":
        if self.test < 1e-9:
            total = self.train + self.validation + self.calibration
            message = f"train, validation and calibration sum to {total:g}: nothing is left to fit; expected less than 1"
            raise SettingError((), message)
        return self


class MorphingConfig(StrictModel):
    """Ratios at basis points, from which the ratio at any θ follows (morphing)."""

    points: tuple[dict[str, float], ...] = ()
    """Basis points beside the reference, one fewer than there are monomials; empty to search for those with the smallest
    condition number in `range`."""

    loss: Literal["cross_entropy", "regression"] = "cross_entropy"
    """What each ratio network minimises: the cross entropy of the two points, or the squared error of the ratio."""

    joint: bool = False
    """One loss of the combined ratio at random θ, in place of one for each basis point (for comparison: less stable)."""


class ConditionalConfig(StrictModel):
    """Networks that take θ as an input."""

    score_weight: float = Field(0.1, ge=0.0)
    """Weight of the squared error of the score in ``cascal``, ``alices`` and ``rascal``."""

    projection_points: int = Field(60, ge=3)
    """θ points at which the ratio of each event is projected onto the polynomial."""


class SbiConfig(StrictModel):
    """Simulation-based inference: training on simulated events, and coefficients of the others."""

    method: Method = "derivatives"
    """What is learned: ``derivatives`` of the density at the reference; ``morphing``, ratios at basis points; or the
    ratio as a function of θ (``carl``, ``alice``, ``rolr``, and with the score ``cascal``, ``alices``, ``rascal``)."""

    features: tuple[str, ...] = Field(("high_level",), min_length=1)
    """What the networks see: ``high_level``, names of high-level features, of observables of the partons, of columns, or
    of places in them (``jet_pt[0]``)."""

    reference: tuple[dict[str, float], ...] = Field(({},), min_length=1)
    """θ that is learned at; several points are a mixture with equal shares. Parameters not named are at their values in
    the Standard Model. The events need not have been generated there: they are weighted."""

    range: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Lowest and highest value by parameter in which basis points are searched and θ is drawn; null: two units of the
    sensitivity of an event around the reference."""

    normalisation: Literal["learned", "true"] = "learned"
    """σ_a: ``learned``, the sums of the learned ratios over the training events, so that no bias of the networks is left
    in the score at the reference; ``true``, the cross sections of the events."""

    preset: Literal["small", "tiny"] = "small"
    """Sizes of networks and training that hold where nothing else is said."""

    network: SbiNetworkConfig = SbiNetworkConfig()
    """The networks."""

    training: SbiTrainingConfig = SbiTrainingConfig()
    """Their training."""

    morphing: MorphingConfig = MorphingConfig()
    """Settings of the method ``morphing``."""

    conditional: ConditionalConfig = ConditionalConfig()
    """Settings of the methods whose networks take θ."""

    shares: SharesConfig = SharesConfig()
    """Parts of the events for training, validation, calibration and fit."""

    group: str = "event_id"
    """Column of whole numbers that is the same for copies of one parton event, which are never parted."""

    stores: tuple[LocalPath, ...] = ()
    """Event stores to train and calibrate on; then all events of this analysis are fitted. Empty: a part of its events,
    and the others are fitted."""

    max_events: int | None = Field(None, ge=10)
    """Largest number of events that coefficients are made of; null for all."""

    workers: int | None = Field(1, ge=1)
    """Worker processes of the coefficients; null: one for each core."""

    scheduler: str | None = None
    """Address of a Dask scheduler, in place of worker processes."""

    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where the networks run."""

    batch_events: int = Field(10_000, ge=1)
    """Events that are worked on together."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        """Put the preset's values under those of the file."""
        if not isinstance(data, Mapping):
            return data
        filled = dict(data)
        for section, values in SBI_PRESETS.get(str(data.get("preset", "small")), {}).items():
            given = filled.get(section, {})
            filled[section] = {**values, **given} if isinstance(given, Mapping) else given
        return filled

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "SbiConfig":
        for name, (low, high) in self.range.items():
            if not low < high:
                raise SettingError(("range", name), f"the range must ascend, got {low} to {high}")
        return self

    def learning(self) -> dict[str, object]:
        """Return what the trained networks depend on, as JSON-like values."""
        machine = {"max_events", "workers", "scheduler", "device", "batch_events", "stores"}
        return self.model_dump(mode="json", exclude=machine)
