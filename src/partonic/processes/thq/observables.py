"""Observables of H t q at which the coupling shows."""

import torch
from torch import Tensor

from partonic.physics.fourvector import boost_to_rest_frame, mass
from partonic.physics.kinematics import rapidity, transverse_momentum
from partonic.processes.decayed_observables import of_produced
from partonic.processes.definition import PartonObservable

__all__ = ["observables", "production_plane_cosine", "spin_cosine", "spin_normal_cosine", "system_cosine"]

_H, _T, _Q = 0, 1, 2
"""Places of H, t and q."""


def observables(decayed: bool = False) -> tuple[PartonObservable, ...]:
    """Return mass of (t, H), rapidity difference of q and t, p_T of t, and two angles of t in the rest frame of tH.

    The mass and the rapidities feel the sign of κ_e, since H from a W and from the top differ in energy; a coupling
    that violates CP shows in the angle out of the plane (linear in κ_o).

    Args:
        decayed: whether the products of the top are in its place. The angles of its charged lepton or down-type quark
            in its rest frame, to which the spin of the top goes over, are then observables, too.
    """
    if decayed:
        chain = (
            PartonObservable("cos_down_q", r"$\cos\theta_{\mathrm{q}}(\ell/\mathrm{d})$", (20, -1.0, 1.0), spin_cosine),
            PartonObservable(
                "cos_down_normal", r"$\cos\theta_{\perp}(\ell/\mathrm{d})$", (20, -1.0, 1.0), spin_normal_cosine
            ),
        )
        return (*of_produced(observables(), tops=(_T,)), *chain)
    return (
        PartonObservable("mass_tH", r"$m(\mathrm{t}\mathrm{H})$", (25, 290.0, 1290.0), _pair_mass, "GeV", True),
        PartonObservable("delta_y_qt", r"$|\Delta y(\mathrm{q}, \mathrm{t})|$", (20, 0.0, 6.0), _rapidities),
        PartonObservable("pt_t", r"$p_\mathrm{T}(\mathrm{t})$", (25, 0.0, 500.0), _top_pt, "GeV", True),
        PartonObservable("cos_theta_tH", r"$\cos\theta^*_{\mathrm{t}}$", (20, -1.0, 1.0), system_cosine),
        PartonObservable("cos_normal_tH", r"$\cos\theta^\perp_{\mathrm{t}}$", (20, -1.0, 1.0), production_plane_cosine),
    )


def system_cosine(momenta: Tensor, pdg: Tensor) -> Tensor:
    """Return cos θ of t in the rest frame of tH, from the beam that q leaves behind: mostly the b's."""
    top, beam, _ = _in_system(momenta)
    return _cosine(top, beam)


def production_plane_cosine(momenta: Tensor, pdg: Tensor) -> Tensor:
    """Return the cosine of the angle between t, in the rest frame of tH, and the normal (beam of q) × q."""
    top, _, normal = _in_system(momenta)
    return _cosine(top, normal)


def spin_cosine(momenta: Tensor, pdg: Tensor) -> Tensor:
    """Return cos θ between the charged lepton or down-type quark of t and q, in the rest frame of t.

    A single top is polarised along the d-type quark of its production, which q is for most of the events.
    """
    down, quark, _ = _in_top(momenta)
    return _cosine(down, quark)


def spin_normal_cosine(momenta: Tensor, pdg: Tensor) -> Tensor:
    """Return the cosine between the same particle and the normal q × H, in the rest frame of t.

    A polarisation along it changes its sign with time reversal: it is linear in κ_o.
    """
    down, quark, higgs = _in_top(momenta)
    return _cosine(down, torch.linalg.cross(quark, higgs, dim=-1))


def _in_top(momenta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the product of isospin −½ (or its antiparticle), q and H in the rest frame of a decayed t, `(N, 3)`."""
    top = momenta[:, 1:4].sum(dim=1)
    down, quark, higgs = (boost_to_rest_frame(momenta[:, slot], top)[:, 1:] for slot in (2, 4, 0))
    return down, quark, higgs


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    lengths = (first.square().sum(dim=-1) * second.square().sum(dim=-1)).sqrt()
    return (first * second).sum(dim=-1) / lengths


def _in_system(momenta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return t and the far beam in the rest frame of tH, and the normal of the plane of beams and q, `(N, 3)` each."""
    quark, system = momenta[:, _Q], momenta[:, _H] + momenta[:, _T]
    ahead = rapidity(quark) >= rapidity(system)
    zero, side = torch.zeros_like(quark[:, 3]), torch.where(ahead, 1.0, -1.0).to(quark.dtype)
    beam = torch.stack([zero + 1.0, zero, zero, -side], dim=-1)
    normal = torch.stack([-side * quark[:, 2], side * quark[:, 1], zero], dim=-1)
    return boost_to_rest_frame(momenta[:, _T], system)[:, 1:], boost_to_rest_frame(beam, system)[:, 1:], normal


def _pair_mass(momenta: Tensor, pdg: Tensor) -> Tensor:
    return mass(momenta[:, _H] + momenta[:, _T])


def _rapidities(momenta: Tensor, pdg: Tensor) -> Tensor:
    return (rapidity(momenta[:, _Q]) - rapidity(momenta[:, _T])).abs()


def _top_pt(momenta: Tensor, pdg: Tensor) -> Tensor:
    return transverse_momentum(momenta[:, _T])
