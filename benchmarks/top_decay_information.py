"""How much θ-dependence of the decay angles of tops a factorised p(x|z) ignores: Fisher information per event.

The matrix element method takes z = (H, t, t̄) or (H, t, q) on their mass shells, and a transfer function p(x|z) that
does not know θ: exact for unpolarised tops. With spins, the score of an event is s(z, Ω) = ∂_θ log p(z, Ω|θ) of partons
and decay angles, and that of z alone its mean, s(z) = E[s(z, Ω)|z]. What is lost is

    I(z, Ω) − I(z) = E[(s(z, Ω) − s(z))(s(z, Ω) − s(z))ᵀ],

a mean of squares, with an error from blocks of events, for one event at the Standard Model. Information includes the
rate; `production_shape` is that of z without it. `told_apart` is that of all products; in `symmetric` the two quarks of
a hadronic W, of which no detector knows which is down-type, are exchanged and the densities averaged.

    python benchmarks/top_decay_information.py [--points 200000] [--process tth|thq]

prints one JSON line.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from partonic.generation.vegas import VegasSampler
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.hard_process import AmplitudeGroup, HardProcess
from partonic.physics.phasespace.top_decay import TopDecayMap
from partonic.physics.process import PartonEvents
from partonic.processes.definition import build_process, standard_model
from partonic.processes.thq.amplitude import SingleTopHiggsAmplitude
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.top_decays import DecayedTop
from partonic.processes.tth.amplitude import gluon_fusion_tth, quark_annihilation_tth
from partonic.processes.tth.settings import TthConfig

_CHAIN = TopDecay(top_width=1e-4, window=1e-2)
_LEPTONIC, _HADRONIC = DecayedTop(_CHAIN, 11, 1.0), DecayedTop(_CHAIN, 1, 1.0)
_BLOCKS = 40


def decayed_amplitude(amplitude: Amplitude) -> Amplitude:
    """Return the amplitude of a channel with decays: leptonic and hadronic for a pair, hadronic for one top."""
    initial = amplitude.particles[:2]
    if isinstance(amplitude, SingleTopHiggsAmplitude):
        return SingleTopHiggsAmplitude(amplitude.initial, amplitude.couplings, _HADRONIC)
    decays = (_LEPTONIC, _HADRONIC)
    return gluon_fusion_tth(decays=decays) if initial == (21, 21) else quark_annihilation_tth(initial[0], decays=decays)


def produced(process: HardProcess, points: int, generator: torch.Generator) -> tuple[PartonEvents, Tensor]:
    """Return events from an adapted grid, and the weight of their phase space."""
    monomials = process.monomials
    standard = torch.as_tensor(monomials.evaluate(monomials.point(standard_model(process.name))))
    grid = VegasSampler.uniform(process.dimensions, 50)

    def sample(number: int) -> tuple[Tensor, PartonEvents, Tensor]:
        numbers, log_density = grid.sample(number, generator)
        events, log_volume = process.from_unit_cube(numbers)
        return numbers, events, (log_volume - log_density).exp()

    for _ in range(8):
        numbers, events, volume = sample(20_000)
        grid = grid.adapted(numbers, (process.coefficients(events) @ standard) * volume, damping=0.7)
    _, events, volume = sample(points)
    return events, volume


def decay(process: HardProcess, momenta: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Let all tops decay, uniformly in the unit cube, and return momenta and phase-space weights of the decays."""
    tops = TopDecayMap(_CHAIN.w_mass, _CHAIN.w_width)
    parts: list[Tensor] = []
    volume = torch.ones(len(momenta), dtype=torch.float64)
    for particle, momentum in zip(process.final_state, momenta.unbind(dim=1), strict=True):
        if abs(particle.pdg_id) == 6:
            numbers = torch.rand(len(momenta), tops.dimensions, generator=generator, dtype=torch.float64)
            products, log_volume = tops.forward(numbers, momentum)
            volume = volume * log_volume.exp()
            parts.append(products)
        else:
            parts.append(momentum[:, None])
    return torch.cat(parts, dim=1), volume


def exchanged(momenta: Tensor) -> Tensor:
    """Return the same events with the two quarks of the hadronic W exchanged: those of the last decay."""
    order = [0, 1, 3, 2, 4] if momenta.shape[1] == 5 else [0, 1, 2, 3, 4, 6, 5]
    return momenta[:, order]


def with_decays(process: HardProcess) -> HardProcess:
    """Return the process with the decays of its tops in the amplitudes."""
    groups = tuple(AmplitudeGroup(decayed_amplitude(group.amplitude), group.channels) for group in process.groups)
    return replace(process, groups=groups)


def score(process: HardProcess, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return density and ∂_θ log density at the Standard Model of coefficients."""
    point = process.monomials.point(standard_model(process.name))
    density = values @ torch.as_tensor(process.monomials.evaluate(point))
    return density, values @ torch.as_tensor(process.monomials.gradient(point)) / density[:, None]


def information(name: str, points: int, seed: int) -> dict[str, Any]:
    """Return the informations of one process."""
    generator = torch.Generator().manual_seed(seed)
    process = build_process(TthConfig() if name == "tth" else ThqConfig())
    if not isinstance(process, HardProcess):
        raise TypeError(f"expected a process with a matrix element of ours, got {process!r}")
    events, volume = produced(process, points, generator)
    final, decays = decay(process, events.momenta, generator)
    whole = with_decays(process)
    values, swapped = (
        whole.coefficients(PartonEvents(momenta, events.x1, events.x2)) for momenta in (final, exchanged(final))
    )
    _, of_production = score(process, process.coefficients(events))
    result: dict[str, Any] = {}
    for kind, each in (("told_apart", values), ("symmetric", 0.5 * (values + swapped))):
        density, full = score(process, each)
        weights = density * volume * decays
        centred = of_production - (of_production * weights[:, None]).sum(dim=0) / weights.sum()
        vectors = {"production": of_production, "production_shape": centred, "lost": full - of_production}
        result[kind] = {part: averaged(each_vector, weights) for part, each_vector in vectors.items()}
    parameters = process.monomials.parameters
    return {"parameters": list(parameters), **result}


def averaged(vectors: Tensor, weights: Tensor) -> dict[str, Any]:
    """Return the weighted mean of v vᵀ, and its error from blocks."""
    blocks = [
        torch.einsum("ni,nj,n->ij", v, v, w) / w.sum()
        for v, w in zip(vectors.chunk(_BLOCKS), weights.chunk(_BLOCKS), strict=True)
    ]
    values = torch.stack(blocks).numpy()
    total = torch.einsum("ni,nj,n->ij", vectors, vectors, weights) / weights.sum()
    return {
        "matrix": np.round(total.numpy(), 6).tolist(),
        "error": np.round(values.std(axis=0, ddof=1) / np.sqrt(len(blocks)), 6).tolist(),
    }


def main() -> None:
    """Print the result as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=200_000)
    parser.add_argument("--process", choices=("tth", "thq"), default="tth")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    result = information(arguments.process, arguments.points, arguments.seed)
    print(json.dumps({"benchmark": Path(__file__).stem, "process": arguments.process, **result}))


if __name__ == "__main__":
    main()
