"""Backbones from their settings."""

import pytest
import torch
from tests.sbi.backbones.object_events import NAMED, SLOTS, objects, rows

from partonic.config.sbi import SbiConfig
from partonic.sbi.backbones.make import make_backbone
from partonic.sbi.backbones.object_backbone import ObjectBackbone
from partonic.sbi.ensemble_mlp import EnsembleMLP

NAMES = ("set_transformer", "lgatr", "lgatr_slim", "lloca")


def settings(name, **changes):
    network = {"backbone": name, **changes}
    return SbiConfig.model_validate({"preset": "tiny", "network": network}).network


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameters", [0, 2])
def test_every_backbone_has_the_networks_that_are_asked_for(name, parameters):
    torch.manual_seed(1)
    backbone = make_backbone(settings(name), NAMED, SLOTS, 6, parameters).eval()
    theta = torch.zeros(6, 30, parameters) if parameters else None
    found = backbone(rows(objects(30)), theta)
    assert found.shape == (6, 30)
    assert torch.isfinite(found).all()
    assert float(found.detach().std(dim=1).min()) > 0.0


def test_derivatives_share_a_trunk_or_not():
    counts = [len(make_backbone(settings(NAMES[0], shared=shared), NAMED, SLOTS, 6).trunks) for shared in (True, False)]
    assert counts == [2, 6]


def test_members_begin_at_different_weights():
    backbone = make_backbone(settings(NAMES[0]), NAMED, SLOTS, 2)
    assert isinstance(backbone, ObjectBackbone)
    first, second = (trunk.embed.weight for trunk in backbone.trunks)
    assert not torch.equal(first, second)


def test_without_objects_the_perceptrons_are_those_of_before():
    """The weights are drawn in the same order: a seed gives the networks that it always gave."""
    torch.manual_seed(5)
    made = make_backbone(settings("mlp"), 4, None, 6, 2)
    torch.manual_seed(5)
    direct = EnsembleMLP(6, (16, 16), 6)
    assert all(torch.equal(*pair) for pair in zip(made.parameters(), direct.parameters(), strict=True))


def test_named_features_can_be_left_out():
    backbone = make_backbone(settings(NAMES[0], named_features=False), NAMED, SLOTS, 2).eval()
    other = rows(objects(20))
    other[:, :NAMED] += 1.0
    assert torch.equal(backbone(rows(objects(20))), backbone(other))
