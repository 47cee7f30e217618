"""Toy layouts and events for the transfer function: events drawn from a known broad density within the cuts."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from partonic.config.mem_training.transfer import AcceptanceConfig, TransferConfig
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo
from partonic.mem.acceptance.model import AcceptanceModel, AcceptanceNetwork
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.network import TransferNetwork
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.processes.tth.settings import TthConfig
from partonic.trained.schema_record import SchemaRecord

PROCESS = ProcessInfo.of_config(TthConfig())
FIRST, MET = (-0.7, 0.5), (3.5, 0.8)
"""Mean and standard deviation of t of the pT of leptons and first jets, and of missing momenta."""

TINY = TransferConfig(width=8, layers=1, heads=2, feedforward=16, head_hidden=8, bins=4)
FLOW_SIZES = {**TINY.model_dump(include={"width", "layers", "heads", "feedforward", "head_hidden", "bins"})}
FLOW_SIZES["head"] = "flow_matching"
LAYOUTS = {
    name: TransferLayout(name, PROCESS.parton_pdg, jets, tags, 30.0, 2.4, 29.0, 2.4, jets_max=jets + 2)
    for name, jets, tags in (("semileptonic", 4, 3), ("dilepton", 3, 2), ("all_hadronic", 4, 3))
}
LAYOUTS["photons"] = TransferLayout(
    "hadronic", (25, 6, 1), 3, 1, 30.0, 4.7, 29.0, 2.4, 5, higgs="photons", photon_pt_min=25.0, photon_eta_max=2.5
)
"""H → γγ, one hadronic top and a light quark."""


def tiny_transfer(layout: TransferLayout, seed: int = 1, spread: float = 0.3, candidates: int = 0) -> TransferFunction:
    """A transfer function with random weights, far enough from zero that every factor depends on everything.

    With candidates, about as many objects come from these, in broad components, as from the splines.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TransferNetwork(TINY.model_copy(update={"candidates": candidates}), layout)
        for heads in (network.lepton, network.photon, network.jet, network.met):
            if heads is not None and heads.near is not None:
                own = heads.near.query.bias.data
                own[heads.near.size :] = torch.tensor([1.0, -0.3, -0.3, 0.0, 0.0, -0.5, -0.5, -0.5])
        for parameter in network.parameters():
            parameter.data += spread * torch.randn_like(parameter)
        first = ((network.lepton, FIRST), (network.photon, FIRST), (network.jet, FIRST), (network.met, MET))
        for heads, (mean, deviation) in first:
            if heads is not None:
                heads.first_pt.mean.fill_(mean)
                heads.first_pt.deviation.fill_(deviation)
    return TransferFunction(network, SchemaRecord.of(PROCESS))


def tiny_flow_transfer(layout: TransferLayout, seed: int = 1, spread: float = 0.1, keys: int = 4) -> TransferFunction:
    """A transfer function with heads of flow matching and random weights, whose coarse densities are broad."""
    flow = {"width": 8, "queries": 2, "solver": {"steps": 4}}
    sizes = TransferConfig.model_validate({**FLOW_SIZES, "candidates": keys, "flow": flow})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TransferNetwork(sizes, layout)
        for parameter in network.parameters():
            parameter.data += spread * torch.randn_like(parameter)
    for head, (mean, deviation) in (
        (network.lepton, FIRST),
        (network.photon, FIRST),
        (network.jet, FIRST),
        (network.met, MET),
    ):
        if head is not None:
            head.coarse.bias.data[4:6] = -1.0  # short tails
            head.coarse.bias.data[8] = 1.0  # all around
            head.mean[0], head.deviation[0] = mean, deviation
            if not head.ordered:
                head.mean[2], head.deviation[2] = mean, deviation
    return TransferFunction(network, SchemaRecord.of(PROCESS))


