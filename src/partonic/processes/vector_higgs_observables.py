r"""Observables of V H with V → ℓ ℓ': pT(V), m(VH) and three angles.

The angles are those of q q̄ → V H, V → ℓ ℓ' (arXiv:1905.02728): θ* of V about the beam in the rest frame of VH, and
θ₁, φ of the lepton in the rest frame of V, about its direction of flight. φ is the angle from the plane of beam and V
to that of the leptons, with a sign: y' ∝ beam × V. Terms linear in a CP-odd coupling are odd in φ:
∝ sin 2θ* sin 2θ₁ sin φ, sin²θ* sin²θ₁ sin 2φ and, with the chirality of the couplings, sin θ* sin θ₁ sin φ. The beam
that counts is the one along which VH moves in the laboratory: from there the quark came more often than not, valence
being faster than sea.
"""

import math
from typing import TYPE_CHECKING

from partonic.processes.definition import PartonObservable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["decay_angles", "vector_higgs_observables"]


def decay_angles(momenta: "Tensor") -> "tuple[Tensor, Tensor, Tensor]":
    """Return cos θ*, cos θ₁ and φ ∈ (−π, π].

    Args:
        momenta: of H, lepton and its partner in the laboratory, `(N, 3, 4)`, GeV.
    """
    import torch

    from partonic.physics.fourvector import boost_to_rest_frame
    from partonic.physics.phasespace.associated_resonance import flight_axes

    whole = momenta.sum(dim=1)
    at_rest = boost_to_rest_frame(momenta, whole[:, None])
    # a rotation by π about the x axis puts the beam of the quark on +z
    flip = torch.where(whole[:, 3:] < 0.0, -1.0, 1.0)
    at_rest = torch.cat([at_rest[..., :2], at_rest[..., 2:] * flip[:, None]], dim=-1)
    vector = at_rest[:, 1] + at_rest[:, 2]
    direction = torch.nn.functional.normalize(vector[:, 1:], dim=-1)
    lepton = boost_to_rest_frame(at_rest[:, 1], vector)[:, 1:]
    x, y, z = torch.einsum("nia,na->in", flight_axes(direction), torch.nn.functional.normalize(lepton, dim=-1))
    return direction[:, 2], z, torch.atan2(y, x)


def vector_higgs_observables(vector: str, *, decayed: bool) -> tuple[PartonObservable, ...]:
    """Return the observables.

    Args:
        vector: symbol of V, e.g. ``"W"``.
        decayed: whether the slots are H, ℓ, ℓ'; else H and V, which have no angles of the decay.
    """
    from partonic.physics.fourvector import invariant_mass
    from partonic.physics.kinematics import transverse_momentum

    def pt(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return transverse_momentum(momenta[:, 1:].sum(dim=1))

    def system_mass(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return invariant_mass(momenta)

    of_system = (
        PartonObservable("pt_V", rf"$p_\mathrm{{T}}(\mathrm{{{vector}}})$", (30, 0.0, 600.0), pt, "GeV", True),
        PartonObservable("mass_VH", rf"$m(\mathrm{{{vector}H}})$", (30, 200.0, 1400.0), system_mass, "GeV", True),
    )
    return (*of_system, *_angles()) if decayed else of_system


def _angles() -> tuple[PartonObservable, ...]:
    def star(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return decay_angles(momenta)[0]

    def polar(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return decay_angles(momenta)[1]

    def plane(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return decay_angles(momenta)[2]

    return (
        PartonObservable("cos_theta_star", r"$\cos\theta^{*}$", (20, -1.0, 1.0), star),
        PartonObservable("cos_theta_1", r"$\cos\theta_1$", (20, -1.0, 1.0), polar),
        PartonObservable("phi_planes", r"$\phi$", (20, -math.pi, math.pi), plane, "rad"),
    )
