"""How well processes are sampled: ``python benchmarks/sampling.py [--processes tth,wz] [--sampler quick|full]``.

Prints one JSON line for each process, with figures of four samplers on the same integrand at the Standard Model:

- `vegas`: one VEGAS grid on the one map of the process;
- `madnis`: the flow of the package `madnis` on the same map, trained with losses of the same kind;
- `vegas_channels`, `channels`: the grids of all sampling channels, and the flow of all of them (for processes that
  divide themselves; for others `madnis` is what the package uses).

Figures: `efficiency`, ⟨w⟩/w_max of fresh points with w_max chosen from them so that the points above carry at most 1e-3
of the cross section; `spread`, standard deviation over mean of the weights; `training_seconds` of processor time;
`microseconds_per_event`, of sampling and evaluation for one unweighted event; `integral_pb` and `error_pb`; `pull`, its
difference to the integral of plain `vegas` with fresh points in units of both errors.
"""

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

from partonic.config.generation import FULL_SAMPLER, QUICK_SAMPLER, SamplerConfig
from partonic.generation.azimuth import AzimuthalSampler, azimuthal_numbers, relative_integrand
from partonic.generation.bias import no_bias
from partonic.generation.channels.prepare import tally_weights, train_channels
from partonic.generation.channels.sampler import MultiChannelSampler
from partonic.generation.channels.space import channels_of_process
from partonic.generation.integrand import ProcessIntegrand
from partonic.generation.protocol import Sampler
from partonic.generation.training import SamplerTraining
from partonic.generation.unweight import UnweightingTally, choose_maximum_weight
from partonic.physics.process import PartonEvents, Process
from partonic.process_registry import find_process
from partonic.processes.definition import build_process, standard_model
from partonic.rng import torch_generator

LIMIT = 1e-3
PROCESSES = "tth,ttbb,wz,thq,wh,zh"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--processes", default=PROCESSES, help="names, joined by commas")
    parser.add_argument("--sampler", choices=("quick", "full"), default="quick")
    parser.add_argument("--points", type=int, default=200_000, help="fresh points for each sampler")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-madnis", action="store_true", help="leave out the flow of the package `madnis`")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = {"quick": QUICK_SAMPLER, "full": FULL_SAMPLER}[options.sampler]
    for name in options.processes.split(","):
        found = measured(name, config, options.points, options.seed, with_madnis=not options.skip_madnis)
        print(json.dumps({"process": name, "sampler": options.sampler, "seed": options.seed, **found}), flush=True)


def measured(name: str, config: SamplerConfig, points: int, seed: int, *, with_madnis: bool) -> dict[str, object]:
    """Return the figures of all samplers of one process."""
    process = build_process(find_process(name).settings())
    theta = process.monomials.point(standard_model(name))
    target = torch.from_numpy(process.monomials.evaluate([theta]).sum(axis=0))
    found = single(process, target, config, points, seed, with_madnis=with_madnis)
    channels = channels_of_process(process)
    if len(channels) > 1 or channels[0].mirrored:
        found |= several(process, target, config, points, seed)
    reference = found["vegas"]
    for own in found.values():
        error = math.hypot(own["error_pb"], reference["error_pb"])
        own["pull"] = (own["integral_pb"] - reference["integral_pb"]) / error if own is not reference else 0.0
    return dict(found)


def single(
    process: Process, target: Tensor, config: SamplerConfig, points: int, seed: int, *, with_madnis: bool
) -> dict[str, dict[str, float]]:
    """Train a grid, and the flow of `madnis`, on the one map of the process."""
    integrand = ProcessIntegrand(process, target)
    azimuths = azimuthal_numbers(integrand, seed)
    relative = relative_integrand(integrand, azimuths) if azimuths else integrand
    training = SamplerTraining(relative, process.dimensions - bool(azimuths), config, seed)

    def of(sampler: Sampler, seconds: float) -> dict[str, float]:
        whole = AzimuthalSampler(sampler, azimuths) if azimuths else sampler
        start = time.process_time()
        numbers, log_density = whole.sample(points, torch_generator(seed, "benchmark"))
        # The size of the events is the sum over partonic channels of |dσ|, which is more where densities are negative.
        events, log_jacobian = process.from_unit_cube(numbers)
        sizes = torch.cat([(process.channel_coefficients(part) @ target).abs().sum(dim=1) for part in batches(events)])
        weights = sizes * (log_jacobian - log_density).exp()
        return figures(weights, seconds, time.process_time() - start)

    start = time.process_time()
    training.adapt_vegas()
    found = {"vegas": of(training.vegas, time.process_time() - start)}
    if with_madnis:
        start = time.process_time()
        while training.round < config.rounds:
            training.run_round()
        found["madnis"] = of(training.flow.to(torch.float64), time.process_time() - start)
    return found


def batches(events: PartonEvents, size: int = 20_000) -> list[PartonEvents]:
    """Return events in parts that bound the memory."""
    parts = zip(events.momenta.split(size), events.x1.split(size), events.x2.split(size), strict=True)
    return [PartonEvents(*part) for part in parts]


def several(
    process: Process, target: Tensor, config: SamplerConfig, points: int, seed: int
) -> dict[str, dict[str, float]]:
    """Train all channels of the process."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "training.safetensors"
        trained = train_channels(process, target, no_bias, config, seed=seed, checkpoint=path, identity="benchmark")
    seconds = time.process_time() - start

    def of(sampler: MultiChannelSampler) -> dict[str, float]:
        start = time.process_time()
        weights, _ = tally_weights(sampler, points, target, no_bias, torch_generator(seed, "benchmark channels"))
        return figures(weights, seconds, time.process_time() - start)

    found = {"vegas_channels": of(trained.vegas)}
    if trained.flow is not None:
        found["channels"] = of(trained.flow)
    return found


def figures(weights: Tensor, training: float, sampling: float) -> dict[str, float]:
    """Return the figures of one sampler."""
    tally = UnweightingTally.of(weights, choose_maximum_weight(weights, LIMIT), events=0)
    return {
        "efficiency": round(tally.efficiency, 4),
        "spread": round(float(weights.std() / weights.mean()), 4),
        "training_seconds": round(training, 1),
        "microseconds_per_event": round(1e6 * sampling / len(weights) / tally.efficiency, 1),
        "integral_pb": float(weights.mean()),
        "error_pb": float(weights.std()) / math.sqrt(len(weights)),
    }


if __name__ == "__main__":
    main()
