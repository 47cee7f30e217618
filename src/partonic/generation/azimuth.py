"""The symmetry about the beam: sampling azimuths relative to the first one.

Unpolarised beams know no azimuth, so dσ/du depends on differences of the azimuths only. A sampler of the full cube
would have to learn a ridge along their diagonal; one of the differences has a dimension less and no ridge.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.generation.integrand import ProcessIntegrand
from partonic.generation.protocol import Integrand, Sampler
from partonic.physics.process import PartonEvents
from partonic.rng import torch_generator

__all__ = ["AzimuthalSampler", "azimuthal_numbers", "relative_integrand", "turned", "with_first"]

_PROBES = 64
_ROTATION = 0.37
"""Fraction of a full turn by which the probes are rotated: far from any symmetry of a simple integrand."""
_TOLERANCE = 1e-6


def azimuthal_numbers(integrand: ProcessIntegrand, seed: int) -> tuple[int, ...]:
    """Return which numbers of the unit cube are azimuths about the beam: all shift alike when an event is rotated.

    Found by rotating random events and mapping them back, and by comparing the integrand; empty when the process has no
    such numbers, or is not symmetric.
    """
    process = integrand.process
    numbers = torch.rand((_PROBES, process.dimensions), generator=torch_generator(seed, "azimuth"), dtype=torch.float64)
    events, _ = process.from_unit_cube(numbers)
    angle = 2.0 * math.pi * _ROTATION
    rotated, _ = process.to_unit_cube(PartonEvents(_rotate(events.momenta, angle), events.x1, events.x2))
    shift = rotated - numbers
    unmoved = _circular_distance(shift, 0.0).amax(dim=0) < _TOLERANCE
    moved = _circular_distance(shift, _ROTATION).amax(dim=0) < _TOLERANCE
    before, after = integrand(numbers), integrand(rotated.clamp(0.0, 1.0))
    same = bool(((before - after).abs() <= _TOLERANCE * before.abs().clamp(min=float(before.max()) * 1e-9)).all())
    if not same or not bool((moved | unmoved).all()):
        return ()
    return tuple(int(index) for index in moved.nonzero()[:, 0])


class AzimuthalSampler:
    """A sampler of all numbers, made from one that samples the azimuths relative to the first.

    The first azimuth is uniform, and added to the others modulo 1: the map has unit Jacobian, and one dimension with
    all its correlations need not be learned.
    """

    def __init__(self, relative: Sampler, azimuths: tuple[int, ...]) -> None:
        """Take the sampler of the D − 1 other numbers and the (at least one) indices of the azimuths among D."""
        self.relative, self.azimuths = relative, azimuths

    @property
    def dimensions(self) -> int:
        """The dimension D of the unit cube."""
        return self.relative.dimensions + 1

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "points dimensions"], Float[Tensor, " points"]]:
        """Draw `n` points with their log-density."""
        others, log_density = self.relative.sample(n, generator)
        turn = torch.rand((n, 1), generator=generator, dtype=torch.float64)
        return turned(with_first(others, self.azimuths[0]), self.azimuths, turn), log_density

    def log_density(self, points: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
        """Return the log-density at `points`."""
        still = turned(points, self.azimuths, -points[:, [self.azimuths[0]]])
        kept = [index for index in range(self.dimensions) if index != self.azimuths[0]]
        return self.relative.log_density(still[:, kept])


def relative_integrand(integrand: Integrand, azimuths: tuple[int, ...]) -> Integrand:
    """Return the integrand as a function of the numbers other than the first azimuth, which is 0."""

    def relative(others: Float[Tensor, "points others"]) -> Float[Tensor, " points"]:
        return integrand(with_first(others, azimuths[0]))

    return relative


def with_first(others: Tensor, index: int) -> Tensor:
    """Return full points of the unit cube, the number `index` being 0."""
    return torch.cat([others[:, :index], torch.zeros_like(others[:, :1]), others[:, index:]], dim=1)


def turned(points: Tensor, azimuths: tuple[int, ...], turn: Tensor) -> Tensor:
    """Return the points `(N, D)` with all azimuths shifted by `turn` `(N, 1)`, modulo 1."""
    shifted = points.clone()
    shifted[:, list(azimuths)] = torch.remainder(points[:, list(azimuths)] + turn, 1.0)
    return shifted


def _rotate(momenta: Tensor, angle: float) -> Tensor:
    """Rotate four-vectors about the beam axis."""
    energy, px, py, pz = momenta.unbind(dim=-1)
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], dim=-1)


def _circular_distance(shift: Tensor, target: float) -> Tensor:
    """Return the distance of `shift` from `target` modulo 1."""
    return (torch.remainder(shift - target + 0.5, 1.0) - 0.5).abs()
