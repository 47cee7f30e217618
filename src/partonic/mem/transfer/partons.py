"""What the networks of the transfer function and the acceptance see of partons, and of objects relative to partons.

Partons are turned into the frame of the event, like the objects. Relative to an object o, a parton p shows

    ln(2 p·o/m²)   1 for a decay p → o + massless,   Δη, cos Δφ, sin Δφ, ln(pT_o/pT_p), and what is left, p − o.

An H of which one b jet is known thus tells where the other one is.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["global_features", "global_size", "pair_features", "pair_size", "symmetric_features", "turned", "turned_to"]

_SMALLEST_PT = 1e-3
_SCALE = 100.0
_LIMIT = 6.0


def turned(
    momenta: Float[Tensor, "*batch partons 4"], azimuth: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch partons 4"]:
    """Return momenta turned about the beam so that `azimuth` becomes 0."""
    cosine, sine = torch.cos(azimuth)[..., None], torch.sin(azimuth)[..., None]
    energy, px, py, pz = momenta.unbind(dim=-1)
    return torch.stack([energy, cosine * px + sine * py, cosine * py - sine * px, pz], dim=-1)


def turned_to(
    momenta: Float[Tensor, "*batch partons 4"], reference: int
) -> tuple[Float[Tensor, "*batch partons 4"], Float[Tensor, "*batch"]]:
    """Return momenta turned about the beam so that one parton has φ = 0, and its azimuth before.

    Its py is exactly 0: what rounding would leave of it, a network that standardises its inputs takes for information.
    """
    energy, px, py, pz = momenta[..., reference, :].unbind(dim=-1)
    azimuth = torch.atan2(py, px)
    exact = torch.stack([energy, (px.square() + py.square()).sqrt(), torch.zeros_like(py), pz], dim=-1)[..., None, :]
    others = turned(momenta, azimuth)
    return torch.cat([others[..., :reference, :], exact, others[..., reference + 1 :, :]], dim=-2), azimuth


def global_size(partons: int) -> int:
    """Return the number of `global_features`."""
    return 7 * partons + partons * (partons - 1) // 2 + 4


def global_features(momenta: Float[Tensor, "*batch partons 4"]) -> Float[Tensor, "*batch features"]:
    """Return features of the partons alone: momenta, directions, invariant masses of pairs, and the sum of all."""
    energy, px, py, pz = momenta.unbind(dim=-1)
    pt = _pt(px, py)
    single = [torch.log(pt / _SCALE), torch.asinh(pz / pt), px / pt, py / pt, torch.log(energy / _SCALE)]
    single += [torch.asinh(px / _SCALE), torch.asinh(py / _SCALE)]
    count = momenta.shape[-2]
    masses = [
        _log_mass(momenta[..., i, :] + momenta[..., j, :])[..., None] for i in range(count) for j in range(i + 1, count)
    ]
    total = momenta.sum(dim=-2)
    whole = [
        _log_mass(total),
        torch.asinh(total[..., 3] / _SCALE),
        torch.log(total[..., 0] / _SCALE) - 2.0,
        torch.log(pt.sum(dim=-1) / _SCALE),
    ]
    return torch.cat([*single, *masses, torch.stack(whole, dim=-1)], dim=-1)


def symmetric_features(momenta: Float[Tensor, "*batch partons 4"], reference: int) -> Float[Tensor, "*batch features"]:
    """Return `global_features` with the symmetries of the collision: `reference` at φ = 0, and the whole forward.

    Neither a rotation about the beam nor one by π across it, which exchanges the beams, changes them.
    """
    in_frame, _ = turned_to(momenta, reference)
    backward = in_frame[..., 3].sum(dim=-1) < 0.0
    sign = torch.where(backward, -1.0, 1.0).to(in_frame)[..., None, None]
    mirrored = torch.cat([in_frame[..., :2], in_frame[..., 2:] * sign], dim=-1)
    return global_features(mirrored.float())


def pair_size(partons: int) -> int:
    """Return the number of `pair_features`."""
    return 9 * partons


def pair_features(
    momenta: Float[Tensor, "*batch partons 4"], objects: Float[Tensor, "*batch objects 4"]
) -> Float[Tensor, "*batch objects features"]:
    """Return features of each object relative to each parton.

    Args:
        momenta: partons in the frame of the event, GeV.
        objects: massless objects in the same frame.
    """
    p, o = momenta[..., None, :, :], objects[..., :, None, :]
    pe, px, py, pz = p.unbind(dim=-1)
    oe, ox, oy, oz = o.unbind(dim=-1)
    pt_p, pt_o = _pt(px, py), _pt(ox, oy)
    mass2 = (pe.square() - px.square() - py.square() - pz.square()).clamp(min=1.0)
    product = (pe * oe - px * ox - py * oy - pz * oz).clamp(min=1e-3)
    features = torch.stack(
        [
            torch.log(2.0 * product / mass2).clamp(-_LIMIT, _LIMIT),
            torch.asinh(oz / pt_o) - torch.asinh(pz / pt_p),
            (px * ox + py * oy) / (pt_p * pt_o),
            (px * oy - py * ox) / (pt_p * pt_o),
            torch.log(pt_o / pt_p).clamp(-_LIMIT, _LIMIT),
            torch.asinh((px - ox) / _SCALE),
            torch.asinh((py - oy) / _SCALE),
            torch.asinh((pz - oz) / _SCALE),
            torch.asinh((pe - oe) / _SCALE),
        ],
        dim=-1,
    )
    return features.flatten(-2)


def _pt(px: Tensor, py: Tensor) -> Tensor:
    return (px.square() + py.square()).sqrt().clamp(min=_SMALLEST_PT)


def _log_mass(total: Tensor) -> Tensor:
    """Return the logarithm of the mass in units of 400 GeV."""
    energy, px, py, pz = total.unbind(dim=-1)
    square = (energy - pz) * (energy + pz) - px.square() - py.square()
    return 0.5 * torch.log(square.clamp(min=1.0)) - math.log(4.0 * _SCALE)
