"""VEGAS for several integrands on the same points: a grid adapts to one function, and all integrands take its points.

The grid and the stratification are those of the `vegas` package (G. P. Lepage, arXiv:2009.05112). It draws from the
generator that it is given, so that no global state is touched. Points are handed out with their weights and hypercubes,
and summed here, which gives the full covariance of the integrals from the spread within each hypercube.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import DependencyError, NonFiniteError

__all__ = ["AdaptedVegas", "VegasPoints", "VegasSums", "sums"]

Array = NDArray[np.float64]

_FEWEST = 60
"""Points of a pass; VEGAS needs two in each of its hypercubes."""


@dataclass(frozen=True)
class VegasPoints:
    """Points of a pass.

    Attributes:
        x: in the unit cube, `(N, D)`.
        weight: Σ weight · f(x) estimates ∫ f, `(N,)`.
        cube: hypercube of each point, `(N,)`.
    """

    x: Array
    weight: Array
    cube: NDArray[np.int64]


@dataclass(frozen=True)
class VegasSums:
    """Integrals and their covariance.

    Attributes:
        values: the A integrals.
        covariance: of the integrals, `(A, A)`.
        contributions: what each point adds to the first integral, `(N,)`.
    """

    values: Array
    covariance: Array
    contributions: Array

    @property
    def spread(self) -> float:
        """Error of the first integral times the root of the number of points."""
        return float((self.covariance[0, 0] * len(self.contributions)) ** 0.5)


class AdaptedVegas:
    """A VEGAS grid that has adapted to a function.

    Attributes:
        evaluations: of the function, for the adaptation.
    """

    def __init__(
        self,
        function: Callable[[Array], Array],
        dimensions: int,
        generator: np.random.Generator,
        iterations: int,
        points: int,
    ) -> None:
        """Adapt a grid.

        Args:
            function: of points `(N, D)`, `(N,)`; not negative.
            dimensions: of the unit cube.
            generator: source of all random numbers of this grid.
            iterations: how often the grid is adapted.
            points: of each iteration.

        Raises:
            DependencyError: if `vegas` is not installed.
        """
        try:
            import gvar
            import vegas
        except ImportError as error:
            raise DependencyError(
                f"the classical matrix element method needs vegas ({error}): pip install 'partonic[mem]'"
            ) from error

        def counted(x: Array) -> Array:
            self.evaluations += len(x)
            return np.ascontiguousarray(function(np.array(x)))

        self.evaluations = 0
        # The constructor draws one point from the generator of gvar, which nothing depends on: leave it as it was.
        state = gvar.RNG.bit_generator.state
        self._vegas = vegas.Integrator(dimensions * [[0.0, 1.0]], ran_array_generator=generator.random)
        gvar.RNG.bit_generator.state = state
        self._vegas(vegas.lbatchintegrand(counted), nitn=iterations, neval=points)

    def points(self, number: int) -> VegasPoints:
        """Return about `number` new points."""
        self._vegas.set(neval=max(number, _FEWEST))
        batches = [
            (np.array(x), np.array(weight), np.array(cube, dtype=np.int64))
            for x, weight, cube in self._vegas.random_batch(yield_hcube=True)
        ]
        return VegasPoints(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


def sums(points: VegasPoints, values: Array) -> VegasSums:
    """Return the integrals of functions with these values `(N, A)` at the points.

    Raises:
        NonFiniteError: if a value is not finite.
    """
    terms = points.weight[:, None] * values
    if not np.isfinite(terms).all():
        bad = int((~np.isfinite(terms)).any(axis=1).sum())
        raise NonFiniteError(f"the integrand is not finite at {bad} of {len(terms)} points of VEGAS")
    return VegasSums(terms.sum(axis=0), _covariance(terms, points.cube), terms[:, 0])


def _covariance(terms: Array, cube: NDArray[np.int64]) -> Array:
    """Return the covariance of the sum of `terms` `(N, A)`, which fluctuate within each hypercube alone."""
    _, index, counts = np.unique(cube, return_inverse=True, return_counts=True)
    totals = np.zeros((len(counts), terms.shape[1]))
    np.add.at(totals, index, terms)
    deviations = terms - (totals / counts[:, None])[index]
    several = counts / np.maximum(counts - 1, 1)
    covariance: Array = (deviations * several[index][:, None]).T @ deviations
    return covariance
