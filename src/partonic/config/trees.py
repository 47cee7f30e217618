"""Settings of boosted information trees, e.g. `sbi.trees`."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = ["TreeSettings"]


class TreeSettings(StrictModel):
    """How an ensemble is grown.

    A tree grows leaf by leaf, the split with the largest gain first, until no leaf may be split: with `max_depth` alone
    this is growth by depth, with `max_leaves` it is growth by leaf.
    """

    trees: int = Field(default=100, ge=1)
    """Most trees of the ensemble."""

    learning_rate: float = Field(default=0.2, gt=0.0, le=1.0)
    """η: the part of its best value by which each leaf moves the ratios."""

    max_depth: int = Field(default=4, ge=1, le=20)
    """Most splits between the root and a leaf."""

    max_leaves: int | None = Field(default=None, ge=2)
    """Most leaves of a tree; by default as many as `max_depth` allows."""

    bins: int = Field(default=255, ge=2, le=255)
    """Most intervals into which the values of a feature are sorted; missing values (NaN) have one of their own."""

    bin_sample: int = Field(default=500_000, ge=100)
    """Events whose values place the edges of these intervals; all, if there are no more."""

    min_leaf_events: float = Field(default=50.0, ge=1.0)
    """Fewest events in a leaf, counted as (Σw)²/Σw²: with weights of both signs a leaf needs more of them."""

    min_leaf_weight: float = Field(default=0.0, ge=0.0, lt=0.5)
    """Smallest weight of a leaf, as a part of the weight of all events of training."""

    row_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Part of the events of training, drawn anew for each tree, that it is grown on."""

    feature_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Part of the features, drawn anew for each tree, that it may split by; at least one."""

    loss: Literal["squared", "cross_entropy"] = "squared"
    """What the choice of splits minimises; leaves have the same values for both. Cross-entropy needs `base_points`."""

    base_points: tuple[tuple[float, ...], ...] | None = None
    """Points θ at which ratios are told apart; by default the targets are the derivatives R_a themselves."""

    standardise: bool = True
    """Whether each target of the squared loss counts in units of its own standard deviation."""

    target_weights: tuple[float, ...] | None = None
    """How much each derivative R_a, or each base point, counts in the choice of splits; by default all the same."""

    held_out: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Part of the events, whole groups, on which no tree is grown."""

    patience: int | None = Field(default=None, ge=1)
    """Stop after so many trees without a lower loss on the held-out events, and keep the trees up to the lowest; by
    default all are grown and kept."""

    @model_validator(mode="after")
    def _consistent(self) -> "TreeSettings":
        if self.loss == "cross_entropy" and not self.base_points:
            raise SettingError(
                ("base_points",), "the cross-entropy compares θ = 0 with other points: give base_points, a list of θ"
            )
        if self.target_weights is not None and not (
            min(self.target_weights, default=0.0) >= 0.0 and sum(self.target_weights) > 0.0
        ):
            raise SettingError(
                ("target_weights",), f"weights must be ≥ 0 and not all 0, got {list(self.target_weights)}"
            )
        return self
