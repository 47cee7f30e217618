"""Where an object may lie: directions and momenta that partons leave after the objects before have been subtracted.

A parton that decays into n bodies shares its momentum among n objects. After one of them is known, what is left of the
parton's momentum is the momentum of the others, and after n − 1 it is that of the last: H → b b̄ has the b-jet with
p_H − p_b, H → γγ the photon with p_H − p_γ, and a top the last of its jets with p_t − p_1 − p_2. Candidates are all
partons p, p − o_i and p − o_i − o_j, as far as the decay has so many bodies and the objects can come from it. Most are
wrong; the network says which it believes. Without them it would have to compute these differences, and their azimuths,
by itself.
"""

from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.mem.transfer.layout import TransferLayout

__all__ = [
    "CANDIDATE_FEATURES",
    "CandidateMomenta",
    "CandidatePlan",
    "candidates_of",
    "kinds_of_candidates",
    "plan_candidates",
]

CANDIDATE_FEATURES = 6
"""What is said of each candidate: ln pT, η, two of the mass, ln E, b-tags of the objects taken away."""

_SINGLE_JETS, _PAIR_JETS = 8, 6
"""Leading jets that are subtracted alone, and in pairs."""

_KINDS, _KINDS_WITH_PHOTONS = 6, 7
"""Kinds of candidates of a parton: itself; less a jet, two jets, its lepton, the missing momentum, or both of these;
less a photon, where there are photons."""

_LARGEST_SHARE = 3
"""Jets of a parton from which on two of them are taken away together."""

_NONE = -1
"""Place of no object: the last one, which `candidates_of` keeps empty."""

_SCALE = 50.0
"""GeV."""

_SMALLEST_PT = 1.0
_ETA_MAX = 4.0
"""Largest |η| of a candidate where jets do not reach farther."""


@dataclass(frozen=True)
class CandidatePlan:
    """Which candidates there are, for events with so many slots of objects; sorted by their last object.

    Attributes:
        parton: place of the parton, `(C,)`.
        first, second: places of the objects taken away; −1 where there is none, `(C,)`.
        kind: number of the kind of candidate (parton, and what was taken away), `(C,)`.
        counts: how many candidates there are for the object in each slot, that is those whose objects come before it.
        eta_limit: largest |η| of a candidate; the network sees nothing of what lies beyond.
    """

    parton: Tensor
    first: Tensor
    second: Tensor
    kind: Tensor
    counts: tuple[int, ...]
    eta_limit: float


@dataclass(frozen=True)
class CandidateMomenta:
    """Momenta of the candidates of events and sets of partons, in the frame of the event.

    Attributes:
        log_pt: ln(pT/GeV), `(N, S, C)`.
        eta: pseudorapidity, bounded.
        cosine, sine: of the azimuth.
        features: `CANDIDATE_FEATURES` of them, `(N, S, C, F)`.
    """

    log_pt: Float[Tensor, "events samples candidates"]
    eta: Float[Tensor, "events samples candidates"]
    cosine: Float[Tensor, "events samples candidates"]
    sine: Float[Tensor, "events samples candidates"]
    features: Float[Tensor, "events samples candidates features"]


def kinds_of_candidates(layout: TransferLayout) -> int:
    """Return the number of kinds of candidates."""
    return _kinds_of_parton(layout) * len(layout.parton_pdg)


def plan_candidates(layout: TransferLayout, slots: int) -> CandidatePlan:
    """Return the candidates for events with so many slots of objects (leptons, photons, missing momentum, jets)."""
    photons, missing = range(layout.leptons, layout.missing), layout.missing
    jets = range(missing + 1, slots)
    rows: list[tuple[int, int, int, int]] = []
    for place, parton in enumerate(layout.decay_channel.slots):
        base, objects = _kinds_of_parton(layout) * place, parton.objects
        rows.append((place, _NONE, _NONE, base))
        if "jet" in objects and len(objects) > 1:
            rows += [(place, jet, _NONE, base + 1) for jet in jets[:_SINGLE_JETS]]
        if objects.count("jet") >= _LARGEST_SHARE:
            rows += [(place, *pair, base + 2) for pair in combinations(jets[:_PAIR_JETS], 2)]
        if parton.lepton is not None:
            rows += [(place, parton.lepton, _NONE, base + 3), (place, missing, _NONE, base + 4)]
            rows.append((place, parton.lepton, missing, base + 5))
        if "photon" in objects:
            rows += [(place, photon, _NONE, base + 6) for photon in photons]
    rows = sorted((row for row in rows if max(row[1:3]) < slots - 1), key=lambda row: max(row[1:3]))
    counts = tuple(sum(max(row[1:3]) < slot for row in rows) for slot in range(slots))
    whose, first, second, kind = torch.tensor(rows).unbind(dim=1)
    return CandidatePlan(whose, first, second, kind, counts, max(_ETA_MAX, layout.jet_eta_max))


def candidates_of(
    plan: CandidatePlan,
    partons: Float[Tensor, "events samples partons 4"],
    objects: Float[Tensor, "events slots 4"],
    tagged: Float[Tensor, "events slots"],
) -> CandidateMomenta:
    """Return the momenta of candidates.

    Args:
        plan: which ones; its slots are those of the objects.
        partons: in the frame of the event, GeV.
        objects: massless, in the same frame, GeV.
        tagged: 1 for b-tagged jets, else 0.
    """
    padded = torch.cat([objects, torch.zeros_like(objects[:, :1])], dim=1)
    tags = torch.cat([tagged, torch.zeros_like(tagged[:, :1])], dim=1)
    taken = padded[:, plan.first] + padded[:, plan.second]
    energy, px, py, pz = (partons[:, :, plan.parton] - taken[:, None]).unbind(dim=-1)
    pt = (px.square() + py.square()).sqrt().clamp(min=_SMALLEST_PT)
    mass2 = energy * energy - pt * pt - pz * pz
    log_pt = torch.log(pt)
    eta = torch.asinh(pz / pt).clamp(-plan.eta_limit, plan.eta_limit)
    number = (tags[:, plan.first] + tags[:, plan.second])[:, None].expand_as(pt)
    root = torch.asinh(mass2 / _SCALE**2)
    features = torch.stack(
        [log_pt - 4.0, 0.5 * eta, 0.3 * root, (mass2 / _SCALE**2).clamp(-3.0, 3.0), torch.asinh(energy / _SCALE) - 2.0,
         number],
        dim=-1,
    )  # fmt: skip
    return CandidateMomenta(log_pt, eta, px / pt, py / pt, features)


def _kinds_of_parton(layout: TransferLayout) -> int:
    return _KINDS_WITH_PHOTONS if layout.photons else _KINDS
