"""Toy events of two decay channels: objects that know nothing of partons, but photons that come from H."""

import torch

from partonic.events.batch import MAX_JETS, MAX_LEPTONS, MAX_PHOTONS, RecoEvents
from partonic.mem.transfer.layout import TransferLayout
from partonic.rng import torch_generator
from partonic.surrogate.photon_pair import photons_of_residuals

_COMMON = {"jet_pt_min": 25.0, "lepton_pt_min": 29.0, "lepton_eta_max": 2.4}
LAYOUTS = {
    "semileptonic": TransferLayout(
        decays="semileptonic", parton_pdg=(25, 6, -6), jets_min=4, b_tags_min=3, jet_eta_max=2.4, **_COMMON
    ),
    "dilepton": TransferLayout(
        decays="dilepton", parton_pdg=(25, 6, -6), jets_min=2, b_tags_min=2, jet_eta_max=2.4, **_COMMON
    ),
    "photons": TransferLayout(
        decays="hadronic", parton_pdg=(25, 6, 1), jets_min=3, b_tags_min=1, jet_eta_max=4.7, higgs="photons",
        photon_pt_min=25.0, photon_eta_max=2.5, **_COMMON,
    ),
}  # fmt: skip


def toy_events(layout: TransferLayout, events: int, seed: int = 1) -> tuple[RecoEvents, torch.Tensor]:
    """Return events within the cuts, and partons on their mass shells."""
    dice = torch_generator(seed, "toys")

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=dice, dtype=torch.float64)

    momenta = _partons(layout, uniform(events, 3, 3))
    count = layout.jets_min + (uniform(events) * 5).long()
    mask = torch.arange(MAX_JETS) < count[:, None]
    pt = (layout.jet_pt_min * (1.01 + 4.0 * uniform(events, MAX_JETS))).sort(dim=1, descending=True).values
    eta = layout.jet_eta_max * (1.9 * uniform(events, MAX_JETS) - 0.95)
    phi = 6.2 * uniform(events, MAX_JETS) - 3.1
    tagged = (uniform(events, MAX_JETS) < 0.3) | (torch.arange(MAX_JETS) < layout.b_tags_min)
    jets = torch.stack([pt, eta, phi, 0.1 * pt * (0.5 + uniform(events, MAX_JETS)), tagged.double()], dim=-1)
    leptons, lepton_pdg = torch.zeros(events, MAX_LEPTONS, 5), torch.zeros(events, MAX_LEPTONS, dtype=torch.int64)
    lepton_mask = (torch.arange(MAX_LEPTONS) < layout.leptons).expand(events, -1)
    for place in range(layout.leptons):
        own = torch.stack([30.0 + 50.0 * uniform(events), 4.0 * uniform(events) - 2.0, 6.0 * uniform(events) - 3.0], 1)
        leptons[:, place, :3] = own.float()
        lepton_pdg[:, place] = -11 if place == 0 else 11
    met = torch.stack([100.0 * uniform(events) + 1.0, 6.0 * uniform(events) - 3.0], dim=1)
    photons, photon_mask = torch.zeros(events, 0, 4), torch.zeros(events, 0, dtype=torch.bool)
    if layout.photons:
        photons, photon_mask = _photons(momenta, uniform(events, 6)), torch.zeros(events, MAX_PHOTONS, dtype=torch.bool)
        photon_mask[:, :2] = True
    return RecoEvents(
        jets=torch.where(mask[..., None], jets, 0.0).float(), jet_tagged=tagged & mask, jet_mask=mask,
        leptons=leptons, lepton_pdg=lepton_pdg, lepton_mask=lepton_mask, met=met.float(),
        photons=photons, photon_mask=photon_mask,
    ), momenta  # fmt: skip


def _partons(layout: TransferLayout, numbers: torch.Tensor) -> torch.Tensor:
    masses = torch.tensor([{25: 125.0, 6: 172.5, 1: 0.0}[abs(pdg)] for pdg in layout.parton_pdg], dtype=torch.float64)
    pt, phi = 150.0 + 200.0 * numbers[..., 0], 6.0 * numbers[..., 1] - 3.0
    three = torch.stack([pt * phi.cos(), pt * phi.sin(), 400.0 * (numbers[..., 2] - 0.45)], dim=-1)
    energy = (three.square().sum(dim=-1) + masses.square()).sqrt()
    return torch.cat([energy[..., None], three], dim=-1)


def _photons(momenta: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Return photons near the direction of H, with small residuals."""
    higgs = momenta[:, 0]
    pt = higgs[:, 1:3].norm(dim=1)
    eta = torch.asinh(higgs[:, 3] / pt) + 0.2 * (numbers[:, 0] - 0.5)
    phi = torch.atan2(higgs[:, 2], higgs[:, 1]) + 0.2 * (numbers[:, 1] - 0.5)
    direction = torch.stack([eta.clamp(-2.4, 2.4), phi], dim=1)
    pair = photons_of_residuals(2.0 * numbers[:, 2:] - 1.0, direction, higgs)
    order = pair[..., 0].argsort(dim=1, descending=True)
    pair = pair.gather(1, order[..., None].expand_as(pair))
    pair[..., 0], pair[..., 1] = pair[..., 0].clamp(min=25.1), pair[..., 1].clamp(-2.45, 2.45)
    pair[..., 2] = torch.remainder(pair[..., 2] + torch.pi, 2 * torch.pi) - torch.pi
    pair[..., 0] = pair[..., 0].sort(dim=1, descending=True).values
    padded = torch.zeros(len(pair), MAX_PHOTONS, 4)
    padded[:, :2, :3] = pair.float()
    return padded
