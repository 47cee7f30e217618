"""Ten observables of reconstructed events that a surrogate is compared with the simulation in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.mem.transfer.layout import TransferLayout
from partonic.physics.kinematics import delta_phi, from_pt_eta_phi_m

__all__ = ["Observable", "observables_of", "values_of"]

Values = Float[Tensor, " events"]


@dataclass(frozen=True)
class Observable:
    """One observable.

    Attributes:
        name: identifier.
        label: what is written on an axis, without unit; mathematics between dollar signs.
        unit: e.g. ``"GeV"``; empty for pure numbers.
        of: its values for events.
        discrete: whether they are whole numbers.
    """

    name: str
    label: str
    unit: str
    of: Callable[[RecoEvents], Values]
    discrete: bool = False


def observables_of(layout: TransferLayout) -> tuple[Observable, ...]:
    """Return ten observables of events with the objects of a layout; two of them are of leptons or photons."""
    last = max(layout.jets_min, 1) - 1
    return (
        *_special(layout, last),
        Observable("jets", "number of jets", "", lambda reco: reco.jet_mask.sum(dim=1).double(), discrete=True),
        Observable("b_tags", "number of b-tagged jets", "", _tags, discrete=True),
        _pt_of_jet(0),
        _pt_of_jet(last) if last else _eta_of_jet(0),
        _abs_eta_of_jet(0),
        Observable("met", r"$p_\mathrm{T}^\mathrm{miss}$", "GeV", lambda reco: reco.met[:, 0].double()),
        Observable("ht", r"$H_\mathrm{T}$", "GeV", lambda reco: _jets(reco)[..., 0].sum(dim=1)),
        Observable("m_jets", r"$m_\mathrm{jets}$", "GeV", lambda reco: _mass(_momenta(_jets(reco)).sum(dim=1))),
    )


def values_of(reco: RecoEvents, layout: TransferLayout) -> Mapping[str, Float[np.ndarray, " events"]]:
    """Return the values of `observables_of` by name."""
    return {observable.name: observable.of(reco).numpy() for observable in observables_of(layout)}


def _special(layout: TransferLayout, last: int) -> tuple[Observable, Observable]:
    if layout.leptons == 1:
        return (
            Observable("pt_lepton", r"$p_\mathrm{T}^\ell$", "GeV", lambda reco: reco.leptons[:, 0, 0].double()),
            Observable("m_t", r"$m_\mathrm{T}(\ell, p_\mathrm{T}^\mathrm{miss})$", "GeV", _transverse_mass),
        )
    if layout.leptons:
        return (
            Observable("pt_lepton", r"$p_\mathrm{T}^\ell$", "GeV", lambda reco: reco.leptons[..., 0].amax(1).double()),
            Observable("m_leptons", r"$m_{\ell\ell}$", "GeV", lambda reco: _pair_mass(reco.leptons)),
        )
    if layout.photons > 1:
        return (
            Observable("pt_photons", r"$p_\mathrm{T}^{\gamma\gamma}$", "GeV", lambda reco: _pair_pt(reco.photons)),
            Observable("m_photons", r"$m_{\gamma\gamma}$", "GeV", lambda reco: _pair_mass(reco.photons)),
        )
    return (
        Observable("m_j1_j2", r"$m_\mathrm{jj}$ of the two hardest jets", "GeV", lambda reco: _pair_mass(reco.jets)),
        _abs_eta_of_jet(last) if last else _pt_of_jet(1),
    )


def _pt_of_jet(place: int) -> Observable:
    name = rf"$p_\mathrm{{T}}$ of jet {place + 1}"
    return Observable(f"pt_j{place + 1}", name, "GeV", lambda reco: _jets(reco)[:, place, 0])


def _eta_of_jet(place: int) -> Observable:
    return Observable(f"eta_j{place + 1}", rf"$\eta$ of jet {place + 1}", "", lambda reco: _jets(reco)[:, place, 1])


def _abs_eta_of_jet(place: int) -> Observable:
    name = rf"$|\eta|$ of jet {place + 1}"
    return Observable(f"abs_eta_j{place + 1}", name, "", lambda reco: _jets(reco)[:, place, 1].abs())


def _tags(reco: RecoEvents) -> Values:
    return (reco.jet_tagged & reco.jet_mask).sum(dim=1).double()


def _jets(reco: RecoEvents) -> Tensor:
    """Return pT, η, φ of jets, 0 where there is none; masses are left out, which not every surrogate draws."""
    return torch.where(reco.jet_mask[..., None], reco.jets[..., :3], 0.0).double()


def _momenta(objects: Tensor) -> Tensor:
    """Return massless four-vectors of pT, η, φ."""
    return from_pt_eta_phi_m(
        torch.cat([objects[..., :3].double(), torch.zeros_like(objects[..., :1]).double()], dim=-1)
    )


def _mass(momenta: Tensor) -> Values:
    return (momenta[..., 0].square() - momenta[..., 1:].square().sum(dim=-1)).clamp(min=0.0).sqrt()


def _pair_mass(objects: Tensor) -> Values:
    return _mass(_momenta(objects[:, :2]).sum(dim=1))


def _pair_pt(objects: Tensor) -> Values:
    total = _momenta(objects[:, :2]).sum(dim=1)
    return torch.hypot(total[:, 1], total[:, 2])


def _transverse_mass(reco: RecoEvents) -> Values:
    lepton, met = reco.leptons[:, 0].double(), reco.met.double()
    cosine = torch.cos(delta_phi(lepton[:, 2], met[:, 1]))
    return (2.0 * lepton[:, 0] * met[:, 0] * (1.0 - cosine)).clamp(min=0.0).sqrt()
