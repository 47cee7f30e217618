"""What a training tells of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.trees.information import Information

__all__ = ["TrainingFacts"]


@dataclass
class TrainingFacts:
    """Facts of a training.

    Attributes:
        events: number of events of training and held out.
        effective_events: (Σw)²/Σw² of both.
        negative: part of Σ|w| of both that is of negative weights.
        train_loss: squared loss on the events of training, before the first tree and after each, those included that
            early stopping took back; a target counts in units of its variance, so that the first is about 1.
        held_out_loss: the same on the held-out events; empty if there are none.
        gains: sum over all trees of what the splits by each feature would lower the loss by, at η = 1, `(F,)`.
        splits: number of splits by each feature, `(F,)`.
        information: I_ab = Σ w R_a R_b in units of the weights, by "train" and "held_out"; and of the products with the
            true coefficients, by "train_with_truth" and "held_out_with_truth".
        constant: ratios that are the same in all events, up to rounding errors; they are predicted as their mean.
        digest: hash of the events.
        seed: of what the trees draw.
    """

    events: tuple[int, int]
    effective_events: tuple[float, float]
    negative: tuple[float, float]
    constant: tuple[str, ...]
    digest: str
    seed: int
    train_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    gains: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    splits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    information: dict[str, Information] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return all as JSON-like values."""
        return {
            "events": list(self.events), "effective_events": list(self.effective_events),
            "negative": list(self.negative), "constant": list(self.constant), "digest": self.digest, "seed": self.seed,
            "train_loss": self.train_loss, "held_out_loss": self.held_out_loss,
            "gains": self.gains.tolist(), "splits": self.splits.tolist(),
            "information": {name: value.to_json() for name, value in self.information.items()},
        }  # fmt: skip

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TrainingFacts":
        """Return what `to_json` wrote."""
        pairs = {name: tuple(document[name]) for name in ("events", "effective_events", "negative")}
        return cls(
            **pairs,
            constant=tuple(document["constant"]),
            digest=document["digest"],
            seed=document["seed"],
            train_loss=list(document["train_loss"]),
            held_out_loss=list(document["held_out_loss"]),
            gains=np.array(document["gains"], dtype=np.float64),
            splits=np.array(document["splits"], dtype=np.int64),
            information={name: Information.from_json(value) for name, value in document["information"].items()},
        )
