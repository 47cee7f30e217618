"""The view of the partons after initial-state radiation: H, t_had, t_lep and one massless balancing parton.

The momenta of H, t and t̄ are those of their last copies in Pythia's record, just before they decay: they carry the
recoil against initial-state radiation and against the primordial kT of the beams, and also what little the tops
themselves radiate before they decay (Pythia evolves both together, so one without the other does not exist).

The radiation R is everything else that the two initiators (the partons that enter the space-like cascade of the hardest
interaction) turn into: p(R) = p(initiators) − p(H t t̄). It is many partons, some of them collinear to the beams with
large energies that nobody sees. One massless parton stands for it: with the transverse momentum that balances H t t̄
(primordial kT counts as radiation, so that the four partons together move along the beam) and the rapidity of R. Its
light-cone momenta E ± p_z are smaller than those of R by the factor pT / mT(R), so both momentum fractions

    x₁ = (E + p_z)/√S,  x₂ = (E − p_z)/√S,   E, p_z of the four partons together,

lie between 0 and 1, and (momenta, x₁, x₂) is a point of four-body phase space: ten dimensions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.processes.decay_tree import ANY_FINAL_STATE, DecayTree
from partonic.simulation.harvest import ShoweredEvents
from partonic.simulation.matching import hadronic_tops

__all__ = ["IsrView", "has_isr_view", "isr_view", "with_radiation"]

_RESONANCES = 3


@dataclass(frozen=True)
class IsrView:
    """Partons after initial-state radiation.

    Attributes:
        partons: H, t_had, t_lep, radiation (E, px, py, pz) in GeV, `(N, 4, 4)`.
        x1, x2: momentum fractions, `(N,)`.
        valid: events that have this view: exactly one hadronic top, and initiators known. The rest is NaN.
    """

    partons: Float[np.ndarray, "events 4 4"]
    x1: Float[np.ndarray, " events"]
    x2: Float[np.ndarray, " events"]
    valid: Bool[np.ndarray, " events"]


def isr_view(
    events: ShoweredEvents, collider_energy: float, tree: DecayTree = ANY_FINAL_STATE, partons: int = _RESONANCES
) -> IsrView:
    """Return the view of `events` at √S = `collider_energy` (GeV).

    Args:
        events: after the shower.
        collider_energy: √S in GeV.
        tree: resonances of the process. The view exists if there are three, all decayed by the shower, and nothing
            else in the final state: whatever else there is would be taken for radiation.
        partons: number of partons of the final state; 0 where it is not known.
    """
    if not has_isr_view(tree, partons):
        nothing = np.full((events.num_events, 4, 4), np.nan)
        return IsrView(nothing, nothing[:, 0, 0], nothing[:, 0, 0], np.zeros(len(nothing), dtype=bool))
    order, known = _order(events, tree)
    resonances = np.take_along_axis(events.resonances, order[:, :, None], axis=1)
    view, x1, x2 = with_radiation(resonances, events.initiators, collider_energy)
    valid = known & np.isfinite(view).all(axis=(1, 2))
    view[~valid] = np.nan
    return IsrView(view, np.where(valid, x1, np.nan), np.where(valid, x2, np.nan), valid)


def has_isr_view(tree: DecayTree, partons: int) -> bool:
    """Return whether a process with these resonances among its partons has a view after initial-state radiation."""
    three = len(tree.outermost) == _RESONANCES and partons in (0, _RESONANCES)
    return three and all(one.decayed_by == "shower" for one in tree.outermost)


def _order(events: ShoweredEvents, tree: DecayTree) -> tuple[Int[np.ndarray, "events 3"], Bool[np.ndarray, " events"]]:
    """Return the places of the resonances in the order of the view, and for which events it is known."""
    count, places = events.num_events, range(_RESONANCES)
    if not tree.has_top_pair:
        return np.tile(np.arange(_RESONANCES), (count, 1)), np.ones(count, dtype=bool)
    top, antitop = (next(i for i in places if tree.outermost[i].pdg_ids == (pdg,)) for pdg in (6, -6))
    other = next(i for i in places if i not in (top, antitop))
    hadronic = hadronic_tops(events.decays)
    t_had = np.where(hadronic[:, 0], top, antitop)
    return np.stack([np.full(count, other), t_had, top + antitop - t_had], axis=1), hadronic.sum(axis=1) == 1


def with_radiation(
    resonances: Float[np.ndarray, "events n 4"], initiators: Float[np.ndarray, "events 2 4"], collider_energy: float
) -> tuple[Float[np.ndarray, "events n+1 4"], Float[np.ndarray, " events"], Float[np.ndarray, " events"]]:
    """Return `resonances` with the massless balancing parton appended, and the momentum fractions x₁, x₂."""
    visible = resonances.sum(axis=1)
    rest = initiators.sum(axis=1) - visible
    recoil = np.hypot(visible[:, 1], visible[:, 2])
    rapidity = _rapidity(rest, otherwise=_rapidity(visible, otherwise=np.zeros(len(visible))))
    radiation = np.stack(
        [recoil * np.cosh(rapidity), -visible[:, 1], -visible[:, 2], recoil * np.sinh(rapidity)], axis=-1
    )
    partons = np.concatenate([resonances, radiation[:, None]], axis=1)
    total = partons.sum(axis=1)
    return partons, (total[:, 0] + total[:, 3]) / collider_energy, (total[:, 0] - total[:, 3]) / collider_energy


def _rapidity(
    momenta: Float[np.ndarray, "events 4"], otherwise: Float[np.ndarray, " events"]
) -> Float[np.ndarray, " e"]:
    """Return ½ ln((E + p_z)/(E − p_z)); `otherwise` where it is not defined.

    Without any emission, R is the difference of two primordial kT and may lie outside the light cone: the radiation
    then gets the rapidity of H t t̄.
    """
    forward, backward = momenta[:, 0] + momenta[:, 3], momenta[:, 0] - momenta[:, 3]
    inside = (forward > 0.0) & (backward > 0.0)
    ratio = np.where(inside, forward, 1.0) / np.where(inside, backward, 1.0)
    rapidity: Float[np.ndarray, " events"] = np.where(inside, 0.5 * np.log(ratio), otherwise)
    rapidity[np.isnan(momenta[:, 0])] = np.nan
    return rapidity
