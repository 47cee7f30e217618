"""Networks over objects as one backbone: a trunk for each member, and small networks of what it saw for each output.

The trunk sees the event x alone; θ enters the small networks. The ratio of densities is Σ_a m_a(θ) R_a(x)/σ(θ), so that
A numbers of x are enough for every θ, and the costly part is computed once for all θ. Networks of different derivatives
or basis points share the trunk of their member; members share nothing.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.sbi.backbones.layout import InputLayout, ObjectInputs
from partonic.sbi.ensemble_mlp import EnsembleMLP

__all__ = ["ObjectBackbone", "Trunk"]


class Trunk(Protocol):
    """What sees the objects of an event: an `nn.Module`."""

    @property
    def width(self) -> int:
        """Numbers that it gives."""

    def __call__(self, inputs: ObjectInputs) -> Float[Tensor, "events width"]:
        """Return what it saw of each event."""


class ObjectBackbone(nn.Module):
    """G networks; network g has trunk ⌊g T/G⌋ of the T trunks.

    Attributes:
        networks: number G.
        layout: of the inputs.
    """

    def __init__(
        self, layout: InputLayout, trunks: Sequence[nn.Module], width: int, hidden: Sequence[int], networks: int,
        parameters: int = 0, named: bool = True,
    ) -> None:  # fmt: skip
        """Take the trunks.

        Args:
            layout: of the inputs.
            trunks: T of them, one for each member or network; each a `Trunk`.
            width: numbers that a trunk gives.
            hidden: units of the layers of the small networks.
            networks: number G of networks, a multiple of T.
            parameters: number of parameters θ that the small networks are given; 0 for none.
            named: whether the small networks get the named features, too.
        """
        super().__init__()
        self.layout, self.networks, self.named = layout, networks, named
        self.trunks = nn.ModuleList(trunks)
        self.heads = EnsembleMLP(width + (layout.named if named else 0) + parameters, hidden, networks)

    def encode(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "trunks events seen"]:
        """Return what each trunk saw, and the named features."""
        parts = self.layout.split(inputs)
        seen = torch.stack([trunk(parts) for trunk in self.trunks])
        return torch.cat([seen, parts.named.expand(len(seen), -1, -1)], dim=-1) if self.named else seen

    def decide(
        self,
        seen: Float[Tensor, "trunks events seen"],
        theta: Float[Tensor, "networks events parameters"] | None = None,
    ) -> Float[Tensor, "networks events"]:
        """Return the output of every network, from what `encode` returned and θ."""
        outputs: Tensor = self.heads(self._of_networks(seen), theta)
        return outputs

    @property
    def last_width(self) -> int:
        """Number U of last hidden units of a network, with the constant."""
        return self.heads.last_width

    def last_units(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "networks events units"]:
        """Return the last hidden units of every small network and 1, in which the outputs are linear."""
        return self.heads.last_units(self._of_networks(self.encode(inputs)))

    def _of_networks(self, seen: Float[Tensor, "trunks events seen"]) -> Float[Tensor, "networks events seen"]:
        return seen.repeat_interleave(self.networks // len(seen), dim=0)

    def forward(
        self, inputs: Float[Tensor, "events inputs"], theta: Float[Tensor, "networks events parameters"] | None = None
    ) -> Float[Tensor, "networks events"]:
        """Return the output of every network for every event, at the θ of each where the networks take it."""
        return self.decide(self.encode(inputs), theta)