def tiny_acceptance(layout: TransferLayout) -> AcceptanceModel:
    """An acceptance with random weights that differs by factors between events."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = AcceptanceNetwork(AcceptanceConfig(hidden=(16,)), layout)
    with torch.no_grad():
        network.outer.weight.mul_(8.0)
    return AcceptanceModel(network, SchemaRecord.of(PROCESS))


def some_partons(count: int, seed: int = 3) -> Tensor:
    """Momenta of H, t, t̄ on their mass shells, `(count, 3, 4)`."""
    rng = np.random.default_rng(seed)
    three = torch.from_numpy(rng.normal(0.0, 120.0, (count, 3, 3)))
    masses = torch.tensor([125.0, 172.5, 172.5], dtype=torch.float64)
    energy = (three.square().sum(dim=-1) + masses.square()).sqrt()
    return torch.cat([energy[..., None], three], dim=-1)


@dataclass
class Drawn:
    """Events of a known density.

    Attributes:
        reco: the events.
        log_density: of (n, tags, pT, η, φ), `(N,)`.
    """

    reco: RecoEvents
    log_density: Tensor


def draw_events(layout: TransferLayout, count: int, seed: int, scale: float = 1.3) -> Drawn:
    """Draw n and the tags uniformly, angles uniformly, and t of pT and η from Gaussians of width `scale`."""
    rng = np.random.default_rng(seed)
    slots, leptons = layout.jets_max, layout.leptons
    number = rng.integers(layout.jets_min, layout.jets_max + 1, count)
    log_q = np.full(count, -math.log(layout.multiplicities))
    mask = np.arange(slots) < number[:, None]
    tags, log_tags = _draw_tags(layout, number, mask, rng)
    log_q += log_tags
    jets, log_jets = _draw_jets(layout, mask, rng, scale)
    z = rng.normal(0.0, scale, (count, leptons, 2))
    lepton_pt, jacobian_pt = _first(z[..., 0], layout.lepton_pt_min)
    lepton_eta, jacobian_eta = _eta(z[..., 1], layout.lepton_eta_max)
    log_q += log_jets + (_gauss(z, scale).sum(-1) - jacobian_pt - jacobian_eta).sum(-1)
    met_z = rng.normal(0.0, scale, count)
    met = np.exp(MET[0] + MET[1] * met_z)
    log_q += _gauss(met_z, scale) - np.log(MET[1] * met)
    angles = rng.uniform(-math.pi, math.pi, (count, leptons + 1 + slots))
    log_q -= math.log(2 * math.pi) * (leptons + 1 + number)
    charge = np.tile([-11, 13], (count, 1))[:, :leptons]
    lepton = np.stack([lepton_pt, lepton_eta, angles[:, :leptons], 0 * lepton_pt, 0 * lepton_pt], axis=-1)
    jet = np.stack([*jets, angles[:, leptons + 1 :], 0 * jets[0], tags], axis=-1) * mask[..., None]
    photons, log_photons = _draw_photons(layout, count, rng, scale)
    reco = RecoEvents(
        jets=torch.from_numpy(jet).float(),
        jet_tagged=torch.from_numpy(tags.astype(bool) & mask),
        jet_mask=torch.from_numpy(mask),
        leptons=torch.from_numpy(lepton).float(),
        lepton_pdg=torch.from_numpy(charge),
        lepton_mask=torch.ones(count, leptons, dtype=torch.bool),
        met=torch.from_numpy(np.stack([met, angles[:, leptons]], axis=-1)).float(),
        **photons,
    )
    return Drawn(reco, torch.from_numpy(log_q + log_photons))


def _draw_tags(layout, number, mask, rng):
    """Tag each jet with probability ½, and those without which too few would be tagged."""
    tags, log_q = np.zeros(mask.shape), np.zeros(len(mask))
    for slot in range(mask.shape[1]):
        real, left = mask[:, slot], number - slot
        forced = real & (layout.b_tags_min - tags.sum(1) >= left)
        tags[:, slot] = real & (forced | (rng.random(len(mask)) < 0.5))
        log_q += np.where(real & ~forced, -math.log(2), 0.0)
    return tags, log_q


def _draw_photons(layout, count, rng, scale):
    """As many photons as there must be, in descending pT; nothing where there are none."""
    if not layout.photons:
        return {}, 0.0
    mask = np.ones((count, layout.photons), dtype=bool)
    (pt, eta), log_q = _draw_ordered((layout.photon_pt_min, layout.photon_eta_max), mask, rng, scale)
    phi = rng.uniform(-math.pi, math.pi, pt.shape)
    photons = torch.from_numpy(np.stack([pt, eta, phi, 0 * pt], axis=-1)).float()
    log_q -= math.log(2 * math.pi) * layout.photons
    return {"photons": photons, "photon_mask": torch.from_numpy(mask)}, log_q


def _draw_jets(layout, mask, rng, scale):
    return _draw_ordered((layout.jet_pt_min, layout.jet_eta_max), mask, rng, scale)


def _draw_ordered(cuts, mask, rng, scale):
    """pT and η of objects in descending pT, with cuts on both."""
    pt_min, eta_max = cuts
    z = rng.normal(0.0, scale, (*mask.shape, 2))
    pt = np.zeros(mask.shape)
    log_q = np.zeros(len(mask))
    pt[:, 0], jacobian = _first(z[:, 0, 0], pt_min)
    log_q += _gauss(z[:, 0, 0], scale) - jacobian
    for slot in range(1, mask.shape[1]):
        whole = np.log(pt[:, slot - 1] / pt_min)
        share = 1 / (1 + np.exp(-z[:, slot, 0]))
        pt[:, slot] = pt_min * np.exp(share * whole)
        jacobian = np.log(pt[:, slot] * whole * share * (1 - share))
        log_q += np.where(mask[:, slot], _gauss(z[:, slot, 0], scale) - jacobian, 0.0)
    eta, jacobian_eta = _eta(z[..., 1], eta_max)
    log_q += np.where(mask, _gauss(z[..., 1], scale) - jacobian_eta, 0.0).sum(1)
    return (pt, eta), log_q


def _first(z, cut):
    """pT above a cut, and log |dpT/dz|."""
    t = FIRST[0] + FIRST[1] * z
    pt = cut * np.exp(np.exp(t))
    return pt, np.log(FIRST[1] * pt) + t


def _eta(z, eta_max):
    share = 1 / (1 + np.exp(-z))
    return eta_max * (2 * share - 1), np.log(2 * eta_max * share * (1 - share))


def _gauss(z, scale):
    return -0.5 * (z / scale) ** 2 - 0.5 * math.log(2 * math.pi) - math.log(scale)
