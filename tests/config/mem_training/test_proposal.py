"""Sizes of the proposal network: presets, what overrides them, and what is refused."""

import pytest
from pydantic import ValidationError

from partonic.config.mem_training.proposal import ProposalNetworkConfig


def test_presets_fill_what_is_not_given() -> None:
    tiny = ProposalNetworkConfig.model_validate({"preset": "tiny", "encoder": {"latent": 7}})
    assert (tiny.encoder.latent, tiny.encoder.width, tiny.flow.transforms) == (7, 16, 2)
    small = ProposalNetworkConfig()
    assert (small.flow.bins, small.encoder.width, small.training.batch_size) == (16, 64, 512)


def test_sizes_come_back_from_their_record() -> None:
    config = ProposalNetworkConfig.model_validate({"preset": "tiny", "training": {"epochs": 5}})
    assert ProposalNetworkConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoder": {"heads": 3}}, "must divide the width, got 3 heads of width 64"),
        ({"training": {"epochs": 0}}, "greater than or equal to 1"),
        ({"layers": 3}, "Extra inputs"),
    ],
)
def test_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProposalNetworkConfig.model_validate(values)
