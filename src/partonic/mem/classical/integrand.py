"""The integrand of one assignment of jets to quarks, from numbers in [0, 1]^D to hard-process events with weights.

    P_a(x) = Σ_assignments ∫ du  w(u) [dσ/dz]_a(z(u)),

D = 4 for H t t̄ and 5 for t t̄ b b̄, and two more for each lost quark. w holds the Jacobians, decay densities, transfer
functions, recoil and constants; x is pT, η and φ of the jets and the lepton, and the missing momentum (x, y).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.mem.classical.assignment_weights import AssignmentTable
from partonic.mem.classical.assignments import LOST
from partonic.mem.classical.balance import log_phase_space_constant, log_steepness, without_recoil
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.legs import LOST_NUMBERS, Leg, jet_leg, lost_leg
from partonic.mem.classical.observed import ObservedEvent
from partonic.mem.classical.parts import bottom_pair, had_top, lep_top
from partonic.mem.classical.transfer import TransferFunctions
from partonic.physics.process import PartonEvents

__all__ = ["AssignmentIntegrand", "WeightedPartons", "coefficients_of", "stand_in"]


@dataclass(frozen=True)
class WeightedPartons:
    """Hard-process events at B points.

    Attributes:
        inside: points at which the integrand may differ from zero, `(B,)`.
        events: the events at these points, in the order of the process, `(I, ...)`.
        weights: w at these points, `(I,)`.
    """

    inside: Tensor
    events: PartonEvents
    weights: Float[Tensor, " inside"]


@dataclass(frozen=True)
class AssignmentIntegrand:
    """The integrand of one assignment.

    Attributes:
        event: the event.
        table: its assignments.
        row: which of them.
        hypothesis: process and masses.
        transfer: the transfer functions.
    """

    event: ObservedEvent
    table: AssignmentTable
    row: int
    hypothesis: TopPairHypothesis
    transfer: TransferFunctions

    @property
    def jets(self) -> list[int]:
        """The jet of each quark, −1 if lost."""
        jets: list[int] = self.table.rows[self.row].tolist()
        return jets

    @property
    def dimensions(self) -> int:
        """The dimension D."""
        return self._pair_numbers + 3 + LOST_NUMBERS * self.jets.count(LOST)

    @property
    def _pair_numbers(self) -> int:
        return 1 if self.hypothesis.resonant else 2

    def partons(self, numbers: Float[Tensor, "points dimensions"]) -> WeightedPartons:
        """Map points of the unit cube to weighted events of the hard process."""
        free = self._pair_numbers
        legs = self._legs(numbers[:, free + 3 :])
        missing, scalar_sum = self.transfer.missing, self.event.scalar_sum
        pair = bottom_pair(legs[0], legs[1], numbers[:, :free], self.hypothesis, self.transfer)
        roles = self.table.role_weights[self.row]
        hadronic = had_top((legs[2], legs[3], legs[4]), roles, numbers[:, free], self.hypothesis, self.transfer)
        known = pair.difference + hadronic.difference
        aim = (self.event.met - missing.share * known, missing.width(scalar_sum))
        place = numbers[:, free + 1 : free + 3]
        leptonic = lep_top(legs[5], self.event.lepton, aim, place, self.hypothesis, self.transfer)
        momenta = torch.cat([pair.momenta, hadronic.momenta, leptonic.momenta], dim=1)
        recoil = momenta[..., 1:3].sum(dim=1)
        log_weight = pair.log_weight + hadronic.log_weight + leptonic.log_weight + self._log_constant
        log_weight = log_weight + self.transfer.recoil.log_density(
            recoil, self.table.extra[self.row], self.table.extra_count[self.row]
        )
        log_weight = log_weight + missing.log_density(
            self.event.met.expand(len(numbers), 2), leptonic.neutrino, known + leptonic.difference, scalar_sum
        )
        return self._weighted(momenta, log_weight)

    @property
    def _log_constant(self) -> float:
        process = self.hypothesis.process
        constant = log_phase_space_constant(len(process.final_state), process.collider_energy)
        return constant + math.log(self.hypothesis.branching_fraction) + float(self.table.log_prior[self.row])

    def _weighted(self, momenta: Tensor, log_weight: Tensor) -> WeightedPartons:
        """Return the events of positive weight; momenta are of b pair, hadronic and leptonic top."""
        candidates = torch.nonzero(torch.isfinite(log_weight)).squeeze(1)
        energy = self.hypothesis.process.collider_energy
        events, possible = without_recoil(self._in_order(momenta[candidates]), energy)
        inside = torch.zeros(len(log_weight), dtype=torch.bool)
        inside[candidates[possible]] = True
        kept = PartonEvents(events.momenta[possible], events.x1[possible], events.x2[possible])
        return WeightedPartons(inside, kept, torch.exp(log_weight[inside]))

    def _in_order(self, momenta: Tensor) -> Tensor:
        """Return momenta in the order of the process, from b pair, hadronic and leptonic top."""
        decay_channel = self.hypothesis.decay_channel
        own = {"H": 0, "b": 0, "bbar": 1, "t_had": momenta.shape[1] - 2, "t_lep": momenta.shape[1] - 1}
        ordered = momenta[:, [own[name] for name in decay_channel.names]]
        return decay_channel.process_order(ordered[None], self.event.reco)[0]

    def _legs(self, numbers: Tensor) -> list[Leg]:
        legs, start = [], 0
        for jet in self.jets:
            if jet == LOST:
                legs.append(lost_leg(numbers[:, start : start + LOST_NUMBERS]))
                start += LOST_NUMBERS
            else:
                legs.append(jet_leg(self.event.jets[jet].expand(len(numbers), 3)))
        return legs


def coefficients_of(
    partons: list[WeightedPartons], hypothesis: TopPairHypothesis
) -> list[Float[Tensor, "points monomials"]]:
    """Return w [dσ/dz]_a at all points of several integrands, 0 outside; one call of the process for all of them."""
    events = [part.events for part in partons]
    together = PartonEvents(
        torch.cat([part.momenta for part in events]),
        torch.cat([part.x1 for part in events]),
        torch.cat([part.x2 for part in events]),
    )
    count = len(hypothesis.process.monomials)
    if len(together.x1):
        coefficients = hypothesis.process.coefficients(together)
    else:
        coefficients = torch.zeros((0, count), dtype=torch.float64)
    results = []
    for part, own in zip(partons, torch.split(coefficients, [len(part.weights) for part in partons]), strict=True):
        result = torch.zeros((len(part.inside), count), dtype=torch.float64)
        result[part.inside] = part.weights[:, None] * own
        results.append(result)
    return results


def stand_in(partons: WeightedPartons) -> Float[Tensor, " points"]:
    """Return w times a power of x1 x2 in place of dσ/dz, for VEGAS to adapt to without the matrix element.

    Only its shape matters, and only for the spread of the weights: the integral is taken with the true dσ/dz.
    """
    result = torch.zeros(len(partons.inside), dtype=torch.float64)
    result[partons.inside] = partons.weights * torch.exp(log_steepness(partons.events))
    return result
