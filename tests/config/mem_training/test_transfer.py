"""Which head a transfer function has, what goes with it, and what is refused."""

import pytest
from pydantic import ValidationError

from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.mem_training.transfer import TransferConfig


@pytest.mark.parametrize(
    ("given", "head", "candidates"),
    [
        ({}, "splines", 0),
        ({"candidates": 0}, "splines", 0),
        ({"candidates": 8}, "candidates", 8),
        ({"head": "candidates"}, "candidates", 16),
        ({"head": "candidates", "candidates": 4}, "candidates", 4),
        ({"head": "flow_matching"}, "flow_matching", 16),
        ({"head": "flow_matching", "candidates": 0}, "flow_matching", 0),
        ({"head": "splines"}, "splines", 0),
    ],
)
def test_settings_say_which_head_it_is(given: dict[str, object], head: str, candidates: int) -> None:
    config = TransferConfig.model_validate(given)
    assert (config.head, config.candidates) == (head, candidates)
    assert (config.flow is not None) == (head == "flow_matching")
    assert TransferConfig.model_validate(config.model_dump(mode="json")) == config


def test_sizes_of_models_that_know_of_no_heads_are_read() -> None:
    """As `model.json` of the pretrained models has them."""
    old = {
        "width": 64, "layers": 3, "heads": 4, "feedforward": 128, "head_hidden": 96, "bins": 12, "candidates": 16,
        "dropout": 0.0,
    }  # fmt: skip
    config = TransferConfig.model_validate({"candidates": 16})
    assert TransferConfig.model_validate(old) == config
    assert config.model_dump(mode="json") == old  # so that trainings that were begun before go on


@pytest.mark.parametrize(
    ("given", "head", "candidates"),
    [({}, "candidates", 16), ({"candidates": 0}, "splines", 0), ({"head": "splines"}, "splines", 0),
     ({"head": "flow_matching", "flow": {"width": 32}}, "flow_matching", 16)],
)  # fmt: skip
def test_a_head_that_is_named_is_not_given_what_the_preset_has_for_another(
    given: dict[str, object], head: str, candidates: int
) -> None:
    config = MemNetworksConfig.model_validate({"preset": "small", "transfer": given}).transfer
    assert (config.head, config.candidates) == (head, candidates)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"head": "diffusion"}, "Input should be 'splines', 'candidates' or 'flow_matching'"),
        ({"head": "splines", "candidates": 4}, "the head 'splines' looks at no candidates, got 4"),
        ({"head": "candidates", "candidates": 0}, "needs keys of at least one number"),
        ({"flow": {"width": 8}}, "settings of the head 'flow_matching', but the head is 'splines'"),
        ({"head": "candidates", "flow": {}}, "settings of the head 'flow_matching', but the head is 'candidates'"),
        ({"head": "flow_matching", "flow": {"solver": {"method": "euler"}}}, "Input should be 'rk4' or 'dopri5'"),
        ({"head": "flow_matching", "flow": {"draws": 0}}, "greater than or equal to 1"),
        ({"head": "flow_matching", "flow": {"depth": 2}}, "Extra inputs"),
    ],
)
def test_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TransferConfig.model_validate(given)
