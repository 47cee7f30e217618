"""Event selection with its cut flow.

Cuts are applied in order: leptons, veto of further leptons, jets, b tags. Jets are clustered only for events that pass
the lepton cuts, so a rejected event knows the first cut that it failed and nothing about later ones.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from partonic.config.simulation import JetConfig, SelectionConfig
from partonic.events.schema import CutFlowStep

__all__ = ["SELECTED", "cut_flow", "cut_names", "jet_cut", "lepton_cut"]

SELECTED = -1
"""Value of the column `cut` of an event that passes all cuts."""


def cut_names(selection: SelectionConfig, jets: JetConfig) -> tuple[str, ...]:
    """Return the names of the cuts, in order, as they are printed in the cut flow."""
    return (
        f"{selection.leptons} isolated e, μ with pT > {selection.lepton_pt_min:g} GeV",
        f"no further lepton with pT > {selection.veto_pt_min:g} GeV",
        f"≥ {selection.jets_min} jets with pT > {jets.pt_min:g} GeV",
        f"≥ {selection.b_tags_min} b tags",
    )


def lepton_cut(
    pt: Float[np.ndarray, " leptons"], event: Int[np.ndarray, " leptons"], events: int, selection: SelectionConfig
) -> Int[np.ndarray, " events"]:
    """Return 0 or 1 for events that fail the first or second cut, `SELECTED` for the others.

    Args:
        pt: transverse momenta of all isolated leptons inside the acceptance in η, in GeV.
        event: their events.
        events: number of events.
        selection: the cuts.
    """
    tight = np.bincount(event[pt > selection.lepton_pt_min], minlength=events)
    loose = np.bincount(event[pt > selection.veto_pt_min], minlength=events)
    conditions = [tight != selection.leptons, loose > selection.leptons]
    return np.select(conditions, [0, 1], SELECTED).astype(np.int8)


def jet_cut(
    jets: Int[np.ndarray, " events"], tags: Int[np.ndarray, " events"], selection: SelectionConfig
) -> Int[np.ndarray, " events"]:
    """Return 2 or 3 for events with too few `jets` or too few b `tags`, `SELECTED` for the others."""
    conditions = [jets < selection.jets_min, tags < selection.b_tags_min]
    return np.select(conditions, [2, 3], SELECTED).astype(np.int8)


def cut_flow(
    names: Sequence[str], cut: Int[np.ndarray, " events"], weight: Float[np.ndarray, " events"]
) -> tuple[CutFlowStep, ...]:
    """Count events and weights after each cut.

    Args:
        names: of all steps; the first is all events, the rest the cuts.
        cut: index of the first cut failed (0 for the second step), `SELECTED` for none.
        weight: weights in pb.
    """
    steps = []
    for index, name in enumerate(names):
        passed = weight[(cut == SELECTED) | (cut >= index)]
        steps.append(
            CutFlowStep(
                name=name,
                events=len(passed),
                weight=float(passed.sum()),
                weight_error=float(np.sqrt((passed**2).sum())),
            )
        )
    return tuple(steps)
