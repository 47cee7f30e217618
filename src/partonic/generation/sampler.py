"""Neural importance sampling: a normalizing flow on the unit cube whose density follows the integrand.

The flow (`madnis`, arXiv:2311.01548) is a chain of coupling blocks with rational-quadratic splines
(arXiv:1906.04032) that maps uniform numbers to the unit cube; it starts from a VEGAS grid, which is copied into its
first two blocks. It is trained in float32 (`partonic.generation.training`) and used in float64, so that the density
that comes with a point is that of the map which made the point, to rounding.

A sampler is saved as safetensors with its architecture as JSON in the header. Nothing is executed on loading.
"""

import itertools
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.azimuth import AzimuthalSampler
from partonic.generation.protocol import Sampler
from partonic.generation.tensors import load_tensors, save_tensors
from partonic.generation.vegas import VegasSampler

__all__ = ["FlowArchitecture", "FlowSampler", "load_sampler", "save_sampler"]

_FORMAT = "partonic-sampler-1"


@dataclass(frozen=True, kw_only=True)
class FlowArchitecture:
    """What the shape of a flow depends on.

    Attributes:
        dimensions: D of the unit cube.
        layers: linear layers of each coupling network.
        units: hidden units of each layer.
        bins: bins of the splines.
        harmonics: cosines of each condition that the coupling networks see.
    """

    dimensions: int
    layers: int
    units: int
    bins: int
    harmonics: int


class _CouplingNetwork(torch.nn.Module):
    """From the conditions of a coupling block to its spline: a perceptron that sees them as harmonics.

    Numbers in [0, 1] alone are a poor input: their cosines cos(πkx), and one sine for what is periodic, let the first
    layer already represent smooth dependences.
    """

    def __init__(self, conditions: int, outputs: int, architecture: FlowArchitecture) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", math.pi * torch.arange(1, architecture.harmonics + 1))
        widths = [conditions * (2 + architecture.harmonics), *[architecture.units] * (architecture.layers - 1)]
        layers: list[torch.nn.Module] = []
        for width, following in itertools.pairwise(widths):
            layers += [torch.nn.Linear(width, following), torch.nn.SiLU()]  # smooth: so is the density within a bin
        last = torch.nn.Linear(widths[-1], outputs)
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
        self.layers = torch.nn.Sequential(*layers, last)

    def forward(self, conditions: Tensor) -> Tensor:
        """Map conditions `(N, conditions)` to spline parameters `(N, outputs)`."""
        harmonics = torch.cos(conditions[..., None] * self.frequencies).flatten(1)
        inputs = torch.cat([2.0 * conditions - 1.0, harmonics, torch.sin(2.0 * math.pi * conditions)], dim=1)
        result: Tensor = self.layers(inputs)
        return result


