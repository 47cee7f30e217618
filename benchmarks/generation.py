"""How well and how fast ttH events are generated: ``python benchmarks/generation.py [--quick]``.

Prints one JSON line.

- `unweighting_efficiency`: ⟨w⟩/w_max of the trained sampler on fresh points, w_max chosen beforehand from other points
  so that the points above it carry at most 1e-3 of the cross section; `overweight_fraction` is what they carry.
- `vegas_unweighting_efficiency`: the same for the VEGAS grid of the same training.
- `coefficient_seconds_per_point`: all ten θ-coefficients of gg → ttH on one core.
- `reference_seconds_per_point`: one call of the external generator for |M|² of gg → ttH, on the same points and core.
- `coefficient_time_ratio`: the first over ten times the second.

Timings are the best of several rounds in which the two take turns, after a warm-up.
"""

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from partonic.config.generation import FULL_SAMPLER, QUICK_SAMPLER, GenerationConfig
from partonic.generation.integrand import ProcessIntegrand, evaluate
from partonic.generation.prepare import prepare_generation
from partonic.generation.unweight import UnweightingTally
from partonic.physics.amplitudes.ufo import ExternalMatrixElement
from partonic.physics.phasespace.rambo import Rambo
from partonic.processes.definition import build_process
from partonic.processes.tth.amplitude import gluon_fusion_tth
from partonic.processes.tth.settings import TthConfig
from partonic.progress import SILENT
from partonic.rng import torch_generator

LIMIT = 1e-3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int, help="fresh points for the efficiency; default 500000, quick 100000")
    parser.add_argument("--batch", type=int, default=1000, help="points per timed call")
    parser.add_argument("--rounds", type=int, help="timed rounds; default 30, quick 10")
    arguments = parser.parse_args()
    quick = arguments.quick
    result: dict[str, float | int | bool] = {"quick": quick, "seed": arguments.seed}
    result |= efficiencies(quick, arguments.seed, arguments.points or (100_000 if quick else 500_000))
    result |= timings(arguments.batch, arguments.rounds or (10 if quick else 30), arguments.seed)
    print(json.dumps(result))


def efficiencies(quick: bool, seed: int, points: int) -> dict[str, float]:
    """Train a sampler for ttH in the Standard Model and try it on fresh points."""
    process = build_process(TthConfig())
    config = GenerationConfig(
        sampler=QUICK_SAMPLER if quick else FULL_SAMPLER,
        overweight_limit=LIMIT,
        pilot_points=100_000 if quick else 500_000,
    )
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        preparation = prepare_generation(process, config, seed, Path(folder), SILENT)
    seconds = time.perf_counter() - start
    target = preparation.target
    numbers, log_density = target.sampler.sample(points, torch_generator(seed, "benchmark"))
    weights = evaluate(ProcessIntegrand(process, target.monomials), numbers) * (-log_density).exp()
    tally = UnweightingTally.of(weights, target.maximum, events=0)
    return {
        "unweighting_efficiency": tally.efficiency,
        "overweight_fraction": tally.overweight_fraction,
        "vegas_unweighting_efficiency": preparation.vegas_pilot.efficiency,
        "cross_section_pb": float(weights.mean()),
        "cross_section_error_pb": float(weights.std()) / math.sqrt(points),
        "weight_spread": float(weights.std() / weights.mean()),
        "preparation_seconds": seconds,
    }


def timings(batch: int, rounds: int, seed: int) -> dict[str, float]:
    """Time all ten coefficients, and one call of the external generator, on one core."""
    momenta = tth_points(batch, seed)
    alpha_s = torch.full((batch,), 0.118, dtype=torch.float64)
    amplitude = gluon_fusion_tth()
    reference = ExternalMatrixElement.generate("g g > H t t~", colour_flows=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours, theirs = best_of(
            rounds, lambda: amplitude.coefficients(momenta, alpha_s), lambda: reference.squared(momenta)
        )
    finally:
        torch.set_num_threads(threads)
    return {
        "coefficient_seconds_per_point": ours / batch,
        "reference_seconds_per_point": theirs / batch,
        "coefficient_time_ratio": ours / (10.0 * theirs),
    }


def tth_points(count: int, seed: int) -> torch.Tensor:
    """Return momenta of g g → H t t̄ between threshold and 2 TeV, incoming first, `(N, 5, 4)`."""
    generator = torch_generator(seed, "timing")
    energy = 480.0 + 1500.0 * torch.rand(count, generator=generator, dtype=torch.float64) ** 2
    numbers = torch.rand((count, 5), generator=generator, dtype=torch.float64)
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(numbers, energy)
    beams = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, -1.0]], dtype=torch.float64)
    return torch.cat([0.5 * energy[:, None, None] * beams, final], dim=1)


def best_of(rounds: int, *calls: Callable[[], object]) -> list[float]:
    """Return the shortest time of each call, the calls taking turns, after a warm-up."""
    best = [math.inf] * len(calls)
    for number in range(rounds + 3):
        for index, call in enumerate(calls):
            start = time.perf_counter()
            call()
            if number >= 3:
                best[index] = min(best[index], time.perf_counter() - start)
    return best


if __name__ == "__main__":
    main()
