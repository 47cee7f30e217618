"""High-level features of reconstructed events, as an analysis would give to a plain classifier.

Jets by pT, masses and distances of b-tagged jets, missing transverse momentum, and sums. All are defined for any number
of jets and leptons; what an event does not have is NaN.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.physics.fourvector import mass
from partonic.physics.kinematics import azimuth, delta_phi, delta_r, from_pt_eta_phi_m, transverse_momentum

__all__ = ["FEATURES", "HIGGS_MASS", "higgs_pair", "high_level_features", "nearest_tagged_pair"]

HIGGS_MASS = 125.0
"""GeV; the pair of tagged jets whose mass is nearest to it is the candidate of H → bb̄."""

_PAIR = ("mass", "pt", "delta_r")
FEATURES = (
    "jets", "tagged_jets", "sum_pt", "met", "lepton_pt", "lepton_eta", "transverse_mass_w",
    *(f"jet{number}_pt" for number in range(1, 7)),
    *(f"tagged{number}_pt" for number in range(1, 5)),
    *(f"higgs_pair_{name}" for name in _PAIR),
    *(f"closest_pair_{name}" for name in _PAIR),
    "mean_pair_delta_r", "mean_pair_mass", "largest_pair_mass", "tagged_mass", "system_mass",
)  # fmt: skip
"""Names of the features, in order. Momenta and masses in GeV."""


def high_level_features(reco: RecoEvents) -> NDArray[np.float64]:
    """Return `FEATURES` of each event, `(N, 28)`; NaN for what an event does not have."""
    jets, tagged = _jets(reco)
    pairs = _Pairs(jets, tagged)
    pt = reco.jets[..., 0].double() * reco.jet_mask
    lepton, missing = _lepton_and_met(reco)
    system = jets.sum(dim=1) + missing + torch.where(reco.lepton_mask.any(dim=1)[:, None], lepton, 0.0)
    columns = [
        reco.jet_mask.sum(dim=1), tagged.sum(dim=1), pt.sum(dim=1), reco.met[:, 0],
        *_lepton_features(reco, lepton, missing),
        *_leading(pt, reco.jet_mask, 6), *_leading(pt, reco.jet_tagged & reco.jet_mask, 4),
        *pairs.features((pairs.mass - HIGGS_MASS).abs()), *pairs.features(pairs.delta_r),
        pairs.mean(pairs.delta_r), pairs.mean(pairs.mass), pairs.largest(pairs.mass),
        mass((jets * tagged[..., None]).sum(dim=1)), mass(system),
    ]  # fmt: skip
    return torch.stack([column.double() for column in columns], dim=1).numpy()


def higgs_pair(reco: RecoEvents) -> Float[Tensor, "events 4"]:
    """Return the momentum of the two tagged jets whose mass is nearest to `HIGGS_MASS`; NaN without two of them."""
    return nearest_tagged_pair(*_jets(reco))


def nearest_tagged_pair(
    jets: Float[Tensor, "events jets 4"], tagged: Bool[Tensor, "events jets"]
) -> Float[Tensor, "events 4"]:
    """Return the momentum of the two tagged jets whose mass is nearest to `HIGGS_MASS`.

    Args:
        jets: momenta (E, px, py, pz) in GeV, two columns or more.
        tagged: which of them are tagged jets.

    Returns:
        the momenta, NaN for events without two tagged jets.
    """
    pairs = _Pairs(jets, tagged)
    return pairs.chosen(pairs.momentum, (pairs.mass - HIGGS_MASS).abs())


class _Pairs:
    """All pairs of tagged jets; `real` says which exist."""

    def __init__(self, jets: Float[Tensor, "events jets 4"], tagged: Tensor) -> None:
        first, second = torch.triu_indices(jets.shape[1], jets.shape[1], offset=1)
        self.real = tagged[:, first] & tagged[:, second]
        # momenta of padding have no direction: give pairs that do not exist one that can be computed with
        stand_in = jets.new_tensor([1.0, 1.0, 0.0, 0.0])
        one, two = (torch.where(self.real[..., None], jets[:, index], stand_in) for index in (first, second))
        self.momentum = one + two
        self.mass, self.pt = mass(self.momentum), transverse_momentum(self.momentum)
        self.delta_r = delta_r(one, two)

    def chosen(self, values: Tensor, smallest: Float[Tensor, "events pairs"]) -> Tensor:
        """Return `values` of the real pair for which `smallest` is smallest."""
        best = torch.where(self.real, smallest, torch.inf).argmin(dim=1)
        found = values[torch.arange(len(values)), best]
        missing = ~self.real.any(dim=1)
        return torch.where(missing.view(-1, *[1] * (found.dim() - 1)), torch.nan, found)

    def features(self, smallest: Float[Tensor, "events pairs"]) -> list[Tensor]:
        return [self.chosen(values, smallest) for values in (self.mass, self.pt, self.delta_r)]

    def mean(self, values: Float[Tensor, "events pairs"]) -> Float[Tensor, " events"]:
        return (values * self.real).sum(dim=1) / torch.where(self.real.any(dim=1), self.real.sum(dim=1), torch.nan)

    def largest(self, values: Float[Tensor, "events pairs"]) -> Float[Tensor, " events"]:
        return self.chosen(values, -values)


def _jets(reco: RecoEvents) -> tuple[Float[Tensor, "events jets 4"], Bool[Tensor, "events jets"]]:
    """Return momenta of the jets, zero for padding, and which are tagged; two columns or more, so that pairs exist."""
    jets = from_pt_eta_phi_m(reco.jets[..., :4].double()) * reco.jet_mask[..., None]
    more = max(0, 2 - jets.shape[1])
    pad = torch.nn.functional.pad
    return pad(jets, (0, 0, 0, more)), pad(reco.jet_tagged & reco.jet_mask, (0, more))


def _lepton_and_met(reco: RecoEvents) -> tuple[Float[Tensor, "events 4"], Float[Tensor, "events 4"]]:
    """Return the leading lepton (NaN without one) and the missing momentum as massless at η = 0."""
    size, phi = reco.met.double().unbind(dim=1)
    missing = torch.stack([size, size * torch.cos(phi), size * torch.sin(phi), torch.zeros_like(size)], dim=-1)
    if not reco.leptons.shape[1]:
        return torch.full_like(missing, torch.nan), missing
    lepton = from_pt_eta_phi_m(reco.leptons[:, 0, :4].double())
    return torch.where(reco.lepton_mask[:, :1], lepton, torch.nan), missing


def _lepton_features(reco: RecoEvents, lepton: Tensor, missing: Tensor) -> list[Tensor]:
    """Return pT and η of the leading lepton and the transverse mass with the missing momentum."""
    pt = transverse_momentum(lepton)
    angle = delta_phi(azimuth(lepton), azimuth(missing))
    transverse_mass = torch.sqrt(2.0 * pt * missing[:, 0] * (1.0 - torch.cos(angle)))
    eta = torch.asinh(lepton[:, 3] / pt)
    return [pt, eta, transverse_mass]


def _leading(pt: Tensor, mask: Tensor, number: int) -> list[Tensor]:
    """Return the largest pT of the jets of the mask, NaN where there are fewer."""
    ordered = torch.where(mask, pt, -torch.inf).sort(dim=1, descending=True).values[:, :number]
    padded = torch.nn.functional.pad(ordered, (0, number - ordered.shape[1]), value=-torch.inf)
    return list(torch.where(padded > 0, padded, torch.nan).unbind(dim=1))
