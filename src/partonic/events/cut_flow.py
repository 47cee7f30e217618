"""Cut flows: events and weights that are left after each cut of a selection."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partonic.config.simulation import JetConfig, SelectionConfig
from partonic.events.grouped import sums_of_groups
from partonic.events.object_cuts import object_cuts
from partonic.events.schema import CutFlowStep

__all__ = ["CutFlow", "cut_names"]


def cut_names(selection: SelectionConfig | None, jets: JetConfig) -> tuple[str, ...]:
    """Return the names of the cuts, in the order in which they are made; none without a selection."""
    if selection is None:
        return ()
    return (
        _lepton_cut(selection),
        f"no further lepton with pT > {selection.veto_pt_min:g} GeV",
        *(name for name, _ in object_cuts(selection)),
        f"≥ {selection.jets_min} jets with pT > {jets.pt_min:g} GeV{_of_kinds(selection)}",
        f"≥ {selection.b_tags_min} b tags",
    )


def _of_kinds(selection: SelectionConfig) -> str:
    limits = {"untagged": selection.untagged_jet_pt_min, "b-tagged": selection.tagged_jet_pt_min}
    return "".join(f", {name} ones > {limit:g} GeV" for name, limit in limits.items() if limit > 0.0)


def _lepton_cut(selection: SelectionConfig) -> str:
    name = f"{selection.leptons} isolated e, μ with pT > {selection.lepton_pt_min:g} GeV"
    if selection.leading_lepton_pt_min > selection.lepton_pt_min:
        name += f", the hardest > {selection.leading_lepton_pt_min:g} GeV"
    if selection.lepton_flavours is not None:
        name += f", flavours {' '.join('μ' if one == 'mu' else one for one in selection.lepton_flavours)}"
    return f"{name}, of opposite charges" if selection.opposite_charges else name


class CutFlow:
    """Adds up events batch by batch."""

    def __init__(self, names: Sequence[str]) -> None:
        """Begin with no events.

        Args:
            names: of all steps; the first is all events, the rest the cuts.
        """
        self.names = tuple(names)
        self._events = np.zeros(len(self.names), dtype=np.int64)
        self._sums = np.zeros((2, len(self.names)))

    def add(self, cut: NDArray[np.int8], weight: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> None:
        """Add events.

        Args:
            cut: index of the first cut failed, 0 for the second step; −1 for none, `(N,)`.
            weight: weights in pb, any sign, `(N,)`.
            groups: equal for events that stem from one parton event, all of which follow one another here, `(N,)`: for
                the error their weights are one. None: each event is its own.
        """
        for index in range(len(self.names)):
            kept = (cut < 0) | (cut >= index)
            passed = weight[kept]
            self._events[index] += len(passed)
            independent = passed if groups is None else sums_of_groups(passed, groups[kept])
            self._sums[:, index] += passed.sum(), (independent**2).sum()

    def steps(self) -> tuple[CutFlowStep, ...]:
        """Return what is left after each step, with the standard error √Σw² of the weight."""
        return tuple(
            CutFlowStep(name=name, events=int(events), weight=float(total), weight_error=float(np.sqrt(squares)))
            for name, events, total, squares in zip(self.names, self._events, *self._sums, strict=True)
        )
