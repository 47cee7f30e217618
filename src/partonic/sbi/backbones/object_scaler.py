"""Objects as the networks take them: momenta in a common unit, their other numbers standardised kind by kind."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.errors import NonFiniteError, TrainingError
from partonic.features.event_objects import KINDS, ObjectSlots
from partonic.nn.scaling import MaskedStandardiser
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.sbi.backbones.layout import NUMBERS, joined

__all__ = ["ObjectScaler"]

_UNSCALED = tuple(NUMBERS.index(name) for name in ("cos_phi", "sin_phi", "btag", "tagged", "charge", "is_muon"))


class ObjectScaler(nn.Module):
    """What is known of the objects of the training events.

    The momentum unit is their mean pT, unless it is given: products of two momenta are then of order 1, as attention
    needs them, for soft leptons and hard jets alike, and a Lorentz-covariant network may know one scale only.

    Attributes:
        unit: GeV.
    """

    unit: Tensor

    def __init__(self, slots: ObjectSlots) -> None:
        super().__init__()
        self.slots = slots
        self.register_buffer("unit", torch.ones((), dtype=torch.float64))
        self.kinds = nn.ModuleDict(
            {KINDS[kind]: MaskedStandardiser(len(NUMBERS), _UNSCALED) for kind, _ in slots.kinds()}
        )

    def fit(self, objects: Float[Tensor, "events slots 9"], unit: float | None = None) -> None:
        """Take the scales from training events.

        Args:
            objects: `partonic.features.event_objects.OBJECT_NUMBERS`.
            unit: of the momenta, GeV; None for the mean pT.

        Raises:
            NonFiniteError: if a number of an object is not finite.
            TrainingError: if no event has any object.
        """
        if not bool(torch.isfinite(objects).all()):
            bad = int((~torch.isfinite(objects)).flatten(1).any(dim=1).sum())
            raise NonFiniteError(f"{bad} events have objects with numbers that are not finite: leave them out")
        real = objects[..., 0] > 0.0
        if not bool(real.any()):
            message = "no event of the training has a reconstructed object: use `sbi.network.backbone: mlp`"
            raise TrainingError(message)
        self.unit.fill_(float(objects[..., 1][real].double().mean()) if unit is None else unit)
        numbers = _numbers(objects)
        for kind, place in self.slots.kinds():
            if bool(real[:, place].any()):
                self._of(kind).fit(numbers[:, place], real[:, place])

    def forward(
        self, named: Float[Tensor, "events named"], objects: Float[Tensor, "events slots 9"]
    ) -> Float[Tensor, "events width"]:
        """Return the rows (`partonic.sbi.backbones.layout`) of named features that are standardised, and objects."""
        real = objects[..., 0] > 0.0
        numbers = _numbers(objects)
        scaled = [self._of(kind)(numbers[:, place], real[:, place]) for kind, place in self.slots.kinds()]
        momenta = from_pt_eta_phi_m(objects[..., 1:5].double()) / self.unit
        momenta = torch.where(real[..., None], momenta, 0.0).float()
        return joined(named, real, momenta, torch.cat(scaled, dim=1))

    def _of(self, kind: int) -> MaskedStandardiser:
        found = self.kinds[KINDS[kind]]
        if not isinstance(found, MaskedStandardiser):
            raise TypeError(f"the scales of a kind are a MaskedStandardiser, not {found!r}")
        return found


def _numbers(objects: Float[Tensor, "events slots 9"]) -> Float[Tensor, "events slots 9"]:
    """Return `NUMBERS` before they are standardised: pT and mass as log(1 + GeV)."""
    _, pt, eta, phi, mass, *rest = objects.unbind(dim=-1)
    columns = [torch.log1p(pt), eta, torch.cos(phi), torch.sin(phi), torch.log1p(mass.clamp(min=0.0)), *rest]
    return torch.stack(columns, dim=-1)
