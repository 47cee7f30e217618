"""A trained transfer function: the density p_T(x|z) of accepted events for partons z, kept as a model folder."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem_training.transfer import TransferConfig
from partonic.events.batch import RecoEvents
from partonic.mem.detector_part import DetectorPart
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.network import TransferNetwork
from partonic.mem.transfer.objects import ObjectTable, object_table
from partonic.mem.transfer.sampling import sample_objects

__all__ = ["TransferFunction"]

_ROWS = 2048
"""Sets of partons at a time: their numbers stay in the cache."""


class TransferFunction(DetectorPart[TransferNetwork]):
    """p_T(x|z), per GeV of each pT, per unit of η and per radian, for accepted events. A `TransferDensity`."""

    kind = "transfer function"

    @classmethod
    def _network(cls, sizes: Mapping[str, Any], layout: TransferLayout, training: Mapping[str, Any]) -> TransferNetwork:
        return TransferNetwork(TransferConfig.model_validate(sizes), layout)

    @torch.no_grad()
    def log_density(
        self, x: RecoEvents, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples"]:
        """Return log p_T(x|z) of each event for its own sets of partons, float64; −inf outside the cuts.

        Args:
            x: reconstructed events.
            momenta: partons in the order of the decay channel, laboratory, GeV.
        """
        table = object_table(x, self.layout)
        result = torch.full(momenta.shape[:2], -torch.inf, dtype=torch.float64)
        jets = table.jets.clamp(max=self.layout.jets_max)
        for number in torch.unique(jets[table.inside]).tolist():
            chosen = (table.inside & (jets == number)).nonzero()[:, 0]
            for rows in torch.split(chosen, max(1, _ROWS // momenta.shape[1])):
                part = table.rows(rows, self.layout.missing + 1 + number)
                result[rows] = self._of_rows(part, momenta[rows])
        return result

    @torch.no_grad()
    def sample(self, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator) -> RecoEvents:
        """Draw one accepted event for each set of partons; see `sample_objects` for what p_T leaves open.

        Args:
            momenta: partons in the order of the decay channel, laboratory, GeV; accepted ones, if the events are to be
                distributed like those of a simulation: with ε(z) as their probability.
            generator: of the random numbers.
        """
        pieces = [sample_objects(self.network, part, generator) for part in torch.split(momenta, _ROWS)]
        columns = {name: [getattr(piece, name) for piece in pieces] for name in RecoEvents.__dataclass_fields__}
        return RecoEvents(**{name: torch.cat(parts) for name, parts in columns.items()})

    def _of_rows(self, table: ObjectTable, momenta: Tensor) -> Tensor:
        """Return the densities of events with equal numbers of jets, a few sets of partons at a time."""
        table = table.to(self.device)
        pieces = [
            self.network.log_prob(table, piece.to(self.device)).double().cpu()
            for piece in torch.split(momenta, max(1, _ROWS // len(momenta)), dim=1)
        ]
        return torch.cat(pieces, dim=1) + table.log_jacobian.cpu()[:, None]
