"""Event selection: the first cut that an event fails.

Cuts are applied in order: leptons, veto of further leptons, then those of `object_cuts` that the selection asks for,
jets and b tags. Jets are clustered only for events that pass the cuts before, so a rejected event knows the first cut
that it failed and nothing about later ones.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from partonic.config.selection import SelectionConfig
from partonic.events.object_cuts import Candidates, CutObjects, object_cuts

__all__ = ["SELECTED", "counted_jets", "jet_cut", "lepton_cut", "object_cut"]

SELECTED = -1
"""Value of the column `cut` of an event that passes all cuts."""

_FLAVOURS = {"e": 11, "mu": 13}


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
    for name, number in _FLAVOURS.items():
        if selection.lepton_flavours is not None:
            of_flavour = tight & (np.abs(pdg) == number)
            wrong |= np.bincount(event[of_flavour], minlength=events) != selection.lepton_flavours.count(name)
    further = np.bincount(event[loose], minlength=events) > selection.leptons
    return np.select([wrong, further], [0, 1], SELECTED).astype(np.int8)


def object_cut(
    leptons: Candidates,
    photons: Candidates,
    met: Float[np.ndarray, "events 2"] | None,
    events: int,
    selection: SelectionConfig,
) -> Int[np.ndarray, " events"]:
    """Return the number of the first cut before those on jets that events fail, `SELECTED` for none.

    Args:
        leptons: isolated leptons inside the acceptance in η.
        photons: identified, isolated photons inside the acceptance in η; none where the selection does not ask for any.
        met: size (GeV) and azimuth of the missing transverse momentum; None where no cut looks at it.
        events: number of events.
        selection: the cuts.
    """
    cut = lepton_cut(leptons.pt, leptons.pdg, leptons.event, events, selection)
    tight = leptons.select(leptons.pt > selection.lepton_pt_min)
    hard = photons.select(photons.pt > selection.photon_pt_min)
    objects = CutObjects.of(tight, hard, np.zeros((events, 2)) if met is None else met)
    for number, (_, fails) in enumerate(object_cuts(selection), start=2):
        cut[(cut == SELECTED) & fails(objects)] = number
    return cut


def counted_jets(
    pt: Shaped[np.ndarray, " jets"],
    tagged: Bool[np.ndarray, " jets"],
    event: Int[np.ndarray, " jets"],
    events: int,
    selection: SelectionConfig,
) -> tuple[Int[np.ndarray, " events"], Int[np.ndarray, " events"]]:
    """Return for each event how many jets, and how many b-tagged ones, count.

    Args:
        pt: transverse momenta of the jets, in GeV.
        tagged: which are b-tagged.
        event: their events.
        events: number of events.
        selection: the smallest pT of tagged and other jets.
    """
    counted = pt > np.where(tagged, selection.tagged_jet_pt_min, selection.untagged_jet_pt_min)
    jets = np.bincount(event[counted], minlength=events)
    return jets, np.bincount(event[counted & tagged], minlength=events)


def jet_cut(
    jets: Int[np.ndarray, " events"], tags: Int[np.ndarray, " events"], selection: SelectionConfig
) -> Int[np.ndarray, " events"]:
    """Return the number of the cut on jets or that on b tags, for events with too few; `SELECTED` for the others.

    Without cuts of `object_cuts` these are 2 and 3.
    """
    first = 2 + len(object_cuts(selection))
    conditions = [jets < selection.jets_min, tags < selection.b_tags_min]
    return np.select(conditions, [first, first + 1], SELECTED).astype(np.int8)
