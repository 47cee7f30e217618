"""Flows of objects with random weights, and one that is trained on a known density."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from partonic.config.mem_training.transfer import FlowHeadConfig
from partonic.mem.transfer.heads.flow import ObjectFlow
from partonic.mem.transfer.heads.velocity import VelocityNetwork
from partonic.mem.transfer.heads.whitening import PARAMETERS, Whitening

CONTEXT, QUERIES = 4, 2


def random_flow(rows: int, spread: float = 0.2, seed: int = 1, dtype: torch.dtype = torch.float64) -> ObjectFlow:
    """The same flow for every row."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VelocityNetwork(FlowHeadConfig(width=8), CONTEXT, QUERIES)
        for parameter in network.parameters():
            parameter.data += spread * torch.randn_like(parameter)
        raw, context, means = torch.randn(1, PARAMETERS), torch.randn(1, CONTEXT), torch.randn(1, QUERIES, 4)
    network, raw, context, means = network.to(dtype), raw.to(dtype), context.to(dtype), means.to(dtype)
    one = Whitening.of(0.5 * raw, torch.zeros(1, 2, dtype=dtype), torch.zeros(1, 2, dtype=dtype))
    whitening = Whitening(**{name: values.expand(rows, *values.shape[1:]) for name, values in vars(one).items()})
    given = network.given(context).expand(rows, -1)
    return ObjectFlow(
        network, whitening.detach(), given.detach(), means.expand(rows, -1, -1), torch.ones(rows, 3, dtype=dtype),
        (0, 1, 2),
    )  # fmt: skip


def lacking(flow: ObjectFlow, number: int) -> ObjectFlow:
    """The flow of objects without η (1) or φ (2)."""
    present = flow.present.clone()
    present[:, number] = 0.0
    return replace(flow, present=present)


def grid(line: int, angles: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, float]:
    """Standard numbers on a grid, `(points, 3)`, and the volume of a cell; both rules converge fast for smooth ones."""
    along = torch.linspace(-6.0, 6.0, line, dtype=dtype)
    around = (2.0 * (torch.arange(angles, dtype=dtype) + 0.5) / angles - 1.0) * math.pi
    points = torch.stack([values.flatten() for values in torch.meshgrid(along, along, around, indexing="ij")], dim=1)
    return points, float(along[1] - along[0]) ** 2 * 2.0 * math.pi / angles


def numbers_at(flow: ObjectFlow, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers on the line and φ of standard numbers, and how much of them one standard volume is."""
    at = flow.whitening.inverse(y)
    return at.line, torch.atan2(at.sine, at.cosine), at.line_slope.prod(dim=1) * at.angle_slope
