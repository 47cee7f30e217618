"""LLoCa as a trunk: a transformer in which each object looks at the others from a frame of its own.

J. Spinner et al., arXiv:2505.20280, with the package `lloca`. A small network predicts three vectors for each object,
equivariantly, and from them a Lorentz frame; in it all numbers of the object are invariant. Messages between objects
turn from frame to frame.
"""

import warnings
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from partonic.config.sbi.backbones import LlocaConfig
from partonic.errors import DependencyError
from partonic.sbi.backbones.layout import ObjectInputs
from partonic.sbi.backbones.references import CovariantTokens, CovariantView

__all__ = ["LocalFrames"]


class LocalFrames(nn.Module):
    """A LLoCa transformer; its token of the event has the momentum of the whole event."""

    def __init__(self, named: int, config: LlocaConfig) -> None:
        """Create the network.

        Args:
            named: number of named features that the token of the event is given; 0 for none.
            config: sizes and references.

        Raises:
            DependencyError: if `lloca` is not installed.
        """
        super().__init__()
        parts = _lloca()
        self.view, self.time = CovariantView(named, config.references), "time" in config.references
        self.width = (config.scalars + 4 * config.vectors) * config.heads
        vectors = partial(
            parts["MLPVectors"], num_scalars=self.view.scalars, hidden_channels=config.frame_hidden, num_layers_mlp=1
        )
        self.predict = parts["LearnedPDFrames"](vectors)
        self.frames = parts["Frames"]
        channels = [f"{config.scalars}x0n", *([f"{config.vectors}x1n"] if config.vectors else [])]
        self.network = parts["Transformer"](
            in_channels=4 * self.view.vectors + self.view.scalars, attn_reps="+".join(channels),
            out_channels=self.width, num_blocks=config.blocks, num_heads=config.heads, mlp_factor=2,
        )  # fmt: skip

    def forward(self, inputs: ObjectInputs) -> Float[Tensor, "events width"]:
        """Return the numbers of the token of the event in its own frame."""
        tokens = self.view(inputs)
        total = tokens.momenta.sum(dim=1)
        momenta = torch.cat([total[:, None], tokens.momenta[:, 1:]], dim=1)
        vectors = torch.cat([momenta[:, :, None], tokens.vectors[:, :, 1:]], dim=2)
        matrices = self._matrices(tokens, momenta)
        local = torch.einsum("ntab,ntvb->ntva", matrices, vectors.double()).to(momenta).flatten(2)
        seen: Tensor = self.network(
            torch.cat([local, tokens.scalars], dim=-1), self.frames(matrices.to(momenta)), p_ref=total,
            attn_mask=tokens.mask(),
        )  # fmt: skip
        return seen[:, 0]

    def _matrices(self, tokens: CovariantTokens, momenta: Tensor) -> Float[Tensor, "events tokens 4 4"]:
        """Return the frame of each token, float64; that of the laboratory in empty slots and in events of few objects.

        A frame needs three independent sums of two momenta: those of four objects, or of two and the direction of time.
        """
        real, scalars, fewest = tokens.real, tokens.scalars, 1 + 4
        if self.time:
            fewest = 1 + 2
            direction = momenta.new_tensor([1.0, 0.0, 0.0, 0.0]).expand(len(momenta), 1, 4)
            momenta = torch.cat([momenta, direction], dim=1)
            scalars = torch.nn.functional.pad(scalars, (0, 0, 0, 1))
            real = torch.nn.functional.pad(real, (0, 1), value=True)
        enough = tokens.real.sum(dim=1) >= fewest
        matrices = torch.eye(4, dtype=torch.float64, device=momenta.device).repeat(*real.shape, 1, 1)
        if bool(enough.any()):
            chosen = real & enough[:, None]
            ends = torch.nn.functional.pad(chosen[enough].sum(dim=1).cumsum(dim=0), (1, 0))
            rows = momenta[chosen].double()
            self._take_scales(rows, ends)
            found = self.predict(rows, scalars[chosen], ptr=ends).matrices
            matrices = matrices.masked_scatter(chosen[..., None, None], found.double())
        return matrices[:, : tokens.real.shape[1]]

    def _take_scales(self, rows: Float[Tensor, "rows 4"], ends: Int[Tensor, " ends"]) -> None:
        """Let the network of the frames take the scales of its edges from the first events that it meets."""
        block = self.predict.equivectors.block
        if not bool(block.edge_inited):
            self.predict.equivectors.init_standardization(rows, ends)
            block.edge_mean, block.edge_std = block.edge_mean.float(), block.edge_std.float()


def _lloca() -> dict[str, Any]:
    """Return what is used of the package, which tells of deprecated functions while it is loaded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from lloca import Frames, LearnedPDFrames, MLPVectors
            from lloca.backbone.transformer import Transformer
    except ImportError as error:
        raise DependencyError(
            f"the backbone lloca needs the package lloca: pip install 'partonic[lloca]' ({error})"
        ) from error
    return {"Frames": Frames, "LearnedPDFrames": LearnedPDFrames, "MLPVectors": MLPVectors, "Transformer": Transformer}
