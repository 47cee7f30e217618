"""Event selection: the first cut that an event fails.

Cuts are applied in order: leptons, veto of further leptons, jets, b tags. Jets are clustered only for events that pass
the lepton cuts, so a rejected event knows the first cut that it failed and nothing about later ones.
"""

import numpy as np
from jaxtyping import Float, Int

from partonic.config.simulation import SelectionConfig

__all__ = ["SELECTED", "jet_cut", "lepton_cut"]

SELECTED = -1
"""Value of the column `cut` of an event that passes all cuts."""


def lepton_cut(
    pt: Float[np.ndarray, " leptons"],
    pdg: Int[np.ndarray, " leptons"],
    event: Int[np.ndarray, " leptons"],
    events: int,
    selection: SelectionConfig,
) -> Int[np.ndarray, " events"]:
    """Return 0 or 1 for events that fail the first or second cut, `SELECTED` for the others.

    Args:
        pt: transverse momenta of all isolated leptons inside the acceptance in η, in GeV.
        pdg: their PDG ids.
        event: their events.
        events: number of events.
        selection: the cuts.
    """
    tight, loose = pt > selection.lepton_pt_min, pt > selection.veto_pt_min
    wrong = np.bincount(event[tight], minlength=events) != selection.leptons
    if selection.leading_lepton_pt_min > selection.lepton_pt_min:
        leading = tight & (pt > selection.leading_lepton_pt_min)
        wrong |= (np.bincount(event[leading], minlength=events) == 0) & (selection.leptons > 0)
    if selection.opposite_charges:
        wrong |= np.bincount(event[tight], weights=np.sign(pdg[tight]), minlength=events) != 0.0
    further = np.bincount(event[loose], minlength=events) > selection.leptons
    return np.select([wrong, further], [0, 1], SELECTED).astype(np.int8)


def jet_cut(
    jets: Int[np.ndarray, " events"], tags: Int[np.ndarray, " events"], selection: SelectionConfig
) -> Int[np.ndarray, " events"]:
    """Return 2 or 3 for events with too few `jets` or too few b `tags`, `SELECTED` for the others."""
    conditions = [jets < selection.jets_min, tags < selection.b_tags_min]
    return np.select(conditions, [2, 3], SELECTED).astype(np.int8)
