"""The section `sbi` of an analysis file: networks that learn likelihood ratios from simulated events."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.networks import NetworkTrainingConfig, Presets, filled_from_preset, filled_with
from partonic.config.paths import LocalPath, NameOrPath
from partonic.config.sbi.backbones import SbiNetworkConfig, backbone_defaults
from partonic.config.trees import TreeSettings

__all__ = [
    "CONDITIONAL_METHODS",
    "LOCAL_METHODS",
    "MACHINE_SETTINGS",
    "ConditionalConfig",
    "DerivativesConfig",
    "MorphingConfig",
    "SbiBackgroundConfig",
    "SbiConfig",
    "SbiTrainingConfig",
    "ScoreConfig",
    "SharesConfig",
]

Method = Literal[
    "derivatives", "trees", "morphing", "carl", "alice", "rolr", "cascal", "alices", "rascal", "sally", "sallino"
]

CONDITIONAL_METHODS = ("carl", "alice", "rolr", "cascal", "alices", "rascal")
"""Methods whose network takes θ as an input."""

LOCAL_METHODS = ("sally", "sallino")
"""Methods that learn the score at the reference, and the density of the score."""

MACHINE_SETTINGS = frozenset({"max_events", "workers", "scheduler", "device", "batch_events", "coefficients"})
"""Settings of the work on events, which what is learned does not depend on, and which a ready model has, too."""

SBI_PRESETS: Presets = {
    "small": {},
    "tiny": {
        "network": {
            "hidden": (16, 16),
            "members": 2,
            "set_transformer": {"width": 8, "heads": 2, "layers": 1, "feedforward": 16, "pair_hidden": 4},
            "lgatr": {"blocks": 1, "heads": 1, "vectors": 2, "scalars": 8},
            "lloca": {"blocks": 1, "heads": 2, "scalars": 4, "vectors": 1, "frame_hidden": 8},
        },
        "training": {"epochs": 3, "batch_size": 128, "average": None, "validation_fraction": 0.2},
        "trees": {"trees": 10, "min_leaf_events": 10},
    },
    "paper": {
        "network": {
            "set_transformer": {"width": 128, "heads": 8, "layers": 8, "feedforward": 512, "pair_hidden": 64},
            "lgatr": {"blocks": 8, "heads": 8, "vectors": 32, "scalars": 32},
            "lloca": {"blocks": 8, "heads": 8, "scalars": 8, "vectors": 2, "frame_hidden": 128},
        },
        "training": {"epochs": 50, "batch_size": 1024, "learning_rate": 5e-4},
    },
}
"""Sizes by preset: section → setting → value; what is not named keeps its default."""


class SbiTrainingConfig(NetworkTrainingConfig):
    """Training of the networks. `max_events` counts training events; validation takes its part of their groups."""

    epochs: int = Field(30, ge=1)
    """Passes over the training events."""

    batch_size: int = Field(1024, ge=2)
    """Events per step, on each device."""

    learning_rate: float = Field(5e-3, gt=0.0)
    """Largest learning rate; it warms up and falls along a cosine."""

    gradient_clip: float | None = Field(5.0, gt=0.0)
    """Largest norm of the gradient, of all networks together; null for none."""


class SharesConfig(StrictModel):
    """Parts of the simulated events that the networks are not trained on. Events of one group stay together."""

    fit: float = Field(0.4, ge=0.0, lt=1.0)
    """Part that coefficients are made of for the fit; not used with `stores`, for then it is all of the events."""

    calibration: float = Field(0.1, ge=0.0, lt=1.0)
    """Part that the calibration of the coefficients is fitted to; 0 for no calibration."""

    @model_validator(mode="after")
    def _something_is_left(self) -> "SharesConfig":
        if self.fit + self.calibration >= 1.0:
            message = f"nothing is left to train on: expected less than 1 in sum, got {self.fit + self.calibration:g}"
            raise SettingError((), message)
        return self


class DerivativesConfig(StrictModel):
    """Regression of the derivatives at the reference."""

    weighting: Literal["reference", "precision"] = "reference"
    """How much each region of x counts in the loss, which changes what is learned from few events, not what many events
    lead to: ``reference``, by the density at the reference, as in arXiv:2410.07315; ``precision``, by how well the
    derivatives are known there (residuals in units of the typical size of the derivative, which small networks learn
    before), for ratios that grow by decades towards tails, and for copies and mixtures with small weights there."""


class MorphingConfig(StrictModel):
    """Ratios at basis points, from which the ratio at any θ follows (morphing)."""

    points: tuple[dict[str, float], ...] = ()
    """Basis points beside the reference, one fewer than there are monomials; empty to search for those with the
    smallest condition number in `range`."""

    loss: Literal["cross_entropy", "regression"] = "cross_entropy"
    """What each ratio network minimises: the cross entropy of the two points, or the squared error of the ratio."""

    joint: bool = False
    """One loss of the combined ratio at random θ, in place of one for each basis point (less stable)."""


class ScoreConfig(StrictModel):
    """The score at the reference as the observable: ``sally`` and ``sallino``."""

    direction: dict[str, float] = Field(default_factory=dict)
    """Direction in θ that ``sallino`` projects the score on; empty where there is one parameter alone."""

    density_fraction: float = Field(0.3, gt=0.0, lt=1.0)
    """Part of the groups of training events that fill the bins of the score, and that networks are not trained on."""

    bin_events: float = Field(200.0, ge=10.0)
    """Smallest effective number of events in a bin, at the reference."""


class SbiBackgroundConfig(StrictModel):
    """A background, whose density relative to that of the signal is learned."""

    store: LocalPath
    """Its simulated events, with their weights. A part trains the networks and one calibrates them; pseudo-data are
    drawn from the rest (`shares`)."""


class ConditionalConfig(StrictModel):
    """Networks that take θ as an input."""

    score_weight: float = Field(0.1, ge=0.0)
    """Weight of the squared error of the score in ``cascal``, ``alices`` and ``rascal``."""

    projection_points: int = Field(60, ge=3)
    """θ points at which the ratio of each event is projected onto the polynomial."""


class SbiConfig(StrictModel):
    """Simulation-based inference: training on simulated events, and coefficients of the others."""

    model: NameOrPath | None = None
    """A model that is ready, in place of a training: ``pretrained``, or a model folder (``<output>/train_sbi`` of
    another analysis). All events of this analysis are fitted then, calibrated with the file ``calibration.json`` of
    the folder if it has one. Null: it is trained here."""

    method: Method = "derivatives"
    """What is learned: ``derivatives`` of the density at the reference; the same by boosted information ``trees``;
    ``morphing``, ratios at basis points; a ratio as a function of θ (``carl``, ``alice``, ``rolr``, and with the
    score ``cascal``, ``alices``, ``rascal``); or the score at the reference and its density (``sally``; ``sallino``
    in one direction of θ)."""

    features: tuple[str, ...] = Field(("high_level",), min_length=1)
    """What the networks see: ``high_level``, names of high-level features, of observables of the partons, of columns,
    or of places in them (``jet_pt[0]``); and coefficients that another estimator gave the same events, e.g.
    ``mem:ratios`` and ``mem:errors``."""

    coefficients: dict[str, tuple[LocalPath, ...]] = Field(default_factory=dict)
    """Files of coefficients by the name before the colon in `features`, one for each store that is trained on or
    fitted; those of a name that is not here are made by the step of that name in this analysis."""

    reference: tuple[dict[str, float], ...] = Field(({},), min_length=1)
    """θ that is learned at; several points are a mixture with equal shares. Parameters not named are at their values in
    the Standard Model. The events need not have been generated there: they are weighted."""

    range: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Lowest and highest value by parameter in which basis points are searched and θ is drawn; null: two units of the
    sensitivity of an event around the reference."""

    normalisation: Literal["learned", "true"] = "learned"
    """σ_a: ``learned``, the sums of the learned ratios over the training events, so that no bias of the networks is
    left in the score at the reference; ``true``, the cross sections of the events."""

    preset: Literal["small", "tiny", "paper"] = "small"
    """Sizes of networks and training that hold where nothing else is said: ``small`` for two cores and minutes,
    ``tiny`` for tests, ``paper`` for accelerators, with networks over objects of the order of those that were published
    (arXiv:2202.03772 for attention with pairs, 2411.00446 for L-GATr, 2505.20280 for LLoCa)."""

    network: SbiNetworkConfig = SbiNetworkConfig()
    """The networks."""

    training: SbiTrainingConfig = SbiTrainingConfig()
    """Their training."""

    trees: TreeSettings = TreeSettings()
    """Settings of the method ``trees``; `network.members` ensembles are grown on bootstrap samples, and each keeps its
    trees up to the lowest validation loss. Base points are distances of θ from the reference."""

    derivatives: DerivativesConfig = Field(DerivativesConfig(), exclude_if=lambda it: it == DerivativesConfig())
    """Settings of the method ``derivatives``."""

    morphing: MorphingConfig = MorphingConfig()
    """Settings of the method ``morphing``."""

    conditional: ConditionalConfig = ConditionalConfig()
    """Settings of the methods whose networks take θ."""

    score: ScoreConfig = ScoreConfig()
    """Settings of the methods ``sally`` and ``sallino``."""

    calibration: Literal["chosen", "joint", "tails", "slopes", "means"] = "chosen"
    """Calibration of the coefficients with the share of events for it: ``joint``, of all ratios together; ``means``,
    ``slopes``, ``tails``, of each ratio by its mean, a slope, and slopes that differ in the tail; ``chosen``, the one
    of these, or none, that tells θ best on events that it was not fitted to."""

    shares: SharesConfig = SharesConfig()
    """Parts of the events for calibration and fit; the others train the networks."""

    group: str | None = None
    """Column of whole numbers that is the same for events that must not be parted; null: the number of the parton
    event where the events are copies (fractional smearing), else that of the event."""

    stores: tuple[LocalPath, ...] = ()
    """Event stores to train and calibrate on; then all events of this analysis are fitted. Empty: a part of its events,
    and the others are fitted."""

    backgrounds: dict[str, SbiBackgroundConfig] = Field(default_factory=dict)
    """Backgrounds by name, as in `inference.backgrounds`. Networks of the same sizes tell each from the signal at the
    Standard Model."""

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
        """Put the preset's values under those of the file, and what the backbone wants under both."""
        filled = filled_from_preset(data, SBI_PRESETS)
        return filled_with(filled, backbone_defaults(filled)) if isinstance(filled, Mapping) else filled

    @model_validator(mode="after")
    def _ready_models_are_not_trained(self) -> "SbiConfig":
        """Refuse settings of a training beside a model that is ready, where they would change nothing."""
        if self.model is None:
            return self
        for key, field in SbiConfig.model_fields.items():
            if key not in MACHINE_SETTINGS | {"model"} and getattr(self, key) != field.get_default(
                call_default_factory=True
            ):
                message = "has no meaning beside `model`, which was trained before: leave one of the two out"
                raise SettingError((key,), message)
        return self

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "SbiConfig":
        for name, (low, high) in self.range.items():
            if not low < high:
                raise SettingError(("range", name), f"the range must ascend, got {low} to {high}")
        return self

    @model_validator(mode="after")
    def _validation_of_trees_is_that_of_all_methods(self) -> "SbiConfig":
        if self.method == "trees" and self.trees.held_out > 0.0:
            message = "has no meaning here, for `sbi.training.validation_fraction` sets this part: leave it out"
            raise SettingError(("trees", "held_out"), message)
        return self

    @model_validator(mode="after")
    def _bootstrap_has_members(self) -> "SbiConfig":
        if self.network.bootstrap and self.network.members < 2:
            message = (
                "one member has no scatter, so that its bootstrap sample tells no error: expected 2 members or more"
            )
            raise SettingError(("network", "bootstrap"), message)
        return self

    @model_validator(mode="after")
    def _stacks_on_other_estimators(self) -> "SbiConfig":
        for name in self.features:
            if name.startswith("sbi.") and ":" in name:
                message = (
                    f"'{name}': coefficients of a variant are of the events that are fitted, and of none to learn "
                    "from; stack on `mem:ratios`, or on another estimator in `coefficients`"
                )
                raise SettingError(("features",), message)
        return self

    @model_validator(mode="after")
    def _score_is_of_one_point(self) -> "SbiConfig":
        if self.method in LOCAL_METHODS and len(self.reference) != 1:
            message = f"`{self.method}` learns the score at one point: expected one, got {len(self.reference)}"
            raise SettingError(("reference",), message)
        if self.score.direction and self.method != "sallino":
            message = f"only `sallino` has a direction, `{self.method}` has none: leave it out"
            raise SettingError(("score", "direction"), message)
        return self

    @model_validator(mode="after")
    def _error_can_be_had(self) -> "SbiConfig":
        if self.network.error == "laplace":
            if self.method not in ("derivatives", "morphing") or self.morphing.joint:
                message = "`laplace` is for `method: derivatives`, or `morphing` without `joint`: use `ensemble`"
                raise SettingError(("network", "error"), message)
            if self.network.bootstrap:
                message = "members of bootstrap samples have their scatter for an error: use `error: ensemble`"
                raise SettingError(("network", "bootstrap"), message)
        return self

    def theta_points(self) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, float]]]:
        """Yield every mapping from theory parameters to values, with where it is in the section."""
        for index, point in enumerate(self.reference):
            yield ("reference", index), point
        for index, point in enumerate(self.morphing.points):
            yield ("morphing", "points", index), point
        yield ("range",), dict.fromkeys(self.range, 0.0)
        yield ("score", "direction"), self.score.direction

    def parts(self) -> tuple[float, float, float, float]:
        """Return the shares of training, validation, calibration and fit, which sum to 1."""
        fit = 0.0 if self.stores else self.shares.fit
        rest = 1.0 - fit - self.shares.calibration
        validation = self.training.validation_fraction * rest
        return rest - validation, validation, self.shares.calibration, fit

    def background_parts(self) -> tuple[float, float, float, float]:
        """Return the shares of background events: as `parts`, and always with some for pseudo-data."""
        return self.model_copy(update={"stores": ()}).parts()

    def learning(self) -> dict[str, object]:
        """Return what the trained networks depend on, as JSON-like values."""
        return self.model_dump(mode="json", exclude={*MACHINE_SETTINGS, "stores", "model", "also", "calibration"})
