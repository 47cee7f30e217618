"""What comes before the events: the θ to generate at, the trained sampler, and the maximum weight."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from partonic.config.generation import GenerationConfig
from partonic.files import write_json
from partonic.generation.azimuth import AzimuthalSampler, azimuthal_numbers, relative_integrand
from partonic.generation.bias import EventBias
from partonic.generation.chunks import Target
from partonic.generation.integrand import ProcessIntegrand, evaluate
from partonic.generation.protocol import Sampler
from partonic.generation.sampler import save_sampler
from partonic.generation.threads import one_thread
from partonic.generation.training import train_samplers
from partonic.generation.unweight import UnweightingTally, choose_maximum_weight
from partonic.physics.process import Process
from partonic.progress import Progress
from partonic.provenance import content_hash
from partonic.rng import torch_generator

__all__ = ["Preparation", "prepare_generation"]

_LOG = logging.getLogger(__name__)
_FORMAT = 2
"""Raised when a change of the code changes the events of a given seed."""
_PROBES = 16
_VEGAS_PILOT_SHARE = 4
"""The VEGAS grid is tried with this many times fewer points than the flow; if it is the better one, with all."""


@dataclass(frozen=True)
class Preparation:
    """All that the chunks of events depend on.

    Attributes:
        identity: hash of process, configuration and seed.
        target: what is sampled, and how.
        pilot: of the points that fixed the maximum weight.
        vegas_pilot: of the VEGAS grid, with its own maximum weight for the same overweight limit. If the grid unweights
            better than the flow that started from it (a short training in many dimensions may leave few but large
            weights), the events are made with it, and both are the same.
    """

    identity: str
    target: Target
    pilot: UnweightingTally
    vegas_pilot: UnweightingTally


def prepare_generation(
    process: Process, config: GenerationConfig, seed: int, folder: Path, progress: Progress
) -> Preparation:
    """Train the sampler and find the maximum weight, or read both from `folder` if an earlier run left them there.

    Raises:
        ParameterError: if a θ name is not a parameter of the process.
        GenerationError: if the cross section vanishes, or the bias does not fit the process.
        NonFiniteError: if dσ/du is NaN or infinite.
        OutputError: if `folder` cannot be written.
    """
    with one_thread():
        return _prepared(process, config, seed, folder, progress)


def _prepared(process: Process, config: GenerationConfig, seed: int, folder: Path, progress: Progress) -> Preparation:
    theta = process.monomials.point(config.theta)
    points = [theta, *(process.monomials.point(point) for point in config.theta_mixture)]
    monomials = torch.from_numpy(process.monomials.evaluate(points).sum(axis=0))
    bias = EventBias.of(config.bias, process)
    integrand = ProcessIntegrand(process, monomials, bias)
    identity = content_hash(_training_content(process, integrand, config, seed))
    samplers = _samplers(integrand, config, seed, folder, identity, progress)
    identity = content_hash(
        {
            "training": identity,
            "pilot_points": config.pilot_points,
            "overweight": [config.overweight_limit, config.overweight_policy],
        }
    )
    pilots = _read_pilots(folder / "pilot.json", identity)
    if pilots is None:
        pilots = _pilots(samplers, integrand, config, seed)
        write_json(folder / "pilot.json", {"identity": identity, "flow": asdict(pilots[0]), "vegas": asdict(pilots[1])})
    flow_is_better = pilots[0].efficiency >= pilots[1].efficiency
    sampler, pilot = (samplers[0], pilots[0]) if flow_is_better else (samplers[1], pilots[1])
    target = Target(process, monomials, torch.from_numpy(theta), sampler, pilot.maximum, config.overweight_policy, bias)
    return Preparation(identity, target, pilot, pilots[1])


def _training_content(
    process: Process, integrand: ProcessIntegrand, config: GenerationConfig, seed: int
) -> dict[str, object]:
    """Return all that a trained sampler depends on.

    A process says its name and its channels, but not its masses, densities or scales. They are recognised by values of
    the integrand at fixed points (nine digits, so that rounding on another machine does not matter).
    """
    final_states = [channel.final_pdg(process.final_state) for channel in process.channels]
    numbers = torch.rand((_PROBES, process.dimensions), generator=torch_generator(0, "probe"), dtype=torch.float64)
    return {
        "format": _FORMAT,
        "process": process.name,
        "channels": [list(channel.initial) for channel in process.channels],
        **({"final_states": final_states} if len(set(final_states)) > 1 else {}),
        "monomials": list(process.monomials.names),
        "collider_energy": process.collider_energy,
        "probes": [f"{value:.8e}" for value in integrand(numbers).tolist()],
        "target": integrand.target.tolist(),
        "sampler": config.sampler.model_dump(mode="json"),
        "seed": seed,
    }


def _samplers(
    integrand: ProcessIntegrand, config: GenerationConfig, seed: int, folder: Path, identity: str, progress: Progress
) -> tuple[Sampler, Sampler]:
    """Return the trained flow and its VEGAS grid, both on the whole unit cube."""
    azimuths = azimuthal_numbers(integrand, seed)
    trained = train_samplers(
        relative_integrand(integrand, azimuths) if azimuths else integrand,
        integrand.process.dimensions - bool(azimuths),
        config.sampler,
        seed=seed,
        checkpoint=folder / "training.safetensors",
        identity=identity,
        progress=progress,
    )
    if not azimuths:
        save_sampler(folder / "sampler.safetensors", trained.flow)
        return trained.flow, trained.vegas
    flow = AzimuthalSampler(trained.flow, azimuths)
    save_sampler(folder / "sampler.safetensors", flow)
    return flow, AzimuthalSampler(trained.vegas, azimuths)


def _pilots(
    samplers: tuple[Sampler, Sampler], integrand: ProcessIntegrand, config: GenerationConfig, seed: int
) -> tuple[UnweightingTally, UnweightingTally]:
    """Choose a maximum weight for each sampler from independent points, and tally them."""

    def tally(name: str, sampler: Sampler, points: int) -> UnweightingTally:
        numbers, log_density = sampler.sample(points, torch_generator(seed, "generation", "pilot", name))
        weights = evaluate(integrand, numbers) * (-log_density).exp()
        return UnweightingTally.of(weights, choose_maximum_weight(weights, config.overweight_limit), events=0)

    flow = tally("flow", samplers[0], config.pilot_points)
    vegas = tally("vegas", samplers[1], config.pilot_points // _VEGAS_PILOT_SHARE)
    if vegas.efficiency > flow.efficiency:
        vegas = tally("vegas", samplers[1], config.pilot_points)
    return flow, vegas


def _read_pilots(path: Path, identity: str) -> tuple[UnweightingTally, UnweightingTally] | None:
    """Return the tallies that an earlier run left, if they are whole and belong to this generation."""
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["identity"] == identity:
            return UnweightingTally(**record["flow"]), UnweightingTally(**record["vegas"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s is damaged (%r): the maximum weight is determined anew", path, error)
    return None
