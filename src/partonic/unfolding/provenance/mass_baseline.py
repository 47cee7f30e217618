"""The χ² of masses: the usual way to assign jets without a network, kept to compare with.

A candidate of H should have the mass of H, one of t_had the masses of W and top, one of t_lep the top mass, with the
lepton and a neutrino:

    score = −½ Σ_k ((m_k − μ_k)/σ_k)² + Σ_jets ln[P(tag | quark)/P(tag | other jet)],

with m_k = m_bb, m_jj, m_jjb − m_jj (nearly independent of m_jj) and m_ℓνb. μ_k and σ_k are the median and half the
central 68% interval of the masses of truly matched jets, and P(tag | ·) the rates at which jets of b quarks, of W
quarks and of neither are b-tagged. A target is complete or missing with the frequency found in events with as many
jets. The neutrino is that of `with_neutrino`.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import EventFileError
from partonic.events.batch import MAX_JETS, RecoEvents
from partonic.physics.fourvector import minkowski_square, safe_sqrt
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.unfolding.provenance.candidates import SLOTS, JetCandidates, candidates
from partonic.unfolding.provenance.decoding import decode_assignment
from partonic.unfolding.provenance.neutrino import with_neutrino
from partonic.unfolding.provenance.scores import CandidateScores
from partonic.unfolding.provenance.truth import AssignmentTruth

__all__ = ["MASSES", "MassBaseline"]

MASSES = ("m_bb", "m_jj", "m_jjb - m_jj", "m_lnub")
"""The masses of the χ², in GeV."""

_MASSES_OF = (slice(0, 1), slice(1, 3), slice(3, 4))
_CHUNK = 4096
_FEWEST = 20
_QUARK_OF_SLOT = ((0, 0), (0, 1, 1), (0,))  # row of the tag rates: b quark, then quark of W, for each jet of a target


@dataclass(frozen=True)
class MassBaseline:
    """The fitted χ².

    Attributes:
        location: μ of `MASSES`, GeV, `(4,)`.
        scale: σ of `MASSES`, GeV, `(4,)`.
        tag_rates: probability to be b-tagged of jets of b quarks, of W quarks and of neither, `(3,)`.
        complete: probability that each target is complete, by number of jets from 0, `(17, 3)`.
    """

    location: Float[Tensor, "4"]
    scale: Float[Tensor, "4"]
    tag_rates: Float[Tensor, "3"]
    complete: Float[Tensor, "17 3"]

    @classmethod
    def fit(cls, reco: RecoEvents, truth: AssignmentTruth) -> "MassBaseline":
        """Fit resolutions, tag rates and frequencies to events with true assignments.

        Raises:
            EventFileError: if fewer than 20 events have one of the targets complete.
        """
        width = reco.jets.shape[1]
        truth, table = truth.limited_to(width), candidates(width, str(reco.jets.device))
        numbers = table.numbers(truth.assignment)
        location, scale = [], []
        for target in range(3):
            rows = torch.nonzero(truth.complete[:, target]).squeeze(1)
            if len(rows) < _FEWEST:
                raise EventFileError(
                    f"the χ² of masses needs {_FEWEST} events whose {MASSES[_MASSES_OF[target].start]} is known, "
                    f"but only {len(rows)} of {len(truth)} have all jets matched: use more events"
                )
            chosen = table.jets[target][numbers[rows, target]]
            masses = _masses(target, _mass_squares(_rows(reco, rows)), chosen[:, None])[:, 0]
            low, middle, high = torch.quantile(masses, masses.new_tensor([0.16, 0.5, 0.84]), dim=0)
            location.append(middle)
            scale.append((high - low) / 2.0)
        return cls(
            torch.cat(location), torch.cat(scale), _fitted_tag_rates(reco, truth), _fitted_frequencies(reco, truth)
        )

    def scores(self, reco: RecoEvents) -> CandidateScores:
        """Return the scores of all candidates; they take (jets)³/2 numbers for each event."""
        table = candidates(reco.jets.shape[1], str(reco.jets.device))
        squares = _mass_squares(reco)
        number = reco.jet_mask.sum(dim=1)
        known, unknown = torch.log(self.complete)[number], torch.log1p(-self.complete)[number]
        parts = []
        for target, jets in enumerate(table.jets):
            of_target = _MASSES_OF[target]
            pull = (_masses(target, squares, jets[None]) - self.location[of_target]) / self.scale[of_target]
            score = -0.5 * pull.square().sum(dim=-1) + self._tags(target, reco, table) + known[:, target, None]
            parts.append(torch.where(table.real(target, reco.jet_mask), score, -torch.inf))
        return CandidateScores(parts[0], parts[1], parts[2], unknown)

    def assign(self, reco: RecoEvents, as_many_as_possible: bool = False) -> Int[Tensor, "events 6"]:
        """Return the best conflict-free assignment of each event, see `decode_assignment`."""
        number = reco.jet_mask.sum(dim=1)
        found = torch.full((len(reco), 6), -1, dtype=torch.long, device=reco.jets.device)
        for jets in torch.unique(number).tolist():
            for rows in torch.split(torch.nonzero(number == jets).squeeze(1), _CHUNK):
                found[rows] = decode_assignment(self.scores(_rows(reco, rows, jets)), as_many_as_possible)
        return found

    def to_json(self) -> dict[str, object]:
        """Return the fitted numbers by name."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    def _tags(self, target: int, reco: RecoEvents, table: JetCandidates) -> Float[Tensor, "events candidates"]:
        """Return Σ ln[P(tag | quark)/P(tag | other jet)] over the jets of each candidate."""
        ratio = torch.stack([torch.log1p(-self.tag_rates), torch.log(self.tag_rates)], dim=1)
        ratio = (ratio[:2] - ratio[2])[list(_QUARK_OF_SLOT[target])]
        tagged = reco.jet_tagged.long()[:, table.jets[target]]
        return torch.stack([row[tagged[..., slot]] for slot, row in enumerate(ratio)]).sum(dim=0)


