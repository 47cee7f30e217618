"""Observables of the leptons of W±Z that show the operators: hard tails, and azimuths of decay planes."""

import math

import torch
from torch import Tensor

from partonic.physics.fourvector import boost_to_rest_frame, mass
from partonic.physics.helicity_angles import helicity_angles
from partonic.physics.kinematics import transverse_momentum
from partonic.processes.definition import PartonObservable

__all__ = ["transverse_mass", "wz_observables"]


def transverse_mass(momenta: Tensor) -> Tensor:
    """Return m_T(WZ) = √((Σ E_T)² − (Σ p⃗_T)²) of the three leptons and the neutrino, `(N,)`, GeV (arXiv:2410.07315)."""
    transverse = momenta[..., 1:3]
    sizes = transverse.norm(dim=-1).sum(dim=-1)
    square: Tensor = sizes.square() - transverse.sum(dim=-2).square().sum(dim=-1)
    return square.clamp(min=0.0).sqrt()


def wz_observables(*, decayed: bool = True) -> tuple[PartonObservable, ...]:
    """Return pT and mass of the Z, m(WZ), m_T(WZ), and azimuth and polar angle of the leptons in their rest frames.

    Args:
        decayed: whether the partons are ℓ_W, ν, ℓ⁻, ℓ⁺; else they are W and Z, with pT(Z), m(WZ), cos θ(Z).
    """
    if not decayed:
        return (
            PartonObservable(
                "pt_Z", r"$p_\mathrm{T}(\mathrm{Z})$", (25, 0.0, 800.0), _pt_of_second, "GeV", logarithmic=True,
            ),
            PartonObservable("mass_WZ", r"$m(\mathrm{WZ})$", (30, 150.0, 2150.0), _mass_wz, "GeV", logarithmic=True),
            PartonObservable("cos_theta_WZ", r"$\cos\theta^*(\mathrm{Z})$", (20, -1.0, 1.0), _cos_scattering),
        )  # fmt: skip
    return (
        PartonObservable("pt_Z", r"$p_\mathrm{T}(\mathrm{Z})$", (25, 0.0, 800.0), _pt_z, "GeV", logarithmic=True),
        PartonObservable("mass_Z", r"$m(\ell^-\ell^+)$", (25, 66.0, 116.0), _mass_z, "GeV", logarithmic=True),
        PartonObservable("mass_WZ", r"$m(\mathrm{WZ})$", (30, 150.0, 2150.0), _mass_wz, "GeV", logarithmic=True),
        PartonObservable(
            "transverse_mass_WZ", r"$m_\mathrm{T}(\mathrm{WZ})$", (30, 0.0, 2000.0), lambda p, _: transverse_mass(p),
            "GeV", logarithmic=True,
        ),
        PartonObservable("cos_theta_W", r"$\cos\theta^*(\ell_\mathrm{W})$", (20, -1.0, 1.0), _cos_w),
        PartonObservable("cos_theta_Z", r"$\cos\theta^*(\ell^-)$", (20, -1.0, 1.0), _cos_z),
        PartonObservable("phi_W", r"$\phi^*(\ell_\mathrm{W})$", (20, -math.pi, math.pi), _phi_w, "rad"),
        PartonObservable("phi_Z", r"$\phi^*(\ell^-)$", (20, -math.pi, math.pi), _phi_z, "rad"),
    )  # fmt: skip


def _pt_z(momenta: Tensor, pdg: Tensor) -> Tensor:
    return transverse_momentum(momenta[:, 2] + momenta[:, 3])


def _mass_z(momenta: Tensor, pdg: Tensor) -> Tensor:
    return mass(momenta[:, 2] + momenta[:, 3])


def _mass_wz(momenta: Tensor, pdg: Tensor) -> Tensor:
    return mass(momenta.sum(dim=1))


def _pt_of_second(momenta: Tensor, pdg: Tensor) -> Tensor:
    return transverse_momentum(momenta[:, 1])


def _cos_scattering(momenta: Tensor, pdg: Tensor) -> Tensor:
    """Return cos θ of the Z in the frame of the pair about the beam, in the direction in which the pair moves."""
    total = momenta.sum(dim=1)
    direction = torch.nn.functional.normalize(boost_to_rest_frame(momenta[:, 1], total)[:, 1:], dim=1)
    return torch.where(total[:, 3] >= 0, direction[:, 2], -direction[:, 2])


def _cos_w(momenta: Tensor, pdg: Tensor) -> Tensor:
    return helicity_angles(momenta, 0, (0, 1))[0]


def _cos_z(momenta: Tensor, pdg: Tensor) -> Tensor:
    return helicity_angles(momenta, 2, (2, 3))[0]


def _phi_w(momenta: Tensor, pdg: Tensor) -> Tensor:
    return helicity_angles(momenta, 0, (0, 1))[1]


def _phi_z(momenta: Tensor, pdg: Tensor) -> Tensor:
    return helicity_angles(momenta, 2, (2, 3))[1]