class FlowSampler:
    """A flow of `madnis` with densities as logarithms and randomness from the caller's generator."""

    def __init__(self, architecture: FlowArchitecture, dtype: torch.dtype = torch.float64) -> None:
        """Build a flow that draws uniform points: its last layers are zero."""
        # Imported here: madnis brings in much that the command line does not need.
        from madnis.nn import Flow

        self.architecture = architecture
        # The hidden layers start from fixed numbers, so that the same seed trains the same flow.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            flow = Flow(
                dims_in=architecture.dimensions,
                bins=architecture.bins,
                subnet_constructor=lambda conditions, outputs: _CouplingNetwork(
                    int(conditions), int(outputs), architecture
                ),
                # One block per dimension, transformed under the condition of all others: any density can be reached
                # with a third of the splines that madnis' default of halves takes, and it is learned faster.
                condition_masks=~torch.eye(architecture.dimensions, dtype=torch.bool),
            )
        self.flow: torch.nn.Module = flow.to(dtype)

    @property
    def dimensions(self) -> int:
        """The dimension D of the unit cube."""
        return self.architecture.dimensions

    @property
    def dtype(self) -> torch.dtype:
        """The type of the parameters."""
        return next(self.flow.parameters()).dtype

    def start_from(self, grid: VegasSampler) -> None:
        """Give the flow the density of a VEGAS grid (bins merged as in arXiv:2311.01548, section 3.3).

        `madnis` initialises only flows whose first two blocks are complementary: such a flow merges the bins here, and
        its splines are handed over dimension by dimension.
        """
        from madnis.nn import Flow

        parameters = 3 * self.architecture.bins + 1
        with torch.random.fork_rng(devices=[]):
            merged = Flow(self.dimensions, bins=self.architecture.bins, layers=1, permutations="exchange", blocks=2)
        merged.init_with_grid(grid.edges.to(torch.float32))
        for mask, subnet in zip(merged.condition_masks, merged.subnets, strict=True):
            dimensions = (~mask).nonzero()[:, 0].tolist()
            splines = subnet.layers[-1].bias.detach().reshape(-1, parameters)
            for dimension, spline in zip(dimensions, splines, strict=True):
                last = cast(Any, self.flow).subnets[dimension].layers[-1]
                torch.nn.init.zeros_(last.weight)
                last.bias.data.copy_(spline)

    def to(self, dtype: torch.dtype) -> "FlowSampler":
        """Return a copy whose parameters have another type."""
        copy = FlowSampler(self.architecture, dtype)
        copy.flow.load_state_dict(self.flow.state_dict())
        return copy

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "points dimensions"], Float[Tensor, " points"]]:
        """Draw `n` points (float64) with their log-density.

        Raises:
            NonFiniteError: if the flow gives a NaN, which a trained flow never should.
        """
        latent = torch.rand((n, self.dimensions), generator=generator, dtype=self.dtype)
        with torch.no_grad():
            # Flow.sample would draw from torch's global generator: go through the transformation itself.
            points, log_jacobian = cast(Any, self.flow).transform(latent, inverse=True)
        log_density = -log_jacobian.to(torch.float64)
        bad = ~(log_density.isfinite() & points.isfinite().all(dim=1))
        if bool(bad.any()):
            raise NonFiniteError(
                f"the sampler drew {int(bad.sum())} of {n} points with a density that is not finite; first from the "
                f"latent point {latent[bad][0].tolist()}. Delete the sampler folder and train it anew"
            )
        return points.to(torch.float64).clamp(0.0, 1.0), log_density

    def log_density(self, points: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
        """Return the log-density at `points`, differentiable in the parameters."""
        density: Tensor = cast(Any, self.flow).log_prob(points.to(self.dtype))
        return density


def save_sampler(path: Path, sampler: FlowSampler | AzimuthalSampler) -> None:
    """Write a sampler to `path` atomically: safetensors, with the architecture as JSON in its header.

    Raises:
        OutputError: if the file cannot be written.
        ValueError: if the sampler is not a flow (a VEGAS grid, or one of the user's own).
    """
    azimuths = sampler.azimuths if isinstance(sampler, AzimuthalSampler) else ()
    flow = sampler.relative if isinstance(sampler, AzimuthalSampler) else sampler
    if not isinstance(flow, FlowSampler):
        raise ValueError(f"only flows can be saved, got {type(flow).__name__}")
    config = {"architecture": asdict(flow.architecture), "azimuths": list(azimuths)}
    save_tensors(path, flow.flow.state_dict(), {"format": _FORMAT, "config": json.dumps(config)})


def load_sampler(path: Path) -> Sampler:
    """Read a sampler that `save_sampler` wrote; it draws the same points from the same generator.

    Raises:
        GenerationError: if the file is missing, damaged or of another kind.
    """
    tensors, metadata = load_tensors(path)
    if metadata.get("format") != _FORMAT:
        raise GenerationError(f"{path} is not a sampler of format {_FORMAT}; found {metadata.get('format')}")
    try:
        config = json.loads(metadata["config"])
        sampler = FlowSampler(FlowArchitecture(**config["architecture"]), next(iter(tensors.values())).dtype)
        sampler.flow.load_state_dict(tensors)
        azimuths = tuple(config["azimuths"])
    except (KeyError, TypeError, ValueError, RuntimeError, StopIteration) as error:
        raise GenerationError(f"{path} does not hold a sampler: {error}. Delete it to train anew") from error
    return AzimuthalSampler(sampler, azimuths) if azimuths else sampler
