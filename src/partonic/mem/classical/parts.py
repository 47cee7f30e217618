"""The three parts of an event, each mapped from a few numbers in [0, 1]: b pair, hadronic top, leptonic top.

A part gives momenta, the log of everything that belongs to it (Jacobians, decay density, transfer functions), and the
momentum by which quarks and jets differ, which the missing momentum depends on. Energies are uniform in their logarithm
between bounds that follow from the jets; the neutrino follows the missing momentum. Weights are −∞ where nothing fits.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.legs import Leg
from partonic.mem.classical.mass_shells import (
    hadronic_top,
    leptonic_top,
    log_top_decay,
    pair_on_shell,
    partner_energy,
)
from partonic.mem.classical.response import JetResponse
from partonic.mem.classical.transfer import TransferFunctions
from partonic.physics.fourvector import on_shell

__all__ = ["Part", "bottom_pair", "had_top", "lep_top"]

_LARGEST_ETA_DIFFERENCE = 6.0
_LARGEST_ENERGY = 6000.0
"""GeV; beyond, no parton of the collider has the energy."""


@dataclass(frozen=True)
class Part:
    """A part of an event at B points.

    Attributes:
        momenta: of its partons of the hard process (H, or b and b̄; or a top), GeV, `(B, n, 4)`.
        log_weight: log of its factor of the integrand, −∞ where it vanishes, `(B,)`.
        difference: transverse momentum of quarks minus jets, GeV, `(B, 2)`.
        neutrino: transverse momentum of the neutrino, GeV, `(B, 2)`; 0 if there is none.
    """

    momenta: Float[Tensor, "points partons 4"]
    log_weight: Float[Tensor, " points"]
    difference: Float[Tensor, "points 2"]
    neutrino: Float[Tensor, "points 2"]


def bottom_pair(
    first: Leg,
    second: Leg,
    numbers: Float[Tensor, "points free"],
    hypothesis: TopPairHypothesis,
    transfer: TransferFunctions,
) -> Part:
    """Return the pair of b quarks: one number for the products of H, two for a pair without resonance."""
    response = transfer.bottom
    if hypothesis.resonant:
        energy, log_jacobian, inside = _pair_energy(first, second, numbers[:, 0], hypothesis.pair_mass, response)
        quarks, log_measure = pair_on_shell(energy, first.along, second.along, hypothesis.pair_mass)
        momenta, energies = quarks.sum(dim=1, keepdim=True), quarks[..., 0]
    else:
        sizes, log_jacobian = _free_momenta((first, second), numbers, response)
        along = torch.stack([first.along, second.along], dim=1)
        momenta = on_shell(sizes[..., None] * along, hypothesis.pair_mass)
        log_measure = torch.log(0.5 * sizes.square() / momenta[..., 0]).sum(dim=1)
        energies, inside = sizes, torch.ones_like(log_jacobian, dtype=torch.bool)
    legs = ((first, energies[:, 0]), (second, energies[:, 1]))
    log_weight = log_jacobian + log_measure + sum(leg.log_transfer(energy, response) for leg, energy in legs)
    difference = first.difference(energies[:, 0]) + second.difference(energies[:, 1])
    return Part(
        momenta, _where(inside & (energies < _LARGEST_ENERGY).all(dim=1), log_weight), difference, 0 * difference
    )


def had_top(
    legs: tuple[Leg, Leg, Leg],
    role_weights: Float[Tensor, "*points 2"],
    numbers: Float[Tensor, " points"],
    hypothesis: TopPairHypothesis,
    transfer: TransferFunctions,
) -> Part:
    """Return the hadronic top.

    Args:
        legs: b and the two quarks of W; the last one may be lost, or both.
        role_weights: weights of the cases that the first or the second quark of W is the one of up type.
        numbers: for the energy of the first quark of W.
        hypothesis: the masses.
        transfer: the transfer functions.
    """
    bottom, first, second = legs
    masses = hypothesis.top_masses
    energy, log_jacobian, inside = _pair_energy(first, second, numbers, masses[1], transfer.light)
    momenta, log_measure = hadronic_top(energy, first.along, second.along, bottom.along, masses)
    b_quark, one, two = momenta.unbind(dim=1)
    # Which quark of W is of up type is not seen: both cases have the same momenta of the hard process.
    log_roles = torch.stack(
        [log_top_decay(b_quark, one, two, masses), log_top_decay(b_quark, two, one, masses)], dim=-1
    )
    log_decay = torch.logsumexp(log_roles + torch.log(role_weights), dim=-1)
    energies = momenta[..., 0]
    responses = (transfer.bottom, transfer.light, transfer.light)
    log_weight = log_jacobian + log_measure + log_decay
    difference = torch.zeros((len(energies), 2), dtype=energies.dtype)
    for leg, value, response in zip(legs, energies.unbind(dim=1), responses, strict=True):
        log_weight = log_weight + leg.log_transfer(value, response)
        difference = difference + leg.difference(value)
    inside = inside & (energies < _LARGEST_ENERGY).all(dim=1)
    return Part(momenta.sum(dim=1, keepdim=True), _where(inside, log_weight), difference, 0 * difference)


def lep_top(
    bottom: Leg,
    lepton: Float[Tensor, "4"],
    aim: tuple[Float[Tensor, "points 2"], float],
    numbers: Float[Tensor, "points 2"],
    hypothesis: TopPairHypothesis,
    transfer: TransferFunctions,
) -> Part:  # fmt: skip
    """Return the leptonic top.

    Args:
        bottom: the b quark.
        lepton: four-vector, GeV.
        aim: where to look for the transverse momentum of the neutrino, and how far around, GeV.
        numbers: for the direction of the neutrino.
        hypothesis: the masses.
        transfer: the transfer functions.
    """
    masses = hypothesis.top_masses
    eta, phi, log_jacobian = _neutrino_direction(lepton, *aim, numbers, masses[1])
    momenta, log_measure = leptonic_top(lepton.expand(len(numbers), 4), eta, phi, bottom.along, masses)
    b_quark, neutrino = momenta.unbind(dim=1)
    top = b_quark + neutrino + lepton
    log_weight = log_jacobian + log_measure + log_top_decay(b_quark, neutrino, lepton.expand_as(neutrino), masses)
    log_weight = log_weight + bottom.log_transfer(b_quark[:, 0], transfer.bottom)
    inside = (momenta[..., 0] < _LARGEST_ENERGY).all(dim=1)
    return Part(top[:, None], _where(inside, log_weight), bottom.difference(b_quark[:, 0]), neutrino[:, 1:3])


def _pair_energy(
    first: Leg, second: Leg, number: Tensor, mass: float, response: JetResponse
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the energy of the first of a pair, log |dE/du|, and whether both can have such energies."""
    low, high = first.energy_range(response)
    low_other, high_other = second.energy_range(response)
    product = partner_energy(torch.ones_like(low), first.along, second.along, mass)  # E₁ E₂
    low, high = torch.maximum(low, product / high_other), torch.minimum(high, product / low_other)
    inside = high > low
    span = torch.log(torch.where(inside, high / low, torch.full_like(low, 2.0)))
    energy = low * torch.exp(number * span)
    return energy, torch.log(energy * span), inside


