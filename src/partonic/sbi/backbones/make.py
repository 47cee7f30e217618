"""The backbone of an analysis file."""

from collections.abc import Callable

from partonic.config.sbi.backbones import SbiNetworkConfig
from partonic.features.event_objects import ObjectSlots
from partonic.sbi.backbones.geometric import GeometricTransformer, SlimTransformer
from partonic.sbi.backbones.layout import InputLayout
from partonic.sbi.backbones.local_frames import LocalFrames
from partonic.sbi.backbones.object_backbone import ObjectBackbone
from partonic.sbi.backbones.set_transformer import SetTransformer
from partonic.sbi.ensemble_mlp import EnsembleMLP

__all__ = ["make_backbone"]


def make_backbone(
    config: SbiNetworkConfig, named: int, slots: ObjectSlots | None, networks: int, parameters: int = 0
) -> EnsembleMLP | ObjectBackbone:
    """Return the networks with first weights from torch's global generator.

    Args:
        config: the settings.
        named: number of named features as the networks get them.
        slots: of the objects; None for networks of named features alone.
        networks: number of networks, a multiple of the members.
        parameters: number of parameters θ that the networks are given; 0 for none.

    Raises:
        DependencyError: if the package of a backbone is not installed.
    """
    if slots is None:
        return EnsembleMLP(named + parameters, config.hidden, networks)
    told = named if config.named_features else 0
    kinds: dict[str, Callable[[], SetTransformer | GeometricTransformer | SlimTransformer | LocalFrames]] = {
        "set_transformer": lambda: SetTransformer(told, config.set_transformer),
        "lgatr": lambda: GeometricTransformer(told, config.lgatr),
        "lgatr_slim": lambda: SlimTransformer(told, config.lgatr),
        "lloca": lambda: LocalFrames(told, config.lloca),
    }
    trunks = [kinds[config.backbone]() for _ in range(config.members if config.shared else networks)]
    return ObjectBackbone(
        InputLayout(named, slots), trunks, trunks[0].width, config.hidden, networks, parameters,
        config.named_features,
    )  # fmt: skip