def _mass_squares(reco: RecoEvents) -> Float[Tensor, "events objects objects"]:
    """Return (p_i + p_j)² of each two objects, p_i² on the diagonal, GeV²; the last object is lepton plus neutrino."""
    jets = from_pt_eta_phi_m(reco.jets[..., :4].double())
    momenta = torch.cat([jets, _leptonic_w(reco)[:, None]], dim=1)
    pairs = minkowski_square(momenta[:, :, None] + momenta[:, None])
    return torch.where(torch.eye(pairs.shape[1], dtype=torch.bool, device=pairs.device), pairs / 4.0, pairs)


def _leptonic_w(reco: RecoEvents) -> Float[Tensor, "events 4"]:
    """Return lepton plus neutrino."""
    size, phi = reco.met.double().unbind(dim=1)
    missing = torch.stack([size * torch.cos(phi), size * torch.sin(phi)], dim=-1)
    return with_neutrino(from_pt_eta_phi_m(reco.leptons[:, 0, :4].double()), missing)


def _masses(
    target: int, squares: Float[Tensor, "events objects objects"], jets: Int[Tensor, "#events candidates size"]
) -> Float[Tensor, "events candidates masses"]:
    """Return the masses of the χ² of a target for candidates given by their jets."""
    events = torch.arange(len(squares), device=jets.device)[:, None]
    if target == 0:
        return safe_sqrt(squares[events, jets[..., 0], jets[..., 1]])[..., None]
    if target == 2:
        return safe_sqrt(squares[events, jets[..., 0], -1])[..., None]
    bottom, first, second = jets.unbind(dim=-1)
    of_w, singles = squares[events, first, second], torch.diagonal(squares, dim1=1, dim2=2)
    # (a + b + c)² = (a + b)² + (a + c)² + (b + c)² − a² − b² − c²
    of_top = of_w + squares[events, bottom, first] + squares[events, bottom, second]
    of_top = of_top - singles[events, bottom] - singles[events, first] - singles[events, second]
    return torch.stack([safe_sqrt(of_w), safe_sqrt(of_top) - safe_sqrt(of_w)], dim=-1)


def _rows(reco: RecoEvents, rows: Int[Tensor, " rows"], jets: int | None = None) -> RecoEvents:
    """Return some events, with the first `jets` jets."""
    kept = {field.name: getattr(reco, field.name)[rows] for field in fields(reco)}
    return RecoEvents(**{name: part[:, :jets] if name.startswith("jet") else part for name, part in kept.items()})


def _fitted_tag_rates(reco: RecoEvents, truth: AssignmentTruth) -> Float[Tensor, "3"]:
    """Return the rates of tags among jets of b quarks, W quarks and neither: (k + 1)/(n + 2), which is never 0 or 1."""
    width = reco.jets.shape[1]
    of_quark = []
    for quark in (0, 1):
        slots = [
            slot
            for part, quarks in zip(SLOTS, _QUARK_OF_SLOT, strict=True)
            for slot, kind in zip(range(part.start, part.stop), quarks, strict=True)
            if kind == quark
        ]
        chosen = truth.assignment[:, slots]
        of_quark.append(torch.nn.functional.one_hot(chosen + 1, width + 1).sum(dim=1)[:, 1:] > 0)
    neither = reco.jet_mask & (truth.provenance == 0)
    return torch.stack([_rate(reco.jet_tagged[kind]) for kind in (*of_quark, neither)])


def _fitted_frequencies(reco: RecoEvents, truth: AssignmentTruth) -> Float[Tensor, "17 3"]:
    number = reco.jet_mask.sum(dim=1)
    rows = [truth.complete[number == jets] for jets in range(MAX_JETS + 1)]
    return torch.stack([torch.stack([_rate(row[:, target]) for target in range(3)]) for row in rows])


def _rate(passed: Tensor) -> Float[Tensor, ""]:
    return (passed.sum().double() + 1.0) / (passed.numel() + 2.0)
