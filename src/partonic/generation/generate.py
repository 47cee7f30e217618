"""Generation from end to end: train a sampler, find the maximum weight, make events in chunks, write one event file.

Every step leaves its result in the folder `work` beside the event file, marked with a hash of all that it depends on; a
run that is killed at any moment is continued by running it again, and ends with the same events. Results of another
configuration are recognised by their hash and replaced.
"""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from partonic.config.generation import GenerationConfig
from partonic.errors import OutputError
from partonic.estimate import Estimate
from partonic.files import output_folder, write_json
from partonic.generation.chunks import ChunkFolder, CrossSectionSums, Target, UnweightedEvents
from partonic.generation.lhe import LheContent, write_lhe
from partonic.generation.lhe_particles import final_state_of
from partonic.generation.make_chunks import WorkerJob, make_chunks
from partonic.generation.prepare import Preparation, prepare_generation
from partonic.generation.result import GenerationResult
from partonic.generation.threads import one_thread
from partonic.generation.unweight import UnweightingTally
from partonic.physics.process import Process
from partonic.polynomial import morphing_basis
from partonic.processes.decay_tree import NO_RESONANCES, DecayTree
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, package_versions

__all__ = ["EVENTS_FILE", "SUMMARY_FILE", "generate_events"]

_LOG = logging.getLogger(__name__)
EVENTS_FILE = "events.lhe.gz"
SUMMARY_FILE = "generation.json"
_SUMS = 2
"""Raised when chunks hold other sums."""


def generate_events(
    process: Process,
    config: GenerationConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
    decay_tree: DecayTree = NO_RESONANCES,
    build: Callable[[], Process] | None = None,
) -> GenerationResult:
    """Generate unweighted events into the folder `output`: ``events.lhe.gz`` and ``generation.json``.

    Args:
        process: the hard process.
        config: how many events, at which θ, with which sampler.
        seed: root of all random numbers; the same seed and configuration give the same events.
        output: folder; an interrupted generation in it is continued, a finished one is returned as it is.
        progress: told of rounds of training and of events.
        decay_tree: resonances of the process; those that its matrix element decays become particles of the events.
        build: importable function that worker processes build the process with, which cannot be sent to them; without
            it there is one worker, whatever `config` says.

    Raises:
        ParameterError: if a θ name is not a parameter of the process.
        GenerationError: if the cross section vanishes, or `max_points` do not suffice.
        NonFiniteError: if dσ/du is NaN or infinite; the message names the point.
        WorkflowError: if workers die, or the scheduler cannot be reached.
        OutputError: if the folder cannot be written. Finished chunks stay, and are used by the next run.
    """
    basis = morphing_basis(process.monomials, config.weight_scales)
    work = output_folder(output / "work")
    preparation = prepare_generation(process, config, seed, work, progress)
    identity = content_hash(
        {"preparation": preparation.identity, "config": config.physics(), **_of_resonances(decay_tree)}
    )
    finished = _finished(output, identity)
    if finished is not None:
        return finished
    _remove_leftovers(output)
    folder = ChunkFolder(
        output_folder(work / "chunks"),
        content_hash({"of": preparation.identity, "points": config.chunk_points, "sums": _SUMS}),
    )
    job = None if build is None else WorkerJob(preparation.identity, seed, work.resolve(), config, build)
    with one_thread():
        chunks = make_chunks(folder, preparation.target, config, seed, progress, job)
    totals = _totals(folder, chunks, preparation.target, config.events)
    summary = {"identity": identity, **_summary(config, seed, preparation, totals)}
    record = {
        name: summary[name] for name in ("process", "cross_section", "coefficients", "seed", "config", "versions")
    }
    write_lhe(
        output / EVENTS_FILE,
        process,
        LheContent(process.monomials, basis, summary["theta"], record),
        _estimates(totals.sums)[len(process.monomials) : -1],
        _events(folder, chunks, totals, config.events),
        config.compression_level,
        decay_tree,
    )
    write_json(output / SUMMARY_FILE, summary)
    shutil.rmtree(folder.folder, ignore_errors=True)
    return GenerationResult.from_summary(output / EVENTS_FILE, output / SUMMARY_FILE, summary)


def _of_resonances(tree: DecayTree) -> dict[str, Any]:
    """Return what the event file says of the resonances that the matrix element decays; nothing without any."""
    return {"resonances": repr(tree.of_matrix_element)} if tree.of_matrix_element else {}


def _finished(output: Path, identity: str) -> GenerationResult | None:
    """Return the result of an earlier run with the same configuration, if it is complete."""
    summary_file, events_file = output / SUMMARY_FILE, output / EVENTS_FILE
    if not (summary_file.exists() and events_file.exists()):
        return None
    try:
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
        if summary.get("identity") == identity:
            return GenerationResult.from_summary(events_file, summary_file, summary)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s is damaged (%r): the events are generated anew", summary_file, error)
    return None