def _free_momenta(legs: tuple[Leg, Leg], numbers: Tensor, response: JetResponse) -> tuple[Tensor, Tensor]:
    """Return the momenta of two quarks of a pair without resonance, and log |d(p₁, p₂)/du|."""
    bounds = [leg.energy_range(response) for leg in legs]
    low, high = (torch.stack(ends, dim=1) for ends in zip(*bounds, strict=True))
    span = torch.log(high / low)
    sizes = low * torch.exp(numbers * span)
    return sizes, torch.log(sizes * span).sum(dim=1)


def _neutrino_direction(
    lepton: Tensor, aim: Tensor, spread: float, numbers: Tensor, w_mass: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return η and φ of the neutrino and log |d(η, φ)/du|: both near where its pT is the one aimed at."""
    lepton_pt = torch.hypot(lepton[1], lepton[2])
    size = torch.hypot(aim[:, 0], aim[:, 1]).clamp(min=1.0)
    turn, log_turn = _peaked(numbers[:, 0], torch.zeros_like(size), (spread / size).clamp(max=2.0), math.pi)
    phi = torch.atan2(aim[:, 1], aim[:, 0]) + turn
    cosine = torch.cos(phi - torch.atan2(lepton[2], lepton[1]))
    # pT(ν) falls with |Δη| from its largest value at Δη = 0; if that is below the aim, the best is Δη = 0.
    wanted = (w_mass**2 / (2.0 * lepton_pt * size) + cosine).clamp(min=1.0 + 1e-9)
    centre = torch.acosh(wanted).clamp(max=0.8 * _LARGEST_ETA_DIFFERENCE)
    width = (spread * (wanted - cosine) / (size * torch.sinh(centre))).clamp(min=0.05, max=1.0)
    side = torch.where(numbers[:, 1] < 0.5, -1.0, 1.0).to(centre.dtype)
    within = torch.where(numbers[:, 1] < 0.5, 2.0 * numbers[:, 1], 2.0 * numbers[:, 1] - 1.0)
    distance, log_distance = _peaked_above_zero(within, centre, width, _LARGEST_ETA_DIFFERENCE)
    eta = torch.asinh(lepton[3] / lepton_pt) + side * distance
    return eta, phi, log_turn + log_distance + math.log(2.0)


def _peaked(number: Tensor, centre: Tensor, width: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Return a Cauchy variable within ± reach of its centre, and log of its Jacobian."""
    return _cauchy(number, centre, width, torch.atan(-reach / width), torch.atan(reach / width))


def _peaked_above_zero(number: Tensor, centre: Tensor, width: Tensor, largest: float) -> tuple[Tensor, Tensor]:
    return _cauchy(number, centre, width, torch.atan(-centre / width), torch.atan((largest - centre) / width))


def _cauchy(number: Tensor, centre: Tensor, width: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    slope = torch.tan(low + number * (high - low))
    return centre + width * slope, torch.log(width * (high - low) * (1.0 + slope.square()))


def _where(inside: Tensor, log_weight: Tensor) -> Tensor:
    return torch.where(inside & torch.isfinite(log_weight), log_weight, torch.full_like(log_weight, -math.inf))
