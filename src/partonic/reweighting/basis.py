"""What a reweighting solves for: the monomials of θ, θ of the generation, and the θ points at which it is checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ConfigError
from partonic.events.schema import StoreMetadata
from partonic.polynomial import Monomials, morphing_basis
from partonic.process_registry import find_process, process_names

__all__ = ["Basis", "basis_of"]

Array = NDArray[np.float64]

_LARGEST_CHECK = 1.5
"""Check points lie within this many `scales` of θ = 0, so that the basis interpolates and extrapolates."""


@dataclass(frozen=True)
class Basis:
    """What the coefficients of events refer to.

    Attributes:
        monomials: the A monomials of θ.
        theta: θ of the generation by name; parameters not named are 0.
        scales: size of each θ in the basis.
        num_checks: number of θ points at which the polynomial is checked.
    """

    monomials: Monomials
    theta: Mapping[str, float]
    scales: Mapping[str, float]
    num_checks: int

    @property
    def generation(self) -> Array:
        """θ of the generation, `(K,)`."""
        return self.monomials.point(self.theta)

    @property
    def points(self) -> Array:
        """The θ points of the basis, `(A, K)`."""
        return morphing_basis(self.monomials, self.scales)

    @property
    def checks(self) -> Array:
        """Points off all axes and off the basis, `(num_checks, K)`: multiples of √prime modulo 1 (Kronecker)."""
        count = len(self.monomials.parameters)
        steps = np.sqrt(np.array(_primes(count), dtype=np.float64))
        numbers = (np.arange(1, self.num_checks + 1)[:, None] * steps + 0.25) % 1.0
        sizes = np.array([self.scales.get(name, 1.0) for name in self.monomials.parameters])
        points: Array = _LARGEST_CHECK * (2.0 * numbers - 1.0) * sizes
        return points


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found if prime <= math.isqrt(number)):
            found.append(number)
        number += 1
    return found


def basis_of(
    config: ReweightConfig, metadata: StoreMetadata, where: str, theta: Mapping[str, float] | None = None
) -> Basis:
    """Return the basis for the events of a store.

    Args:
        config: settings; with a degree they define the monomials, otherwise the events do if they have θ.
        metadata: of the store.
        where: name of the store, for messages.
        theta: θ of the generation; None: what the store says. Parameters that are not named have the values of the
            Standard Model.

    Raises:
        ConfigError: if the parameters are not those of the events, or θ contradicts the store.
        ParameterError: if θ names a parameter that there is not.
    """
    names, own = tuple(config.parameters), metadata.parameters
    if own and config.degree is None:
        if set(names) != set(own):
            raise ConfigError(
                f"{where} has the parameters {', '.join(own)}, but `parameters` of the reweighting has "
                f"{', '.join(names)}: give each of them its parameter of the model, or a `degree` for new parameters"
            )
        monomials = metadata.monomials
    else:
        monomials = Monomials.up_to_degree(names, config.degree or 2)
    standard_model = _standard_model(metadata, monomials)
    stated = {name: value for name, value in metadata.theta.items() if name in monomials.parameters}
    asked, said = (monomials.point({**standard_model, **values}) for values in (theta or {}, stated))
    if theta is not None and stated and not np.array_equal(asked, said):
        raise ConfigError(
            f"the events of {where} were generated at θ = {stated}, as it says, not at {dict(theta)}: leave θ out"
        )
    chosen = {**standard_model, **(stated if theta is None else theta)}
    return Basis(monomials, chosen, config.scales, config.check_points)


def _standard_model(metadata: StoreMetadata, monomials: Monomials) -> dict[str, float]:
    """Return the values in the Standard Model that are not 0, as far as the process of the events is known here."""
    if metadata.process not in process_names():
        return {}
    definition = find_process(metadata.process)
    own = definition.parameters(definition.settings())
    return {each.name: each.standard_model for each in own if each.standard_model and each.name in monomials.parameters}
