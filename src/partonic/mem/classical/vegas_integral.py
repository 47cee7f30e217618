"""VEGAS for several integrands at once: the grid adapts to the first, and the others take the same points.

The grid and the stratification are those of the `vegas` package (G. P. Lepage, arXiv:2009.05112). It draws from the
generator that it is given, so that no global state is touched. The final points are summed here, which gives the full
covariance of the integrals from the spread within each hypercube, and the weights themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import DependencyError, NonFiniteError

__all__ = ["AdaptedVegas", "VegasSums"]

Array = NDArray[np.float64]

Integrand = Callable[[Array], Array]
"""Points `(N, D)` of the unit cube to values `(N, A)`."""

_FEWEST = 60
"""Points of a final pass; VEGAS needs two in each of its hypercubes."""


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


class AdaptedVegas:
    """A VEGAS grid that has adapted to the first of several integrands.

    Attributes:
        value: estimate of the first integral from the adaptation.
        spread: error of one iteration of the adaptation, times the root of its number of points.
        evaluations: points that the adaptation took.
    """

    def __init__(
        self, integrand: Integrand, dimensions: int, generator: np.random.Generator, plan: tuple[int, int]
    ) -> None:
        """Adapt a grid.

        Args:
            integrand: the integrands; the grid adapts to the first.
            dimensions: of the unit cube.
            generator: source of all random numbers of this grid.
            plan: number of iterations, and of points in each.

        Raises:
            DependencyError: if `vegas` is not installed.
        """
        try:
            import vegas
        except ImportError as error:
            raise DependencyError(
                f"the classical matrix element method needs vegas ({error}): pip install 'partonic[mem]'"
            ) from error
        self._integrand = integrand
        self.evaluations = 0
        self._vegas = vegas.Integrator(dimensions * [[0.0, 1.0]], ran_array_generator=generator.random)
        first = vegas.lbatchintegrand(self._first)
        results = [self._vegas(first, nitn=1, neval=plan[1]) for _ in range(plan[0])]
        self.value = float(results[-1].mean)
        self.spread = float(results[-1].sdev) * plan[1] ** 0.5

    def sums(self, points: int) -> VegasSums:
        """Return the integrals from about `points` new points.

        Raises:
            NonFiniteError: if an integrand is not finite.
        """
        self._vegas.set(neval=max(points, _FEWEST))
        batches = [
            (np.array(x), np.array(weight), np.array(cube))
            for x, weight, cube in self._vegas.random_batch(yield_hcube=True)
        ]
        x, weight, cube = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        terms = weight[:, None] * self._integrand(x)
        if not np.isfinite(terms).all():
            bad = int((~np.isfinite(terms)).any(axis=1).sum())
            raise NonFiniteError(f"the integrand is not finite at {bad} of {len(terms)} points of VEGAS")
        return VegasSums(terms.sum(axis=0), _covariance(terms, cube), terms[:, 0])

    def _first(self, x: Array) -> Array:
        self.evaluations += len(x)
        return np.ascontiguousarray(self._integrand(np.array(x))[:, 0])


def _covariance(terms: Array, cube: NDArray[np.integer]) -> Array:
    """Return the covariance of the sum of `terms` `(N, A)`, which fluctuate within each hypercube alone."""
    _, index, counts = np.unique(cube, return_inverse=True, return_counts=True)
    means = np.zeros((len(counts), terms.shape[1]))
    np.add.at(means, index, terms)
    deviations = terms - (means / counts[:, None])[index]
    several = np.maximum(counts - 1, 1)
    covariance: Array = (deviations * (counts / several)[index][:, None]).T @ deviations
    return covariance
