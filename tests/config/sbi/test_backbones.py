"""Settings of networks over objects."""

import pytest
from pydantic import ValidationError

from partonic.config.sbi import SbiConfig


def made(**network):
    return SbiConfig.model_validate({"network": network})


def test_perceptrons_are_what_they_were():
    config = SbiConfig()
    assert config.network.backbone == "mlp"
    assert not config.network.sees_objects
    assert (config.network.hidden, config.training.learning_rate, config.training.epochs) == ((64, 64, 64), 5e-3, 30)
    assert made(backbone="mlp") == config


def test_networks_over_objects_have_defaults_of_their_own_under_the_file_and_the_preset():
    config = made(backbone="set_transformer")
    assert (config.network.hidden, config.training.learning_rate) == ((32,), 2e-3)
    written = SbiConfig.model_validate(
        {"network": {"backbone": "set_transformer", "hidden": [9]}, "training": {"learning_rate": 0.1}}
    )
    assert (written.network.hidden, written.training.learning_rate, written.training.epochs) == ((9,), 0.1, 12)
    tiny = SbiConfig.model_validate({"preset": "tiny", "network": {"backbone": "lgatr", "lgatr": {"scalars": 5}}})
    assert (tiny.network.hidden, tiny.training.epochs) == ((16, 16), 3)
    assert (tiny.network.lgatr.scalars, tiny.network.lgatr.vectors) == (5, 2)
    assert made(backbone="lgatr").network.lgatr.vectors == 4
    assert made(backbone="lgatr_slim").network.lgatr.vectors == 8


def test_the_sizes_of_papers():
    config = SbiConfig.model_validate({"preset": "paper", "network": {"backbone": "lgatr", "members": 2}})
    assert (config.network.lgatr.blocks, config.network.lgatr.vectors, config.network.members) == (8, 32, 2)
    assert config.training.learning_rate == 5e-4


def test_what_is_written_is_read_back_the_same():
    config = made(backbone="lgatr", lgatr={"momentum_unit": 20.0})
    assert SbiConfig.model_validate(config.model_dump(mode="json")) == config
    assert config.network.momentum_unit == 20.0
    assert made(backbone="set_transformer", lgatr={"momentum_unit": 20.0}).network.momentum_unit is None


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"backbone": "resnet"}, "lgatr_slim"),
        ({"set_transformer": {"width": 10, "heads": 4}}, "must divide the width"),
        ({"lgatr": {"heads": 3}}, "must divide the width"),
        ({"lgatr": {"references": ["beams"]}}, "'beam'"),
        ({"lloca": {"momentum_unit": 0.0}}, "greater than 0"),
        ({"max_jets": 17}, "less than or equal to 16"),
    ],
)
def test_what_makes_no_sense_is_refused(network, message):
    with pytest.raises(ValidationError, match=message):
        made(**network)
