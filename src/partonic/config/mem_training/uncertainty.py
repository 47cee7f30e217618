"""What the weights of a network of the matrix element method are uncertain by after its training."""

from typing import Literal

from pydantic import Field

from partonic.config.base import StrictModel

__all__ = ["UncertaintyConfig"]


class UncertaintyConfig(StrictModel):
    """How the error of a network from the number of its training events is learned; `mem.weight_samples` uses it."""

    kind: Literal["none", "mean_field", "repulsive", "laplace"] = "none"
    """``none``: one set of weights; ``mean_field``: independent Gaussian weights, trained by flipout with KL/N;
    ``repulsive``: an ensemble of networks that are driven apart; ``laplace``: one set of weights, and the curvature of
    the loss in those of the last layers."""

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

    temperature: float = Field(0.1, gt=0.0)
    """Factor of KL in the training. 1 is Bayes' theorem for independent weights, which ask for far more events than
    there are weights: with fewer, nothing is learned (mean_field)."""

    epochs: int = Field(8, ge=1)
    """Passes over the events with Gaussian weights, after the training of the means alone (mean_field)."""

    learning_rate: float = Field(1e-3, gt=0.0)
    """Largest learning rate of these (mean_field)."""

    deviation: float = Field(0.02, gt=0.0)
    """Standard deviation of the weights at their start, times the root of the number of inputs of their layer
    (mean_field)."""

    calibrate: bool = True
    """Scale the deviations of the weights until the loss of drawn weights on the training events exceeds that of the
    trained ones by half of the difference of the losses of validation and training events, as it does for the errors
    that the number of events brings (mean_field, laplace)."""

    width: float = Field(1.0, gt=0.0)
    """Factor of the deviations after that, for those who have compared trainings on different numbers of their events
    (mean_field, laplace)."""
