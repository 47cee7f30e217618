"""Fit of the jet response by maximum likelihood, to quarks with and without a jet.

Only jets above the threshold exist. A fit to them alone leaves open what lies below, so quarks without a jet take part,
with the probability to be lost. All are probes: quarks of events that pass the selection without their jet, which
therefore does not prefer those that were found.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.errors import TrainingError
from partonic.mem.classical.maximum_likelihood import minimise
from partonic.mem.classical.response import JetResponse, response_log_density, response_survival

__all__ = ["fit_response"]

_FEWEST = 500
_UNIT = 100.0
"""GeV; energies are fitted in this unit, so that all parameters are of the order of one."""

# a₀, a₁, log s₀, log s₁, log s₂, b₀, b₁, log t₀, log t₁, log t₂, logit f, logit missed: a resolution of about a tenth,
# and a tail towards low energies from radiation out of the jet.
_START = (0.0, 0.0, -3.5, -2.7, -3.0, -0.02, -0.15, -2.5, -2.0, -1.8, -0.8, -3.0)
_WIDTHS = (2, 3, 4, 7, 8, 9)
_SHARES = (10, 11)
_UNITS = (_UNIT, 1.0, _UNIT, _UNIT**0.5, 1.0, _UNIT, 1.0, _UNIT, _UNIT**0.5, 1.0, 1.0, 1.0)


def fit_response(
    jet_energy: Float[Tensor, " quarks"],
    energy: Float[Tensor, " quarks"],
    eta: Float[Tensor, " quarks"],
    found: Bool[Tensor, " quarks"],
    eta_edges: tuple[float, ...],
    jet_pt_min: float,
) -> JetResponse:
    """Fit the response to probe quarks; those outside the acceptance are left out.

    Args:
        jet_energy: pT cosh η of the jets, GeV; any number for quarks without a jet.
        energy: of the quarks, GeV.
        eta: of the jets, or of the quarks that have none.
        found: quarks with a jet.
        eta_edges: upper ends of the bands in |η|.
        jet_pt_min: threshold of the jets, GeV.

    Raises:
        TrainingError: if a band has fewer than 500 quarks with a jet, or a fit does not converge.
    """
    edges = torch.tensor(eta_edges, dtype=torch.float64)
    band = torch.bucketize(eta.double().abs(), edges)
    rows = []
    for index, edge in enumerate(eta_edges):
        inside = band == index
        if (jets := int((inside & found).sum())) < _FEWEST:
            raise TrainingError(
                f"the jet response up to |η| = {edge:g} needs {_FEWEST} matched jets in events that are selected "
                f"without them, but there are {jets}: fit a larger sample"
            )
        threshold = jet_pt_min * torch.cosh(eta[inside].double())
        rows.append(_fit_band(jet_energy[inside].double(), energy[inside].double(), threshold, found[inside]))
    return JetResponse(edges, torch.stack(rows), jet_pt_min)


def _fit_band(jet_energy: Tensor, energy: Tensor, threshold: Tensor, found: Tensor) -> Tensor:
    difference, scaled = (jet_energy - energy)[found] / _UNIT, energy[found] / _UNIT
    cut, lost = (threshold - energy)[~found] / _UNIT, energy[~found] / _UNIT

    def loss(free: Tensor) -> Tensor:
        parameters = _physical(free)
        missed = parameters[11]
        seen = response_log_density(difference, scaled, parameters) + torch.log1p(-missed)
        unseen = torch.log1p(-(1.0 - missed) * response_survival(cut, lost, parameters))
        return -(seen.sum() + unseen.sum()) / len(found)

    fitted = _physical(minimise(loss, torch.tensor(_START, dtype=torch.float64), "the jet response"))
    return fitted * torch.tensor(_UNITS, dtype=torch.float64)


def _physical(free: Tensor) -> Tensor:
    """Return the parameters from numbers without bounds: logarithms of widths, logits of probabilities."""
    columns = list(free.unbind(dim=-1))
    for index in _WIDTHS:
        columns[index] = columns[index].clamp(-9.0, 6.0).exp()
    for index in _SHARES:
        columns[index] = torch.sigmoid(columns[index].clamp(-12.0, 12.0))
    return torch.stack(columns, dim=-1)
