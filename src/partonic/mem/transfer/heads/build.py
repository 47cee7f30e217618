"""Heads by their settings."""

from partonic.config.mem_training.transfer import TransferConfig
from partonic.mem.transfer.heads.flow_matching import FlowMatchingHead
from partonic.mem.transfer.heads.head import ObjectHead
from partonic.mem.transfer.heads.splines import SplineHead

__all__ = ["build_head"]


def build_head(config: TransferConfig, *, tag: bool = False, eta: bool = True, ordered: bool = False) -> ObjectHead:
    """Return the head of one kind of object, with weights from torch's global generator.

    Args:
        config: sizes, of which `head` says which head it is.
        tag: whether the objects have a tag.
        eta: whether they have a pseudorapidity.
        ordered: whether those after the first are softer than the one before.
    """
    kind = FlowMatchingHead if config.head == "flow_matching" else SplineHead
    return kind(config, tag=tag, eta=eta, ordered=ordered)
