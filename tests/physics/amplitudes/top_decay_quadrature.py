"""Sums over all decays of a top: points in the unit cube with weights, and the size of its propagator at the pole."""

import math

import numpy as np
import torch


def gauss(order):
    """Nodes and weights of Gauss and Legendre on [0, 1]."""
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(order))
    return 0.5 * (nodes + 1.0), 0.5 * weights


def quadrature(masses=48, polar=4, turns=6):
    """Points of [0, 1]⁵ and weights with which the angles of a decay are integrated exactly, and its W mass well."""
    (mass, mass_weight), (cosine, cosine_weight) = gauss(masses), gauss(polar)
    turn = (torch.arange(turns, dtype=torch.float64) + 0.5) / turns
    axes = (mass, cosine, turn, cosine, turn)
    weights = (
        mass_weight,
        cosine_weight,
        torch.full_like(turn, 1 / turns),
        cosine_weight,
        torch.full_like(turn, 1 / turns),
    )
    numbers = torch.stack([part.flatten() for part in torch.meshgrid(*axes, indexing="ij")], dim=1)
    weight = torch.stack([part.flatten() for part in torch.meshgrid(*weights, indexing="ij")]).prod(dim=0)
    return numbers, weight


def at_the_pole(decay):
    """|D_t|² on the mass shell times its integral over the window: 1 in a narrow-width limit."""
    low, high = (mass**2 - decay.top_mass**2 for mass in decay.mass_range)
    strength = decay.top_mass * decay.top_width
    return (math.atan(high / strength) - math.atan(low / strength)) / (2.0 * math.pi * strength) * strength**2
