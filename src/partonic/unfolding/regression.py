"""Losses of the regressed partons: how far each is from the truth, and how far their distribution is.

An event is a vector of standardised numbers: log(1 + pT), η and φ of H, t_had, t_lep, arsinh of the longitudinal
momentum of the whole and, in the view ``with_isr``, of the three momentum components of the radiation: 13 numbers
(CMS-DP-2023-85), 10 without radiation. The Huber loss draws each event to its truth and, alone, shrinks the
distribution towards its middle; the maximum mean discrepancy of every object and of the whole vector keeps the
distribution that of the truth. Azimuths are compared around the circle in both.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.losses.huber import huber
from partonic.nn.losses.mmd import mmd
from partonic.physics.kinematics import azimuth, pseudorapidity, transverse_momentum

__all__ = ["RegressionLosses", "TargetScales", "regression_losses"]

_AZIMUTHS = (2, 5, 8)
_AZIMUTH_SCALE = math.pi / math.sqrt(3.0)
"""Standard deviation of a uniform azimuth: azimuths are never shifted, and this is their scale."""

_PERIOD = 2.0 * math.pi / _AZIMUTH_SCALE

_SOFT = 30.0
"""Momentum, GeV, at which arsinh(p/p₀) turns from linear to logarithmic."""

_LARGEST_ETA = 7.0
"""Bound of regressed pseudorapidities, far in the tail of massive partons at the LHC."""

_OBJECTS: Mapping[str, slice] = {
    "H": slice(0, 3),
    "t_had": slice(3, 6),
    "t_lep": slice(6, 9),
    "boost": slice(9, 10),
    "radiation": slice(10, 13),
}


class TargetScales(nn.Module):
    """Standardise true and regressed partons with the mean and standard deviation of the truth."""

    mean: Tensor
    scale: Tensor

    def __init__(self, radiation: bool, largest_momentum: float) -> None:
        """Create scales that change nothing until they are fitted.

        Args:
            radiation: whether the view has a radiated parton.
            largest_momentum: bound of regressed momenta, GeV.
        """
        super().__init__()
        self.radiation = radiation
        self.largest_momentum = largest_momentum
        numbers = 13 if radiation else 10
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("scale", torch.ones(numbers))

    def fit(
        self,
        particles: Float[Tensor, "events 3 3"],
        p_z: Float[Tensor, " events"],
        radiation: Float[Tensor, "events 3"],
    ) -> None:
        """Set the scales from the truth of training events; the arguments are those of `standardise`."""
        numbers = self._unscaled(particles.double(), p_z.double(), radiation.double())
        self.mean.copy_(numbers.mean(dim=0))
        self.scale.copy_(numbers.std(dim=0, correction=0).clamp(min=1e-6))
        self.mean[list(_AZIMUTHS)] = 0.0
        self.scale[list(_AZIMUTHS)] = _AZIMUTH_SCALE

    def standardise(
        self,
        particles: Float[Tensor, "events 3 3"],
        p_z: Float[Tensor, " events"],
        radiation: Float[Tensor, "events 3"],
    ) -> Float[Tensor, "events numbers"]:
        """Return the vector of each event that the losses compare.

        Args:
            particles: pT (GeV), η, φ of H, t_had, t_lep.
            p_z: longitudinal momentum of the whole, GeV.
            radiation: momentum of the radiated parton, GeV; not looked at in a view without.
        """
        return ((self._unscaled(particles, p_z, radiation) - self.mean) / self.scale).to(self.mean.dtype)

    def standardise_momenta(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, "events numbers"]:
        """Return the same vector for four-vectors of all partons of the view, GeV; differentiable."""
        first = momenta[:, :3]
        particles = torch.stack([transverse_momentum(first), pseudorapidity(first), azimuth(first)], dim=-1)
        return self.standardise(particles, momenta[..., 3].sum(dim=1), momenta[:, -1, 1:])

    def particles(self, outputs: Float[Tensor, "events 3 4"]) -> Float[Tensor, "events 3 3"]:
        """Return pT, η, φ of network outputs: standardised log(1 + pT) and η, and (cos φ, sin φ) of any length."""
        mean, scale = self.mean[:9].view(3, 3), self.scale[:9].view(3, 3)
        log_pt = outputs[..., 0] * scale[:, 0] + mean[:, 0]
        eta = outputs[..., 1] * scale[:, 1] + mean[:, 1]
        return torch.stack(
            [
                torch.expm1(log_pt.clamp(min=0.05, max=math.log1p(self.largest_momentum))),
                eta.clamp(min=-_LARGEST_ETA, max=_LARGEST_ETA),
                _angle(outputs[..., 2], outputs[..., 3]),
            ],
            dim=-1,
        )

    def boost(self, outputs: Float[Tensor, " events"]) -> Float[Tensor, " events"]:
        """Return p_z of a network output, its standardised arsinh."""
        bound = math.asinh(self.largest_momentum / _SOFT)
        return _SOFT * torch.sinh((outputs * self.scale[9] + self.mean[9]).clamp(min=-bound, max=bound))

    def _unscaled(self, particles: Tensor, p_z: Tensor, radiation: Tensor) -> Tensor:
        kinematics = torch.cat([torch.log1p(particles[..., :1]), particles[..., 1:]], dim=-1).flatten(1)
        boost = torch.asinh(p_z[:, None] / _SOFT)
        parts = [kinematics, boost, torch.asinh(radiation / _SOFT)] if self.radiation else [kinematics, boost]
        return torch.cat(parts, dim=-1)


@dataclass(frozen=True)
class RegressionLosses:
    """Losses of a batch, each computed when it is asked for.

    Attributes:
        predicted: standardised partons of each event.
        true: standardised truth.
        group: events among which the discrepancy is estimated, see `partonic.nn.losses.mmd.mmd`; None for all.
    """

    predicted: Float[Tensor, "events numbers"]
    true: Float[Tensor, "events numbers"]
    group: int | None

    @cached_property
    def huber(self) -> Float[Tensor, ""]:
        """Mean over objects of the Huber loss per number."""
        return torch.stack(list(self.hubers.values())).mean()

    @cached_property
    def mmd(self) -> Float[Tensor, ""]:
        """Mean of the squared maximum mean discrepancies of every object and of the joint vector."""
        return torch.stack(list(self.mmds.values())).mean()

    @cached_property
    def hubers(self) -> Mapping[str, Float[Tensor, ""]]:
        """Huber loss per number of every object, e.g. ``huber_H``."""
        period = self.predicted.new_full(self.predicted.shape[1:], math.inf)
        period[list(_AZIMUTHS)] = _PERIOD
        distances = huber(self.predicted, self.true, period=period)
        return {f"huber_{name}": distances[:, columns].mean() for name, columns in _objects(distances).items()}

    @cached_property
    def mmds(self) -> Mapping[str, Float[Tensor, ""]]:
        """Squared discrepancy of every object, e.g. ``mmd_H``, and ``mmd_joint`` of the whole vector."""
        ours, theirs = _on_circles(self.predicted), _on_circles(self.true)
        pairs = {name: (ours[name], theirs[name]) for name in ours}
        pairs["joint"] = torch.cat(list(ours.values()), dim=1), torch.cat(list(theirs.values()), dim=1)
        return {f"mmd_{name}": mmd(*pair, group=self.group) for name, pair in pairs.items()}

    @property
    def parts(self) -> Mapping[str, Float[Tensor, ""]]:
        """Every term by name."""
        return {**self.hubers, **self.mmds}


def regression_losses(
    predicted: Float[Tensor, "events numbers"],
    true: Float[Tensor, "events numbers"],
    group: int | None = 256,
) -> RegressionLosses:
    """Return the losses of regressed, or sampled, partons; vectors are those of `TargetScales.standardise`.

    Args:
        predicted: standardised partons of each event.
        true: standardised truth.
        group: events among which the discrepancy is estimated; None for the whole batch.
    """
    return RegressionLosses(predicted, true, group)


def _objects(numbers: Tensor) -> dict[str, slice]:
    """Return the columns of every object that the vector has."""
    return {name: columns for name, columns in _OBJECTS.items() if columns.start < numbers.shape[1]}


def _on_circles(numbers: Tensor) -> dict[str, Tensor]:
    """Return the numbers of each object, with azimuths as points on the unit circle, whose variance is 1 too."""
    objects = {name: numbers[:, columns] for name, columns in _objects(numbers).items()}
    for name in ("H", "t_had", "t_lep"):
        phi = objects[name][:, 2:] * _AZIMUTH_SCALE
        objects[name] = torch.cat([objects[name][:, :2], torch.cos(phi), torch.sin(phi)], dim=1)
    return objects


def _angle(cosine: Tensor, sine: Tensor) -> Tensor:
    """Return the azimuth of a vector; where it vanishes, 0 with a finite gradient."""
    vanishes = (cosine == 0.0) & (sine == 0.0)
    return torch.atan2(sine, torch.where(vanishes, torch.ones_like(cosine), cosine))
