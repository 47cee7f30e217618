"""Boosting: each tree is grown on what the trees before it have left (arXiv:2107.10859, 2205.12976).

From the residuals c_k − w F_k of all events a tree is grown; its leaves have the value Σ(c_k − w F_k)/Σw, of which
the part η is added to F_k. As long as trees are grown on all events, Σ w F_k = Σ c_k after each of them: the cross
section that the learned ratios add up to is that of the sample, at every θ.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.errors import TrainingError
from partonic.rng import numpy_generator
from partonic.trees.binned import BinnedEvents
from partonic.trees.engine import Threads, kernels, pieces
from partonic.trees.ensemble import BoostedTrees, joined
from partonic.trees.facts import TrainingFacts
from partonic.trees.grow import grow
from partonic.trees.information import InformationSums
from partonic.trees.objective import objective_of

__all__ = ["Boosting"]


class Boosting:
    """A training between two trees.

    Args:
        events: to learn from.
        settings: of the training.
        seed: of the rows and features that trees draw.
        threads: to use.
        spare: leave the residuals of `events` as they are, and work on a copy.

    Raises:
        TrainingError: if settings and events do not fit, or no target varies.
    """

    def __init__(
        self, events: BinnedEvents, settings: TreeSettings, seed: int, threads: Threads, spare: bool = True
    ) -> None:
        monomials = events.monomials
        self.events, self.monomials, self.settings, self.threads = events, monomials, settings, threads
        if settings.patience is not None and len(events.held_out) == 0:
            msg = "stopping early (patience) needs held-out events: prepare the events with settings.held_out, e.g. 0.2"
            raise TrainingError(msg)
        self.objective = objective_of(events, settings)
        self.trees: list[tuple[NDArray[np.int32], NDArray[np.float64]]] = []
        self.exhausted = False
        self.facts = TrainingFacts(
            events=(len(events.train), len(events.held_out)),
            effective_events=(events.sums[0].effective, events.sums[1].effective),
            negative=(events.sums[0].negative_share, events.sums[1].negative_share),
            constant=tuple(n for n, s in zip(monomials.names[1:], events.scaling.deviation, strict=True) if s == 0.0),
            digest=events.digest(),
            seed=seed,
            gains=np.zeros(len(events.bins.names)),
            splits=np.zeros(len(events.bins.names), dtype=np.int64),
        )
        self.facts.train_loss.append(self.objective.loss_at_mean(events.statistics, events.train))
        if len(events.held_out):
            self.facts.held_out_loss.append(self.objective.loss_at_mean(events.statistics, events.held_out))
        self.statistics = events.statistics.copy() if spare else events.statistics

    @property
    def finished(self) -> bool:
        """Whether all trees are grown, or more would not help."""
        return len(self.trees) >= self.settings.trees or self.exhausted or self._stalled

    @property
    def _stalled(self) -> bool:
        """Whether the held-out loss has not fallen for too long."""
        patience, loss = self.settings.patience, self.facts.held_out_loss
        return patience is not None and len(self.trees) - int(np.argmin(loss)) >= patience

    @property
    def last_losses(self) -> dict[str, float]:
        """Figures for the progress."""
        held = self.facts.held_out_loss
        return {"loss": self.facts.train_loss[-1]} | ({"held out": held[-1]} if held else {})

    def step(self) -> None:
        """Grow one tree."""
        rows, columns = self._drawn()
        tree = grow(self.events.codes, self.statistics, rows, columns, self.objective, self.settings, self.threads)
        if len(tree.nodes) == 1 and self.settings.row_share == self.settings.feature_share == 1.0:
            if not self.trees:
                raise TrainingError(
                    "no split by any feature lowers the loss: the features know nothing of the ratios, or leaves need "
                    f"too many events (min_leaf_events {self.settings.min_leaf_events:g}, min_leaf_weight "
                    f"{self.settings.min_leaf_weight:g})"
                )
            self.exhausted = True
            return
        inner = tree.nodes[:, 0] >= 0
        np.add.at(self.facts.gains, tree.nodes[inner, 0], tree.gains[inner])
        np.add.at(self.facts.splits, tree.nodes[inner, 0], 1)
        self.trees.append((tree.nodes, self.settings.learning_rate * tree.values))
        losses = self.facts.train_loss, self.facts.held_out_loss
        for change, loss in zip(self._apply(*self.trees[-1]), losses, strict=False):
            loss.append(loss[-1] + change)
            if not np.isfinite(loss[-1]):
                raise TrainingError(
                    f"the loss is {loss[-1]} after {len(self.trees)} trees: the ratios of some events are too large; "
                    "use a larger min_leaf_events, or loss 'cross_entropy'"
                )

    def resume(self, before: BoostedTrees, folder: Path) -> None:
        """Go on from a checkpoint, read from `folder`.

        Raises:
            TrainingError: if it is of another training.
        """
        same = {"trees": self.settings.trees, "patience": self.settings.patience}
        differences = {
            "settings": before.settings.model_copy(update=same) != self.settings,
            "monomials": before.monomials != self.monomials,
            "features": before.bins.names != self.events.bins.names,
            "events": before.facts.digest != self.facts.digest,
            "seed": before.facts.seed != self.facts.seed,
        }
        if named := [name for name, differs in differences.items() if differs]:
            raise TrainingError(
                f"{folder} belongs to a training with other {', '.join(named)}: use the same ones to go "
                "on, or another folder"
            )
        self.trees = [before.tree(number) for number in range(len(before))]
        self.facts = before.facts
        for tree in self.trees:
            self._apply(*tree)

    def ensemble(self) -> BoostedTrees:
        """Return the trees so far."""
        roots, nodes, steps = joined(self.trees)
        events = self.events
        return BoostedTrees(self.monomials, events.bins, events.scaling, roots, nodes, steps, self.settings, self.facts)

    def result(self) -> BoostedTrees:
        """Return the trees up to the lowest held-out loss, or all, with their information."""
        whole = self.ensemble()
        if self.settings.patience is None:
            return self._informed(whole)
        best = int(np.argmin(self.facts.held_out_loss))
        if best == 0:
            raise TrainingError(
                f"no number of trees lowers the loss on the {self.facts.events[1]} held-out events, so "
                "there is nothing that can be learned from these features: use more events, larger leaves or a smaller "
                "learning_rate"
            )
        end = int(whole.roots[best]) if best < len(whole) else len(whole.nodes)
        kept = replace(whole, roots=whole.roots[:best], nodes=whole.nodes[:end], steps=whole.steps[:end])
        return self._informed(kept)

    def _drawn(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows and features of the next tree."""
        generator = numpy_generator(self.facts.seed, "tree", len(self.trees))
        rows, width = self.events.train.copy(), len(self.events.bins.names)
        columns = np.arange(width)
        if self.settings.feature_share < 1.0:
            chosen = generator.choice(width, max(1, round(self.settings.feature_share * width)), replace=False)
            columns = np.sort(chosen)
        if self.settings.row_share < 1.0:
            rows = rows[generator.random(len(rows), dtype=np.float32) < self.settings.row_share]
        return rows, columns

    def _apply(self, nodes: NDArray[np.int32], steps: NDArray[np.float64]) -> list[float]:
        """Take a tree off the residuals; return by how much the losses of training and held-out events change."""
        changes = []
        for rows, sums in zip((self.events.train, self.events.held_out), self.events.sums, strict=True):
            if len(rows) == 0:
                continue
            apply = partial(self._apply_to, nodes, steps)
            parts = self.threads.share(apply, [rows[part] for part in pieces(len(rows))])
            weight = sums.weights[0] / self.events.scaling.weight
            changes.append(self.objective.loss_change(np.sum(parts, axis=0), steps) / weight)
        return changes

    def _apply_to(
        self, nodes: NDArray[np.int32], steps: NDArray[np.float64], rows: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        sums = np.zeros((len(nodes), self.statistics.shape[1]))
        kernels().apply_tree(self.events.codes, self.statistics, rows, nodes, steps, sums)
        return sums

    def _informed(self, trees: BoostedTrees) -> BoostedTrees:
        """Return trees with their Fisher information among the facts."""
        facts, whole = replace(self.facts, information={}), self.ensemble()
        for name, rows in (("train", self.events.train), ("held_out", self.events.held_out)):
            if len(rows) == 0:
                continue
            sums = InformationSums()
            for part in pieces(len(rows)):
                codes = self.events.codes[rows[part]]
                ratios = whole.of_codes(codes)
                coefficients = self._coefficients(rows[part], ratios)
                sums.add(ratios if len(trees) == len(whole) else trees.of_codes(codes), coefficients)
            facts.information[name] = sums.information()
            facts.information[f"{name}_with_truth"] = sums.information(truth=True)
        return replace(trees, facts=facts)

    def _coefficients(self, rows: NDArray[np.int32], ratios: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return c_a = w R_a + d_a of some events, from the ratios of all trees and what these have left."""
        values, scaling = self.statistics[rows].astype(np.float64), self.events.scaling
        derivatives = values[:, :1] * ratios[:, 1:] + values[:, 1:] * scaling.deviation
        return np.column_stack([values[:, 0], derivatives]) * scaling.weight
