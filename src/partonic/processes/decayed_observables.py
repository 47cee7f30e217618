"""Observables of what is produced, for events that list the products of its tops instead."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_to_rest_frame
from partonic.physics.kinematics import delta_phi
from partonic.processes.definition import PartonObservable

__all__ = ["of_produced", "pair_spin_angles", "produced_momenta"]


def of_produced(observables: Sequence[PartonObservable], tops: tuple[int, ...]) -> tuple[PartonObservable, ...]:
    """Return the observables for events in which three products stand in place of each top.

    Args:
        observables: functions of the momenta with tops, which need no PDG ids.
        tops: places of the tops among the particles that are produced.
    """

    def summed(of: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda momenta, pdg: of(produced_momenta(momenta, tops), pdg)

    return tuple(replace(one, of=summed(one.of)) for one in observables)


def produced_momenta(
    momenta: Float[Tensor, "events particles 4"], tops: tuple[int, ...]
) -> Float[Tensor, "events produced 4"]:
    """Return momenta with the sum of its products in place of each decayed top."""
    produced = momenta.shape[1] - 2 * len(tops)
    parts = torch.split(momenta, [3 if slot in tops else 1 for slot in range(produced)], dim=1)
    return torch.stack([part.sum(dim=1) for part in parts], dim=1)


def pair_spin_angles(
    momenta: Float[Tensor, "events 7 4"],
) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"], Float[Tensor, " events"]]:
    """Return cos θ₊, cos θ₋ and φ₊ − φ₋ of the leptons or down-type quarks of H, b, f, f̄', b̄, f, f̄'.

    Each in the rest frame of its top, reached through that of the pair, with z along the flight of t in the latter and
    the azimuth counted from the plane of z and H.
    """
    tops = momenta[:, 1:4].sum(dim=1), momenta[:, 4:7].sum(dim=1)
    pair = tops[0] + tops[1]
    higgs, *in_pair = (boost_to_rest_frame(part, pair) for part in (momenta[:, 0], *tops))
    z = in_pair[0][:, 1:] / in_pair[0][:, 1:].norm(dim=1, keepdim=True)
    y = torch.linalg.cross(z, higgs[:, 1:], dim=1)
    y = y / y.norm(dim=1, keepdim=True)
    x = torch.linalg.cross(y, z, dim=1)
    cosines, azimuths = [], []
    for slot, top in zip((2, 5), in_pair, strict=True):
        three = boost_to_rest_frame(boost_to_rest_frame(momenta[:, slot], pair), top)[:, 1:]
        cosines.append((three * z).sum(dim=1) / three.norm(dim=1))
        azimuths.append(torch.atan2((three * y).sum(dim=1), (three * x).sum(dim=1)))
    return cosines[0], -cosines[1], delta_phi(azimuths[0], azimuths[1])
