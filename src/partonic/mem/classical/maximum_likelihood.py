"""Maximum likelihood by L-BFGS: the fits of the transfer functions."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import TrainingError

__all__ = ["minimise"]

_ITERATIONS = 400


def minimise(
    function: Callable[[Float[Tensor, " parameters"]], Float[Tensor, ""]],
    start: Float[Tensor, " parameters"],
    name: str,
) -> Float[Tensor, " parameters"]:
    """Return the parameters that minimise a function of the order of one, such as a mean of −log p.

    Args:
        function: differentiable by torch.
        start: where to begin, float64.
        name: of the fit, for the message.

    Raises:
        TrainingError: if the function is not finite where the search ends.
    """
    parameters = start.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS(
        [parameters], max_iter=_ITERATIONS, tolerance_grad=1e-8, tolerance_change=1e-13,
        history_size=30, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = function(parameters)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        final = function(parameters)
    if not bool(torch.isfinite(final)) or not bool(torch.isfinite(parameters).all()):
        raise TrainingError(
            f"the fit of {name} did not end at a finite likelihood ({float(final)}): too few or strange events. "
            "Fit a larger sample"
        )
    return parameters.detach()
