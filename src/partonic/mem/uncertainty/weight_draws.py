"""The networks of an integral with drawn weights: what `mem.weight_samples` asks for."""

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from partonic.errors import ModelError
from partonic.mem.integral.integrand import Ingredients
from partonic.nn.bayesian.posterior import WeightPosterior

__all__ = ["DrawnWeights", "drawn_ingredients", "facts_of_weights"]


@runtime_checkable
class DrawnWeights(Protocol):
    """A network whose weights may have a posterior; every `DetectorPart` is such."""

    @property
    def posterior(self) -> WeightPosterior | None:
        """What the weights are uncertain by; None for a point model."""

    def drawn(self, number: int) -> Any:
        """Return the network with drawn weights."""


_PARTS = ("transfer", "acceptance")


def drawn_ingredients(ingredients: Ingredients, count: int) -> tuple[Ingredients, ...]:
    """Return what integrals are made of with `count` sets of weights; a part without a posterior stays as it is.

    Raises:
        ModelError: if no part has a posterior, or one has fewer sets of weights.
    """
    if not count:
        return ()
    uncertain = [name for name in _PARTS if _posterior(ingredients, name) is not None]
    if not uncertain:
        raise ModelError(
            f"mem.weight_samples asks for {count} sets of weights, but transfer function and acceptance are point "
            "models, whose weights have no uncertainty: train them with `mem_training.transfer.uncertainty` (and "
            "`mem_training.acceptance.uncertainty`) of the kind mean_field, repulsive or laplace, or set "
            "mem.weight_samples to 0"
        )
    return tuple(
        replace(ingredients, **{name: getattr(ingredients, name).drawn(number) for name in uncertain})
        for number in range(count)
    )


def facts_of_weights(ingredients: Ingredients, count: int) -> dict[str, Any]:
    """Return which weights the coefficients are of, for the file."""
    used = {}
    for name in _PARTS:
        posterior = _posterior(ingredients, name)
        used[name] = "trained weights" if posterior is None else _USED[posterior.kind]
    return {"weights": used, "weight_samples": count}


_USED = {
    "mean_field": "means of Gaussian weights (mean_field)",
    "laplace": "trained weights, the centre of their posterior (laplace)",
    "repulsive": "network of all events beside its ensemble (repulsive)",
}
"""Which weights the points of an integral are weighted with, by the kind of posterior."""


def _posterior(ingredients: Ingredients, name: str) -> WeightPosterior | None:
    part = getattr(ingredients, name)
    return part.posterior if isinstance(part, DrawnWeights) else None