def _remove_leftovers(output: Path) -> None:
    """Remove results of another configuration, so that a stale file never stands beside a new one, and torn files."""
    torn = [*output.glob(".*.partial"), *(output / "work").rglob(".*.partial")]
    for path in (output / SUMMARY_FILE, output / EVENTS_FILE, *torn):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot remove {path}, left by an earlier run: {error.strerror}") from error


@dataclass(frozen=True)
class _Totals:
    """Sums over all chunks.

    Attributes:
        sums: for the cross sections.
        tally: of the unweighting.
        common_weight: pb per unit of the weights in the chunks. The mean weight of the events is the cross section from
            all points tried, which is known better than from the accepted ones.
    """

    sums: CrossSectionSums
    tally: UnweightingTally
    common_weight: float


def _totals(folder: ChunkFolder, chunks: int, target: Target, events: int) -> _Totals:
    entries = len(target.monomials) + len(target.process.channels) + 1
    sums = CrossSectionSums.of(torch.zeros((0, entries), dtype=torch.float64))
    tally = UnweightingTally(target.maximum)
    weight, left = 0.0, events
    for number in range(chunks):
        chunk = folder.load(number)
        sums, tally = sums + chunk.sums, tally + chunk.tally
        weight += float((chunk.events[:left].coefficients @ target.monomials).abs().sum())
        left -= len(chunk.events[:left])
    return _Totals(sums, tally, float(sums.mean[-1]) / (weight / events))


def _events(folder: ChunkFolder, chunks: int, totals: _Totals, events: int) -> Iterator[UnweightedEvents]:
    """Yield the events of all chunks, cut to the number asked for, with coefficients in pb."""
    left = events
    for number in range(chunks):
        found = folder.load(number).events[:left]
        left -= len(found)
        yield replace(found, coefficients=found.coefficients * totals.common_weight)


def _estimates(sums: CrossSectionSums) -> list[Estimate]:
    """Return the coefficients of the cross section, the channels at θ, and the size that the events share, in pb."""
    errors = sums.covariance.diagonal().clamp(min=0.0).sqrt()
    sizes = sums.first.square() / sums.second.diagonal().clamp(min=torch.finfo(torch.float64).tiny)
    return [
        Estimate(value, error, sums.points, size)
        for value, error, size in zip(sums.mean.tolist(), errors.tolist(), sizes.tolist(), strict=True)
    ]


def _cross_section(sums: CrossSectionSums, monomials: Tensor) -> Estimate:
    """Return the cross section Σ_a m_a(θ) σ_a with the correlations of the σ_a, in pb."""
    count = len(monomials)
    total = float(sums.first[:count] @ monomials)
    return Estimate.from_sums(sums.points, total, float(monomials @ sums.second[:count, :count] @ monomials))


def _sampling(preparation: Preparation) -> dict[str, Any]:
    """Return the channels of the sampling, if there are several."""
    if not preparation.channels:
        return {}
    return {"sampling": {"channels": dict(preparation.channels), "dropped": list(preparation.dropped)}}


def _channel_names(process: Process) -> list[str]:
    """Return initial states, and where that does not tell channels apart the final state, too."""
    initial = [" ".join(map(str, channel.initial)) for channel in process.channels]
    final = [final_state_of(channel, process.final_state) for channel in process.channels]
    if len(set(final)) == 1:
        return initial
    return [f"{first} > {second}" for first, second in zip(initial, final, strict=True)]


def _summary(config: GenerationConfig, seed: int, preparation: Preparation, totals: _Totals) -> dict[str, Any]:
    target, monomials = preparation.target, preparation.target.process.monomials
    estimates = _estimates(totals.sums)
    at_theta = torch.from_numpy(monomials.evaluate(target.theta.numpy()))
    count = len(monomials)
    channels = _channel_names(target.process)
    return {
        "process": target.process.name,
        "events": config.events,
        "unit": "pb",
        "theta": dict(zip(monomials.parameters, target.theta.tolist(), strict=True)),
        "cross_section": _cross_section(totals.sums, at_theta).to_json(),
        "coefficients": {
            name: one.to_json() for name, one in zip(monomials.names, estimates[:count], strict=True)
        },
        "coefficient_covariance": totals.sums.covariance[:count, :count].tolist(),
        "channels": {name: one.to_json() for name, one in zip(channels, estimates[count:-1], strict=True)},
        "unweighting": {
            **totals.tally.to_json(),
            "overweight_policy": config.overweight_policy,
            "overweight_limit": config.overweight_limit,
            "vegas_unweighting_efficiency": preparation.vegas_pilot.efficiency,
            "pilot": preparation.pilot.to_json(),
        },
        **_sampling(preparation),
        "seed": seed,
        "config": config.physics(),
        "versions": package_versions(),
    }  # fmt: skip
