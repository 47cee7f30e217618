"""What the weights of a network of the matrix element method are uncertain by after its training."""

from typing import Literal

from pydantic import Field

from partonic.config.base import StrictModel

__all__ = ["UncertaintyConfig"]


class UncertaintyConfig(StrictModel):
    """How the error of a network from the number of its training events is learned; `mem.weight_samples` uses it."""

    kind: Literal["none", "mean_field", "repulsive", "laplace"] = "none"
    """``none``: one set of weights; ``mean_field``: Gaussian weights, trained by flipout with KL/N; ``repulsive``: an
    ensemble of networks that are driven apart; ``laplace``: one set of weights, and the curvature of the loss in those
    of the last layers."""

    members: int = Field(8, ge=2)
    """Networks of the ensemble, beside the one that points are weighted with (repulsive)."""

    repulsion: float = Field(1.0, ge=0.0)
    """Strength of the repulsion in function space, in units of one event's share of the loss; 0 for none
    (repulsive)."""

    bootstrap: bool = True
    """Train each member on a bootstrap sample of the events, so that the scatter of the members holds the error from
    their number (repulsive)."""

    prior: float | None = Field(None, gt=0.0)
    """Standard deviation of the Gaussian prior of the weights; null for the best one of each layer, the root mean
    square of its weights (mean_field, laplace)."""

    temperature: float = Field(1.0, gt=0.0)
    """Factor of KL (mean_field) or of the covariance (laplace); 1 for Bayes' theorem."""

    deviation: float = Field(0.05, gt=0.0)
    """Standard deviation of the weights at the start, times the root of the number of inputs of their layer
    (mean_field)."""
