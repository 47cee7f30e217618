"""What comes before the events: the θ to generate at, the trained sampler, and the maximum weight."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from partonic.config.generation import GenerationConfig, SamplerConfig
from partonic.files import write_json
from partonic.generation.azimuth import AzimuthalSampler, azimuthal_numbers, relative_integrand
from partonic.generation.bias import EventBias
from partonic.generation.channels.prepare import tally_weights, train_channels
from partonic.generation.channels.sampler import MultiChannelSampler
from partonic.generation.channels.space import channels_of_process
from partonic.generation.channels.tally import ChannelTally
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

__all__ = ["Pilots", "Preparation", "prepare_generation"]

_LOG = logging.getLogger(__name__)
_FORMAT = 2
"""Raised when a change of the code changes the events of a given seed."""
_PROBES = 16
_VEGAS_PILOT_SHARE = 4
"""The VEGAS grid is tried with this many times fewer points than the flow; if it is the better one, with all."""


_AnySampler = Sampler | MultiChannelSampler


@dataclass(frozen=True)
class _Samplers:
    """What was trained, and the VEGAS grids that it started from; the same if nothing but the grids was asked for."""

    flow: _AnySampler
    vegas: _AnySampler
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pilots:
    """Tallies of the pilot points of both samplers, and of their channels if there are several."""

    flow: UnweightingTally
    vegas: UnweightingTally
    flow_channels: dict[str, dict[str, float]] = field(default_factory=dict)
    vegas_channels: dict[str, dict[str, float]] = field(default_factory=dict)


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
        channels: of a sampling with several channels, what each of them brought in the pilot (`ChannelTally.to_json`).
        dropped: names of its channels that were dropped.
    """

    identity: str
    target: Target
    pilot: UnweightingTally
    vegas_pilot: UnweightingTally
    channels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


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
        _write_pilots(folder / "pilot.json", identity, pilots)
    better = pilots.flow.efficiency >= pilots.vegas.efficiency
    sampler, pilot, channels = (
        (samplers.flow, pilots.flow, pilots.flow_channels)
        if better
        else (samplers.vegas, pilots.vegas, pilots.vegas_channels)
    )
    target = Target(process, monomials, torch.from_numpy(theta), sampler, pilot.maximum, config.overweight_policy, bias)
    return Preparation(identity, target, pilot, pilots.vegas, channels, samplers.dropped)


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
        **_maps_of(process, config.sampler),
    }


def _maps_of(process: Process, sampler: SamplerConfig) -> dict[str, object]:
    """Return the channels of the sampling, if there are several: values of each of their maps at fixed points."""
    if not _has_channels(process):
        return {}
    found = {}
    for channel in channels_of_process(process):
        shape = (_PROBES, channel.process.dimensions)
        numbers = torch.rand(shape, generator=torch_generator(0, "probe"), dtype=torch.float64)
        log_jacobian = channel.process.from_unit_cube(numbers)[1]
        found[channel.name] = [list(channel.members), [f"{value:.8e}" for value in log_jacobian.tolist()]]
    return {"sampling_channels": found, "channel_sampler": sampler.channels.model_dump(mode="json")}


def _has_channels(process: Process) -> bool:
    """Return whether the process divides itself for the sampling, be it only into a half and its mirror image."""
    channels = channels_of_process(process)
    return len(channels) > 1 or bool(channels[0].mirrored)


def _samplers(
    integrand: ProcessIntegrand, config: GenerationConfig, seed: int, folder: Path, identity: str, progress: Progress
) -> _Samplers:
    """Return the trained sampler and that of the VEGAS grids, both of the whole process."""
    checkpoint = folder / "training.safetensors"
    if _has_channels(integrand.process):
        channels = train_channels(
            integrand.process,
            integrand.target,
            integrand.bias,
            config.sampler,
            seed=seed,
            checkpoint=checkpoint,
            identity=identity,
            progress=progress,
        )
        return _Samplers(channels.flow or channels.vegas, channels.vegas, channels.dropped)
    azimuths = azimuthal_numbers(integrand, seed)
    trained = train_samplers(
        relative_integrand(integrand, azimuths) if azimuths else integrand,
        integrand.process.dimensions - bool(azimuths),
        config.sampler,
        seed=seed,
        checkpoint=checkpoint,
        identity=identity,
        progress=progress,
    )
    vegas = AzimuthalSampler(trained.vegas, azimuths) if azimuths else trained.vegas
    if not config.sampler.rounds:
        return _Samplers(vegas, vegas)
    flow = AzimuthalSampler(trained.flow, azimuths) if azimuths else trained.flow
    save_sampler(folder / "sampler.safetensors", flow)
    return _Samplers(flow, vegas)


def _pilots(samplers: _Samplers, integrand: ProcessIntegrand, config: GenerationConfig, seed: int) -> Pilots:
    """Choose a maximum weight for each sampler from independent points, and tally them."""

    def tally(name: str, sampler: _AnySampler, points: int) -> tuple[UnweightingTally, dict[str, dict[str, float]]]:
        generator = torch_generator(seed, "generation", "pilot", name)
        weights, channels = _pilot_weights(sampler, integrand, points, generator)
        maximum = choose_maximum_weight(weights, config.overweight_limit)
        found = {} if channels is None else channels.to_json(maximum)
        return UnweightingTally.of(weights, maximum, events=0), found

    flow, flow_channels = tally("flow", samplers.flow, config.pilot_points)
    if samplers.flow is samplers.vegas:
        return Pilots(flow, flow, flow_channels, flow_channels)
    vegas, vegas_channels = tally("vegas", samplers.vegas, config.pilot_points // _VEGAS_PILOT_SHARE)
    if vegas.efficiency > flow.efficiency:
        vegas, vegas_channels = tally("vegas", samplers.vegas, config.pilot_points)
    return Pilots(flow, vegas, flow_channels, vegas_channels)


def _pilot_weights(
    sampler: _AnySampler, integrand: ProcessIntegrand, points: int, generator: torch.Generator
) -> tuple[torch.Tensor, ChannelTally | None]:
    if isinstance(sampler, MultiChannelSampler):
        return tally_weights(sampler, points, integrand.target, integrand.bias, generator)
    numbers, log_density = sampler.sample(points, generator)
    return evaluate(integrand, numbers) * (-log_density).exp(), None


def _write_pilots(path: Path, identity: str, pilots: Pilots) -> None:
    record = {"identity": identity, "flow": asdict(pilots.flow), "vegas": asdict(pilots.vegas)}
    channels = {"flow": pilots.flow_channels, "vegas": pilots.vegas_channels}
    write_json(path, {**record, **({"channels": channels} if pilots.flow_channels else {})})


def _read_pilots(path: Path, identity: str) -> Pilots | None:
    """Return the tallies that an earlier run left, if they are whole and belong to this generation."""
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["identity"] == identity:
            channels = record.get("channels", {"flow": {}, "vegas": {}})
            flow, vegas = UnweightingTally(**record["flow"]), UnweightingTally(**record["vegas"])
            return Pilots(flow, vegas, channels["flow"], channels["vegas"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s is damaged (%r): the maximum weight is determined anew", path, error)
    return None
