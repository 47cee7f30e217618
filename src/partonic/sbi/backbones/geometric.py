"""L-GATr and L-GATr-slim as trunks: transformers that are equivariant under Lorentz transformations.

J. Brehmer et al., arXiv:2405.14806 and 2411.00446, with the package `lgatr`. Momenta are vectors of the geometric
algebra, everything else scalars; what is taken out are the scalars of the token of the event, which are invariant. Full
multivectors are told of the beam by the plane across it, a bivector; the slim network, which has vectors alone, by
transverse momenta (`partonic.sbi.backbones.references`).
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.sbi.backbones import LgatrConfig
from partonic.errors import DependencyError
from partonic.sbi.backbones.layout import ObjectInputs
from partonic.sbi.backbones.references import CovariantView

__all__ = ["GeometricTransformer", "SlimTransformer"]

_PLANE = 8
"""Place of the x–y plane among the components of a multivector of `lgatr`."""


class SlimTransformer(nn.Module):
    """L-GATr-slim: vectors and scalars."""

    def __init__(self, named: int, config: LgatrConfig) -> None:
        """Create the network.

        Args:
            named: number of named features that the token of the event is given; 0 for none.
            config: sizes and references.

        Raises:
            DependencyError: if `lgatr` is not installed.
        """
        super().__init__()
        self.width, self.view = config.scalars, CovariantView(named, config.references)
        self.network = _lgatr().LGATrSlim(
            num_blocks=config.blocks, num_heads=config.heads,
            in_v_channels=self.view.vectors, hidden_v_channels=config.vectors, out_v_channels=0,
            in_s_channels=self.view.scalars, hidden_s_channels=config.scalars, out_s_channels=config.scalars,
        )  # fmt: skip

    def forward(self, inputs: ObjectInputs) -> Float[Tensor, "events width"]:
        """Return the scalars of the token of the event."""
        tokens = self.view(inputs)
        scalars: Tensor = self.network(tokens.vectors, tokens.scalars, attn_mask=tokens.mask())[1]
        return scalars[:, 0]


class GeometricTransformer(nn.Module):
    """L-GATr: multivectors of 16 components, and scalars."""

    def __init__(self, named: int, config: LgatrConfig) -> None:
        """Create the network; see `SlimTransformer`.

        Raises:
            DependencyError: if `lgatr` is not installed.
        """
        super().__init__()
        lgatr = _lgatr()
        self.width, self.view = config.scalars, CovariantView(named, config.references, plane=True)
        self.plane, self.embed = "beam" in config.references, lgatr.embed_vector
        self.network = lgatr.LGATr(
            num_blocks=config.blocks,
            in_mv_channels=self.view.vectors + int(self.plane), hidden_mv_channels=config.vectors, out_mv_channels=1,
            in_s_channels=self.view.scalars, hidden_s_channels=config.scalars, out_s_channels=config.scalars,
            attention={"num_heads": config.heads}, mlp={"mlp_ratio": 2},
        )  # fmt: skip

    def forward(self, inputs: ObjectInputs) -> Float[Tensor, "events width"]:
        """Return the scalars of the token of the event."""
        tokens = self.view(inputs)
        multivectors: Tensor = self.embed(tokens.vectors)
        if self.plane:
            plane = torch.zeros_like(multivectors[:, :, :1])
            plane[..., _PLANE] = 1.0
            multivectors = torch.cat([multivectors, plane], dim=2)
        scalars: Tensor = self.network(multivectors, tokens.scalars, attn_mask=tokens.mask())[1]
        return scalars[:, 0]


def _lgatr() -> Any:
    try:
        import lgatr
    except ImportError as error:
        raise DependencyError(
            f"the backbones lgatr and lgatr_slim need the package lgatr: pip install 'partonic[sbi]' ({error})"
        ) from error
    return lgatr
