"""Cross sections of processes for tests: a VEGAS grid that adapts, and the mean of the last iterations."""

from collections.abc import Mapping

import torch

from partonic.generation.vegas import VegasSampler
from partonic.physics.process import Process


def cross_section(process: Process, point: Mapping[str, float], points: int = 20_000, seed: int = 3):
    """Return the cross section in pb at a θ point, and its statistical error."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.as_tensor(process.monomials.evaluate(process.monomials.point(point)))
    grid = VegasSampler.uniform(process.dimensions, 50)
    results = []
    for iteration in range(12):
        numbers, log_density = grid.sample(points, generator)
        events, log_volume = process.from_unit_cube(numbers)
        weights = (process.coefficients(events) @ values) * (log_volume - log_density).exp()
        if iteration >= 6:
            results.append(weights)
        grid = grid.adapted(numbers, weights, damping=0.7)
    kept = torch.cat(results)
    return float(kept.mean()), float(kept.std()) / len(kept) ** 0.5
