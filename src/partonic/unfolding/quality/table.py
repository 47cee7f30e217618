"""One row of numbers for each event: all that is kept of the samples.

50,000 events with 100 samples each need about 60 MB: ranks are small integers, and of the samples themselves only the
first `KEPT_SAMPLES` are kept, as the momenta that biases and spectra need.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.unfolding.quality.events import EvaluatedEvents
from partonic.unfolding.quality.observables import (
    Variable,
    centre_of_mass,
    kinematics,
    numbers_relative_to,
    physical_values,
    physical_variables,
    system,
    unit_cube_variables,
)
from partonic.unfolding.quality.ranks import rank_of_truth
from partonic.unfolding.quality.regions import density_ranks, distance_ranks, joint_distance_ranks

__all__ = ["KEPT_SAMPLES", "EventTable", "tabulate", "tested_variables"]

KEPT_SAMPLES: Final = 30
"""Samples of each event whose momenta are kept, as many as in CMS-DP-2023-85."""

_LOGIT_MARGIN: Final = 1e-4
"""Unit-cube numbers are moved away from 0 and 1 by this before the logit that the two-sample test sees."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EventTable:
    """Numbers of N events. Kinematics are pT (GeV) and η of H, t_had and t_lep; systems are √ŝ and p_z (GeV).

    Attributes:
        multiplicity: number of jets, `(N,)`.
        log_density: log q of the truth, `(N,)`.
        true_lab, true_cm, regressed_lab, regressed_cm: kinematics in the two frames, `(N, 3, 2)`.
        sampled_cm: of the samples kept, `(N, K, 3, 2)`.
        true_system, regressed_system: `(N, 2)`.
        sampled_system: of the samples kept, `(N, K, 2)`.
        sum_p_z: of the reconstructed objects, `(N,)`.
        ranks: of the truth in each of the V tested variables, `(N, V)`.
        distance_ranks: of its distance to random references in each variable, then in the numbers and in the physical
            variables together, `(N, V + 2)`.
        density_ranks: of its density, `(N,)`.
        condition, true_features, sampled_features: input of the two-sample test, `(N, C)`, `(N, F)`, `(N, F)`.
    """

    multiplicity: NDArray[np.int64]
    log_density: NDArray[np.float64]
    true_lab: Numbers
    true_cm: Numbers
    regressed_lab: Numbers
    regressed_cm: Numbers
    sampled_cm: Numbers
    true_system: Numbers
    regressed_system: Numbers
    sampled_system: Numbers
    sum_p_z: Numbers
    ranks: NDArray[np.int32]
    distance_ranks: NDArray[np.int32]
    density_ranks: NDArray[np.int32]
    condition: Numbers
    true_features: Numbers
    sampled_features: Numbers

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.multiplicity)

    def where(self, mask: NDArray[np.bool_]) -> "EventTable":
        """Return the events for which `mask` `(N,)` is True."""
        return EventTable(**{field.name: getattr(self, field.name)[mask] for field in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence["EventTable"]) -> "EventTable":
        """Return the events of all parts, in order."""
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )


def tested_variables(dimensions: int) -> tuple[Variable, ...]:
    """Return the variables whose posterior is tested: u1 … uD, then the physical ones."""
    return (*unit_cube_variables(dimensions), *physical_variables())


