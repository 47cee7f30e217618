"""A small event file of our own generator, with weights at θ points, for tests."""

from pathlib import Path

import torch

from partonic.estimate import Estimate
from partonic.generation.chunks import UnweightedEvents
from partonic.generation.lhe import LheContent, write_lhe
from partonic.physics.process import Process
from partonic.polynomial import morphing_basis


def own_events(process: Process, number: int, spread: float = 0.4) -> UnweightedEvents:
    """Return phase-space points with channels and flows in turn; a larger `spread` reaches rarer ones."""
    generator = torch.Generator().manual_seed(20260713)
    numbers = 0.5 - 0.5 * spread + spread * torch.rand(number, process.dimensions, generator=generator).double()
    points, _ = process.from_unit_cube(numbers)
    channel = torch.arange(number) % len(process.channels)
    flows = torch.tensor([len(process.channels[index].colour_flows) for index in channel.tolist()])
    all_channels = process.channel_coefficients(points)
    return UnweightedEvents(
        momenta=points.momenta,
        x1=points.x1,
        x2=points.x2,
        channel=channel,
        colour_flow=torch.arange(number) // len(process.channels) % flows,
        scale=process.scale(points),
        alpha_s=process.alpha_s(points),
        coefficients=all_channels[torch.arange(number), channel],
    )


def write_own(path: Path, process: Process, events: UnweightedEvents) -> Path:
    """Write the events with weights at a basis of θ points."""
    theta = dict.fromkeys(process.monomials.parameters, 0.0)
    content = LheContent(process.monomials, morphing_basis(process.monomials), theta, {})
    sigma = [Estimate(1.0, 0.1, 100, 100.0)] * len(process.channels)
    write_lhe(path, process, content, sigma, iter([events]), 3)
    return path
