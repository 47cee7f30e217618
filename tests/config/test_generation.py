"""The section `generation`: presets, and settings that do not fit each other."""

import pytest
from pydantic import ValidationError

from partonic.config.generation import FULL_SAMPLER, QUICK_SAMPLER, GenerationConfig, SamplerConfig


def test_presets_by_name() -> None:
    assert GenerationConfig().sampler == FULL_SAMPLER
    assert GenerationConfig.model_validate({"sampler": "quick"}).sampler == QUICK_SAMPLER
    assert GenerationConfig.model_validate({"sampler": "full"}).sampler == FULL_SAMPLER


def test_settings_by_hand_keep_the_other_defaults() -> None:
    found = GenerationConfig.model_validate({"sampler": {"rounds": 3}}).sampler
    assert found == FULL_SAMPLER.model_copy(update={"rounds": 3})


def test_quick_needs_less_of_everything() -> None:
    assert (
        QUICK_SAMPLER.rounds * QUICK_SAMPLER.steps_per_round < 0.5 * FULL_SAMPLER.rounds * FULL_SAMPLER.steps_per_round
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sampler": "fast"}, r"a preset \(full, quick, vegas\), got 'fast'"),
        ({"weight_scales": {"c_tG": 0.0}}, "must not be 0"),
        ({"events": 0}, "greater than or equal to 1"),
        ({"overweight_limit": 0.0}, "greater than 0"),
        ({"overweight_policy": "drop"}, "'keep', 'repeat' or 'truncate'"),
        ({"theta": {"c_tG": float("nan")}}, "finite number"),
        ({"evnets": 5}, "Extra inputs"),
        ({"bias": {}}, "name softer_b_pt or harder_b_pt"),
        ({"bias": {"softer_b_pt": {"floor": 0.0}}}, "greater than 0"),
    ],
)
def test_bad_settings_are_refused(content: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GenerationConfig.model_validate(content)


def test_more_spline_bins_than_grid_bins_are_refused() -> None:
    with pytest.raises(ValidationError, match="16 spline bins are more than the 8 of vegas_bins"):
        SamplerConfig(bins=16, vegas_bins=8)


def test_without_a_bias_the_settings_are_those_of_before() -> None:
    """Events made by a version without this option stay up to date."""
    assert "bias" not in GenerationConfig().model_dump(mode="json")
    biased = GenerationConfig.model_validate({"bias": {"harder_b_pt": {"scale": 30.0}}})
    assert GenerationConfig.model_validate(biased.model_dump(mode="json")) == biased