def tabulate(events: EvaluatedEvents, periodic: Sequence[int], generator: torch.Generator) -> EventTable:
    """Return the rows of a batch of events.

    Args:
        events: with S samples each.
        periodic: indices of the unit-cube numbers that are periodic.
        generator: draws the references of the coverage tests, and places among equal values.

    Raises:
        NonFiniteError: if a number is NaN or infinite.
    """
    _check_finite(events)
    true_cm, sampled_cm = centre_of_mass(events.truth.momenta), centre_of_mass(events.samples.momenta[:, :KEPT_SAMPLES])
    truth, samples = _tested_values(events, periodic)
    dimensions = events.truth.numbers.shape[-1]
    variables = tested_variables(dimensions)
    joint = [
        joint_distance_ranks(truth[..., part], samples[..., part], variables[part], generator)
        for part in (slice(None, dimensions), slice(dimensions, None))
    ]
    single = distance_ranks(truth, samples, variables, generator)
    return EventTable(
        multiplicity=events.multiplicity.numpy().astype(np.int64),
        log_density=events.truth.log_density.double().numpy(),
        true_lab=_pt_eta(events.truth.momenta),
        true_cm=_pt_eta(true_cm),
        regressed_lab=_pt_eta(events.regressed),
        regressed_cm=_pt_eta(centre_of_mass(events.regressed, events.regressed_p_z)),
        sampled_cm=_pt_eta(sampled_cm),
        true_system=_system(events.truth.momenta),
        regressed_system=_system(events.regressed, events.regressed_p_z),
        sampled_system=_system(events.samples.momenta[:, :KEPT_SAMPLES]),
        sum_p_z=_numbers(events.sum_p_z),
        ranks=_ranks(rank_of_truth(truth, samples, generator)),
        distance_ranks=_ranks(torch.cat([single, torch.stack(joint, dim=1)], dim=1)),
        density_ranks=_ranks(density_ranks(events.truth.log_density, events.samples.log_density, generator)),
        condition=_numbers(_condition(events)),
        true_features=_numbers(_features(truth, events)),
        sampled_features=_numbers(_features(samples[:, 0], events)),
    )


def _tested_values(events: EvaluatedEvents, periodic: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the tested variables of truth and samples, `(N, V)` and `(N, S, V)`."""
    azimuth = kinematics(events.regressed)[..., 2]
    truth, samples = (
        torch.cat(
            [
                numbers_relative_to(partons.numbers.double(), events.regressed_numbers.double(), periodic),
                physical_values(partons.momenta.double(), azimuth.double()),
            ],
            dim=-1,
        )
        for partons in (events.truth, events.samples)
    )
    return truth, samples


def _features(values: Tensor, events: EvaluatedEvents) -> Tensor:
    """Return the tested variables as the classifier sees them: numbers as logits, the others relative to regression.

    Relative to the regression the posterior is narrow and much the same in every event: easiest to judge.
    """
    dimensions = events.truth.numbers.shape[-1]
    logits = torch.logit(values[:, :dimensions].clamp(_LOGIT_MARGIN, 1.0 - _LOGIT_MARGIN))
    azimuth = kinematics(events.regressed)[..., 2]
    reference = physical_values(events.regressed.double(), azimuth.double())
    return torch.cat([logits, values[:, dimensions:] - reference], dim=1)


def _condition(events: EvaluatedEvents) -> Tensor:
    lab = kinematics(events.regressed)
    columns = [torch.log1p(lab[..., 0]), lab[..., 1], events.regressed_p_z[:, None]]
    return torch.cat([events.summary.double(), *(column.double() for column in columns)], dim=1)


def _check_finite(events: EvaluatedEvents) -> None:
    tensors: dict[str, Float[Tensor, "..."]] = {
        "regressed momenta": events.regressed,
        "regressed p_z": events.regressed_p_z,
        "true momenta": events.truth.momenta,
        "log q of the truth": events.truth.log_density,
        "sampled momenta": events.samples.momenta,
        "log q of the samples": events.samples.log_density,
    }
    for name, tensor in tensors.items():
        bad = ~torch.isfinite(tensor).reshape(len(events), -1).all(dim=1)
        if bool(bad.any()):
            raise NonFiniteError(
                f"{name}: {int(bad.sum())} of {len(events)} events have numbers that are NaN or infinite, the first at "
                f"row {int(bad.nonzero()[0])} of the batch. Leave out events that the model cannot use before this"
            )


def _pt_eta(momenta: Tensor) -> Numbers:
    return _numbers(kinematics(momenta)[..., :2])


def _system(momenta: Tensor, p_z: Tensor | None = None) -> Numbers:
    energy, longitudinal = system(momenta)
    return _numbers(torch.stack([energy, longitudinal if p_z is None else p_z.to(energy.dtype)], dim=-1))


def _numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().cpu().numpy().astype(np.float32)


def _ranks(tensor: Tensor) -> NDArray[np.int32]:
    return tensor.cpu().numpy().astype(np.int32)
